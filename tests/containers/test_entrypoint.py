"""Images whose ENTRYPOINT is minionize, on a real engine: built from wheels, fed by Redis, stopped, killed, watched."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest

from minionize.launch.pod import Pod
from tests.acceptance.running import ROOT, until
from tests.brokers.redis import RedisServer
from tests.brokers.server import free_port
from tests.containers.dockerd import Dockerd

pytestmark = [pytest.mark.container, pytest.mark.slow]

BIN = Path(sys.executable).parent
# One run: it says so, waits for leave, and leaves an orphan that ends a moment later.
WORK = """#!/bin/sh
echo "$1 $MINION_ATTEMPT $MINION_ID" >> /shared/begun
until [ -e /shared/go ]; do sleep 0.05; done
setsid sh -c ': > /shared/born-$0; sleep 0.1' $1 </dev/null >/dev/null 2>&1 &
until [ -e /shared/born-$1 ]; do sleep 0.01; done
echo "$1" >> /shared/ended
"""
SECOND = 1_000_000_000


@pytest.fixture(scope="module")
def client(docker: Dockerd) -> Iterator[Any]:
    with closing(docker.client()) as client:
        yield client


@pytest.fixture(scope="module")
def base(client: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The image ``minionize`` as deploy/docker makes it, from wheels of this checkout."""
    context = tmp_path_factory.mktemp("context") / "docker"
    shutil.copytree(ROOT / "deploy" / "docker", context)
    wheel = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*wheel, "--wheel-dir", context / "wheels", f"{ROOT}[redis]"], check=True)
    return build(client, context, "minionize:test", BASE="python:test")


@pytest.fixture(scope="module")
def service(client: Any, base: str) -> str:
    """The example on top of it."""
    return build(client, ROOT / "examples" / "service", "square:test", MINIONIZE=base)


def build(client: Any, context: Path, tag: str, **arguments: str) -> str:
    client.images.build(path=str(context), tag=tag, buildargs=arguments, network_mode="none", rm=True)
    return tag


