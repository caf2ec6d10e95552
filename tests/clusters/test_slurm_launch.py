"""minion-launch on a real Slurm: what it submits, lists and stops."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.running import until
from tests.clusters.slurm import POLL, Slurm

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

PROGRAMS = Path(sys.executable).parent


class Site:
    """A directory with a sweep, and the programs in it."""

    def __init__(self, folder: Path, slurm: Slurm) -> None:
        self.folder = folder
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("MINION", "EXECO", "OAR"))}
        path = f"{PROGRAMS}:{os.environ['PATH']}"
        self.environ = {**kept, **slurm.environ, "PATH": path, "HOME": str(folder), "MINION_ENGINE": "execo"}

    def __call__(self, *words: str) -> str:
        done = subprocess.run(words, cwd=self.folder, env=self.environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def launch(self, *words: str) -> str:
        return self("minion-launch", "slurm", *words)

    def fill(self, count: int) -> None:
        self("minion-queue", "fill", "--sweep", f"x=1:{count}")

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self("minion-queue", "status", "--json"))
        return found

    def wait(self, what: Callable[[], object], seconds: float = 60.0) -> None:
        try:
            until(what, seconds, every=POLL)
        except AssertionError:
            pytest.fail(f"{self.status()}\n{self('squeue')}\n{self.said()}")

    def jobs(self, name: str) -> str:
        return self("squeue", "--noheader", f"--name={name}")

    def said(self) -> str:
        return "".join(path.read_text(errors="replace") for path in self.folder.glob("slurm-*.out"))


@pytest.fixture
def site(slurm: Slurm, tmp_path: Path) -> Iterator[Site]:
    found = Site(tmp_path, slurm)
    yield found
    for name in ("swept", "fleet", "anew", "alone"):
        slurm.cancel("--name", name)


def test_an_array_works_a_sweep_off(site: Site) -> None:
    site.fill(40)
    run = 'echo "$1" >>"did.$SLURM_ARRAY_TASK_ID"'
    start = ("-n", "3", "--name", "swept", "--walltime", "10m", "--submit")
    said = site.launch(*start, "--", "minionize", "sh", "-c", run, "sh")
    assert said.startswith("Submitted batch job ")
    site.wait(lambda: not site.jobs("swept"))
    status = site.status()
    assert (status["done"], status["ready"], status["in_flight"], status["dead"]) == (40, 0, 0, 0), site.said()
    lines = [line for path in site.folder.glob("did.*") for line in path.read_text().splitlines()]
    assert len(lines) == 40


def test_list_tells_each_element_and_stop_ends_them_in_peace(site: Site) -> None:
    site.fill(4)
    # The run needs a while to put things in order: a minion that was told twice would kill it.
    tidy = 'trap "" TERM; sleep 2; echo in order >>orderly; exit 0'
    run = f"trap '{tidy}' TERM; echo >>began; while true; do sleep 0.1; done"
    site.launch("-n", "2", "--name", "fleet", "--submit", "--", "minionize", "sh", "-c", run)
    began = site.folder / "began"
    site.wait(lambda: began.exists() and len(began.read_text()) == 2)
    rows = [line.split("\t") for line in site.launch("--list", "--name", "fleet").splitlines()]
    assert [row[1] for row in rows] == ["RUNNING", "RUNNING"]
    site.launch("--stop", "--name", "fleet")
    site.wait(lambda: not site.jobs("fleet"))
    assert (site.folder / "orderly").read_text() == "in order\n" * 2
    status = site.status()
    assert (status["in_flight"], status["dead"], status["done"] + status["ready"]) == (0, 0, 4), site.said()
    assert site.launch("--list", "--name", "fleet") == ""


def test_a_minion_that_is_told_before_the_walltime_has_its_job_start_anew(site: Site) -> None:
    site.fill(2)
    run = 'echo "$SLURM_RESTART_COUNT" >>began; test -n "$SLURM_RESTART_COUNT" || exec sleep 600'
    words = ["--name", "anew", "--walltime", "30m", "--submit", "--", "minionize", "sh", "-c", run]
    id = site.launch(*words).split()[-1]
    began = site.folder / "began"
    site.wait(began.exists)
    # What Slurm does at that time: the batch shell alone is told.
    site("scancel", "--batch", "--signal=USR2", f"{id}_1")
    site.wait(lambda: not site.jobs("anew"), 120)
    assert began.read_text().split("\n") == ["", "1", "1", ""], site.said()
    assert site.status()["done"] == 2


def test_of_an_array_only_the_one_that_was_told_starts_anew(site: Site) -> None:
    site.fill(2)
    run = 'echo "$SLURM_ARRAY_TASK_ID $SLURM_RESTART_COUNT" >>began; until test -e gate; do sleep 0.1; done'
    words = ["-n", "2", "--name", "alone", "--walltime", "30m", "--submit", "--", "minionize", "sh", "-c", run]
    id = site.launch(*words).split()[-1]
    began = site.folder / "began"
    site.wait(lambda: began.exists() and len(began.read_text().splitlines()) == 2)
    # The id of the last one is that of the whole array.
    site("scancel", "--batch", "--signal=USR2", f"{id}_2")
    site.wait(lambda: len(began.read_text().splitlines()) == 3, 120)
    (site.folder / "gate").touch()
    site.wait(lambda: not site.jobs("alone"))
    assert sorted(began.read_text().splitlines()) == ["1 ", "2 ", "2 1"], site.said()
    assert site.status()["done"] == 2
