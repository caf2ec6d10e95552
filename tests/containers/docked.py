"""Runs minions whose runs are containers of a Docker engine, and looks at these."""

from __future__ import annotations

import json
import subprocess
from contextlib import closing, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.acceptance.running import Minion, Place, until
from tests.containers.dockerd import Dockerd

IMAGE = "docker://busybox:test"
OBEDIENT = "trap 'echo told; exit 3' TERM; echo begun; sleep 1000 & wait"
DEAF = "trap 'echo told' TERM; echo begun; while :; do sleep 0.1; done"


class Docked:
    """A place whose minions use a Docker engine."""

    def __init__(self, place: Place, engine: Dockerd) -> None:
        self.place, self.engine = place, engine
        self.environ = {
            "DOCKER_HOST": engine.base_url,
            "MINION_REGISTRY": "none",
            "MINION_SERVER": "no",
            "MINION_REPORTER": "json",
            "MINION_ENGINE": "file",
        }

    def run(self, *words: str, params: str = "p\n", **environ: str) -> subprocess.CompletedProcess[bytes]:
        """Run ``minionize --container ... WORDS`` to its end, with params from a pipe."""
        return self.place.run("--container", IMAGE, *words, params=params.encode(), **{**self.environ, **environ})

    def out(self, *words: str, params: str = "p\n", code: int = 0) -> str:
        """What a minion's runs print."""
        done = self.run(*words, params=params)
        assert done.returncode == code, done.stderr.decode()
        return str(done.stdout.decode())

    def start(self, *words: str, sweep: bool = False, **environ: str) -> Minion:
        """Start a minion with one param, 0; return when its container runs and has said ``begun``.

        Args:
            words: Behind ``--container IMAGE``.
            sweep: The param is in a sweep directory, which tells what becomes of it; else it comes from a pipe.
            environ: Variables.
        """
        if sweep:
            self.place.sweep("range(1)")
            environ["MINION_ENGINE"] = "execo"
        minion = self.place.start("--container", IMAGE, *words, stdin=subprocess.PIPE, **{**self.environ, **environ})
        if not sweep:
            minion.stdin.write(b"0\n")
        minion.stdin.close()
        until(lambda: "begun" in minion.out or minion.process.poll() is not None, what="its container runs")
        assert "begun" in minion.out, minion.err
        return minion

    @property
    def record(self) -> dict[str, Any]:
        """The last record."""
        return self.place.records()[-1]

    def containers(self) -> list[dict[str, Any]]:
        """All that there are."""
        with closing(self.engine.client()) as client:
            found: list[dict[str, Any]] = client.api.containers(all=True)
            return found

    def inspect(self) -> dict[str, Any]:
        """The only container, in full."""
        (found,) = self.containers()
        with closing(self.engine.client()) as client:
            told: dict[str, Any] = client.api.inspect_container(found["Id"])
            return told

    def left(self) -> str:
        """What the sweep directory says: how many are done, in progress, and what may be taken."""
        return self.place.sweeper("len(s.get_done()), len(s.get_inprogress()), len(s.get_remaining())")

    def clear(self) -> None:
        """Remove what there is."""
        with closing(self.engine.client()) as client:
            for each in self.containers():
                with suppress(Exception):
                    client.api.remove_container(each["Id"], force=True)


def dead_letter(folder: Path) -> str:
    """The dead params of all minions of a place, as they are kept."""
    return "".join(path.read_text() for path in (folder / "state/minionize/dead").glob("*.jsonl"))


def docker_contexts(folder: Path, **hosts: str) -> Path:
    """Make a directory with configuration and contexts of docker's client; the first context is in use."""
    config = folder / "docker/config.json"
    for name, host in hosts.items():
        path = config.parent / "contexts/meta" / sha256(name.encode()).hexdigest() / "meta.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps({"Name": name, "Metadata": {}, "Endpoints": {"docker": {"Host": host}}}))
    config.write_text(json.dumps({"currentContext": next(iter(hosts))}))
    return config