class Services:
    """Containers that are fed by one stream of a Redis server."""

    def __init__(self, client: Any, server: RedisServer, folder: Path) -> None:
        self.client, self.server = client, server
        self.shared = folder / "shared"
        self.shared.mkdir()
        # Containers do not run as root.
        self.shared.chmod(0o777)
        self.environ = {
            "MINION_ENGINE": "redis",
            "REDIS_URL": server.url,
            "REDIS_STREAM": "params",
            "REDIS_LEASE": "6",
            "MINION_REGISTRY": server.url,
        }
        self.containers: list[Any] = []

    def script(self, name: str, text: str) -> None:
        (self.shared / name).write_text(text)
        (self.shared / name).chmod(0o755)

    def start(self, image: str, *command: str, **environ: str) -> Any:
        container = self.client.containers.run(
            image,
            list(command) or None,
            detach=True,
            network_mode="host",
            environment={**self.environ, "MINION_PORT": str(free_port()), **environ},
            volumes={str(self.shared): {"bind": "/shared", "mode": "rw"}},
            healthcheck={"interval": SECOND},
        )
        self.containers.append(container)
        return container

    def ask(self, program: str, *words: str, stdin: str = "") -> str:
        """What a program of ours prints on the host."""
        environ = {"PATH": os.environ["PATH"], "HOME": str(self.shared), **self.environ}
        done = subprocess.run([BIN / program, *words], input=stdin, env=environ, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def fill(self, *params: str) -> None:
        self.ask("minion-queue", "fill", stdin="".join(f"{param}\n" for param in params))

    def lines(self, name: str) -> list[str]:
        path = self.shared / name
        return path.read_text().splitlines() if path.exists() else []

    def begun(self) -> list[tuple[str, str, str]]:
        """Param, attempt and minion of each run."""
        found = [line.split() for line in self.lines("begun")]
        return [(param, attempt, minion) for param, attempt, minion in found]


@pytest.fixture
def services(client: Any, tmp_path: Path) -> Iterator[Services]:
    folder = tmp_path / "redis"
    folder.mkdir()
    server = RedisServer(folder)
    server.start()
    found = Services(client, server, tmp_path)
    try:
        yield found
    finally:
        for container in found.containers:
            container.remove(force=True)
        server.stop()


def state(container: Any) -> dict[str, Any]:
    container.reload()
    found: dict[str, Any] = container.attrs["State"]
    return found


def zombies(pid: int) -> list[int]:
    """Those below a process."""
    every = [path.read_text() for path in Path("/proc").glob("[0-9]*/stat") if path.exists()]
    fields = {int(text.split(" ", 1)[0]): text.rpartition(")")[2].split() for text in every}
    below = {pid}
    while more := {each for each, found in fields.items() if int(found[1]) in below} - below:
        below |= more
    return [each for each in below if fields[each][0] == "Z"]


def stats(container: Any) -> dict[str, Any]:
    """What its minion says of itself."""
    port = dict(entry.split("=", 1) for entry in container.attrs["Config"]["Env"])["MINION_PORT"]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/stats", timeout=30) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def answers(container: Any) -> bool:
    """Whether its minion's server can be asked yet: that opens a moment after the first param has begun."""
    try:
        stats(container)
    except URLError:
        return False
    return True


def test_three_services_of_which_one_is_stopped_and_one_is_killed(services: Services, service: str) -> None:
    params = [f"p{number}" for number in range(12)]
    services.script("work", WORK)
    services.fill(*params)
    containers = [services.start(service, "/shared/work") for _ in range(3)]
    stopped, killed, third = containers
    until(lambda: len(services.begun()) == 3, what="each holds a param")
    until(lambda: {state(each)["Health"]["Status"] for each in containers} == {"healthy"}, what="all are healthy")
    ids = [stats(each)["id"] for each in containers]
    held = {minion: param for param, _, minion in services.begun()}
    assert set(held) == set(ids)
    fleet = json.loads(services.ask("mtop", "--once", "--json", "-r", services.server.url))
    assert {(row["id"], row["state"]) for row in fleet["minions"]} == {(minion, "running") for minion in ids}

    stopped.stop(timeout=60)
    assert state(stopped)["ExitCode"] == 128 + signal.SIGTERM, stopped.logs().decode()
    killed.kill()
    killed.wait()
    assert state(killed)["ExitCode"] == 128 + signal.SIGKILL

    (services.shared / "go").touch()
    until(lambda: len(services.lines("ended")) >= len(params), what="all are done")
    assert Counter(services.lines("ended")) == Counter(params)
    again = [(param, attempt) for param, attempt, minion in services.begun() if minion == ids[2]]
    assert (held[ids[0]], "1") in again, "it went back uncharged"
    assert held[ids[1]] in dict(again)
    until(lambda: not zombies(state(third)["Pid"]), 10, "no zombies")
    status = json.loads(services.ask("minion-queue", "status", "--json"))
    assert (status["ready"], status["in_flight"], status["dead"]) == (0, 0, 0)
    third.stop(timeout=60)
    assert f"{len(params)} done, 0 failed" in third.logs().decode()


def test_the_hook_of_a_pod_lets_it_finish_what_runs(services: Services, service: str) -> None:
    """As Kubernetes does: the preStop hook in the container, while the first process works on."""
    pod = Pod(service, (), (), {}, None, drain=30, grace=10, uid=1000, restart="Never").template()
    hook = pod["spec"]["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
    services.script("work", WORK)
    services.fill("a", "b", "c")
    container = services.start(service, "/shared/work")
    until(lambda: len(services.begun()) == 1, what="it holds a param")
    until(lambda: answers(container), what="its server is there")
    container.exec_run(hook, detach=True)
    until(lambda: state(container)["Running"] and stats(container)["state"] == "draining", what="it drains")
    (services.shared / "go").touch()
    assert container.wait(timeout=60)["StatusCode"] == 99, container.logs().decode()
    assert len(services.lines("ended")) == len(services.begun()) == 1
    status = json.loads(services.ask("minion-queue", "status", "--json"))
    assert (status["ready"], status["in_flight"], status["dead"]) == (2, 0, 0)


def test_the_example_runs_what_its_image_says(services: Services, service: str) -> None:
    services.fill("7", "12")
    container = services.start(service, MINION_EXIT_WHEN_EMPTY="1")
    assert container.wait(timeout=60)["StatusCode"] == 0, container.logs().decode()
    assert {b"7 * 7 = 49", b"12 * 12 = 144"} <= set(container.logs().splitlines())


def test_a_program_out_of_another_image(client: Any, base: str, services: Services, tmp_path: Path) -> None:
    context = tmp_path / "context"
    context.mkdir()
    lines = f"FROM {base}\nCOPY --from=busybox:test /bin/busybox ./\nENV MINION_EXIT_WHEN_EMPTY=1\n"
    (context / "Dockerfile").write_text(f'{lines}CMD ["./busybox", "echo", "hello"]\n')
    services.fill("you")
    container = services.start(build(client, context, "copied:test"))
    assert container.wait(timeout=60)["StatusCode"] == 0, container.logs().decode()
    assert b"hello you" in container.logs().splitlines()


def test_as_many_slots_as_its_share_of_processors(client: Any, base: str) -> None:
    limited = {"nano_cpus": 500_000_000, "network_mode": "none", "environment": {"MINION_SLOTS": "auto"}}
    container = client.containers.run(base, ["--show-config", "true"], detach=True, **limited)
    try:
        assert container.wait(timeout=60)["StatusCode"] == 0
        told = [line.split() for line in container.logs().decode().splitlines()]
        assert ["slots", "1"] in [words[:2] for words in told]
    finally:
        container.remove(force=True)


def test_what_the_image_says_of_itself(client: Any, base: str) -> None:
    config = client.images.get(base).attrs["Config"]
    assert config["User"] == "1000:1000"
    assert config["Entrypoint"] == ["minionize"]
    assert list(config["ExposedPorts"]) == ["9464/tcp"]
    assert (config["StopSignal"], config["Healthcheck"]["Test"]) == ("SIGTERM", ["CMD", "minionize", "--healthy"])
    container = client.containers.run(base, detach=True)
    try:
        assert container.wait(timeout=60)["StatusCode"] == 2
        assert b"no COMMAND to run" in container.logs()
    finally:
        container.remove(force=True)
