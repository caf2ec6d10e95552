"""The Docker engine of the tests."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.running import alive, until
from tests.containers.dockerd import Dockerd, own_dockerd

pytestmark = pytest.mark.container


def output(client: Any, image: str, *command: str) -> bytes:
    """What a command prints. Not by ``containers.run`` alone, which leaves its connection to the garbage collector."""
    container = client.containers.run(image, list(command), detach=True)
    try:
        container.wait()
        printed: bytes = container.logs()
    finally:
        container.remove(force=True)
    return printed


def test_images_run(docker: Dockerd) -> None:
    with closing(docker.client()) as client:
        assert output(client, "busybox:test", "echo", "hello") == b"hello\n"
        line = "import ssl, sqlite3, ctypes, zlib; print(ssl.OPENSSL_VERSION)"
        assert b"OpenSSL" in output(client, "python:test", "python", "-c", line)
        assert b"pip" in output(client, "python:test", "pip", "--version")


OBEDIENT = ["sh", "-c", "trap exit TERM; sleep 1000 & wait"]


@pytest.fixture
def another(tmp_path: Path) -> Iterator[Dockerd]:
    with own_dockerd(tmp_path / "tree") as engine:
        yield engine


def left(engine: Dockerd) -> str:
    """Processes and mounts with its directory in their names."""
    said = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True).stdout
    return "\n".join(
        line
        for line in [*said.splitlines(), *Path("/proc/self/mounts").read_text().splitlines()]
        if f"{engine.folder}/" in line
    )


@pytest.mark.usefixtures("docker")
def test_containers_outlive_a_killed_engine_beside_another_one_and_nothing_outlives_its_stop(another: Dockerd) -> None:
    with closing(another.client()) as client:
        container = client.containers.run("busybox:test", OBEDIENT, detach=True)
        container.reload()
        pid = container.attrs["State"]["Pid"]
    another.kill()
    assert alive(pid)
    another.start()
    with closing(another.client()) as client:
        # Without live-restore it ends what it finds running.
        until(lambda: client.containers.get(container.id).status == "exited")
        container = client.containers.run("busybox:test", OBEDIENT, detach=True)
        container.reload()
        pid = container.attrs["State"]["Pid"]
    another.kill()
    another.stop()
    assert not alive(pid)
    assert left(another) == ""
