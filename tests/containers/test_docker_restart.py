"""A Docker engine that is restarted: its listener stays (systemd's, ``dockerd -H fd://``), or its containers do."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.running import Place, opened, until
from tests.containers.docked import OBEDIENT, Docked
from tests.containers.dockerd import Dockerd, own_dockerd

pytestmark = pytest.mark.container

SYSTEMD = """
import os, socket, sys

listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen()
os.dup2(listener.fileno(), 3)
os.set_inheritable(3, True)
while True:
    child = os.fork()
    if not child:
        os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
        os.execvp(sys.argv[2], sys.argv[2:])
    os.waitpid(child, 0)
"""


class Activated(Dockerd):
    """An engine that is given its listener, and is started again whenever it ends."""

    def command(self) -> list[str]:
        words = [word if word != f"--host={self.base_url}" else "--host=fd://" for word in super().command()]
        return [sys.executable, "-c", SYSTEMD, str(self.socket_path), *words]


@pytest.fixture
def activated(tmp_path: Path) -> Iterator[Docked]:
    (tmp_path / "place").mkdir()
    place = Place(tmp_path / "place")
    try:
        with own_dockerd(tmp_path / "trees", Activated) as engine:
            yield Docked(place, engine)
    finally:
        place.close()


@pytest.mark.parametrize("script", ["echo begun; sleep 1000", OBEDIENT], ids=["killed", "obedient"])
def test_a_restart_ends_the_containers_and_is_no_fault_of_the_param(activated: Docked, script: str) -> None:
    minion = activated.start("--", "sh", "-c", script, sweep=True)
    os.kill(int((activated.engine.folder / "docker.pid").read_text()), signal.SIGTERM)
    assert minion.wait() == 4, minion.err
    # The latter if it goes just while it is asked how the container ended.
    assert re.search(f"the Docker engine at {activated.engine.base_url} (was restarted|is gone)", minion.err)
    assert (activated.record["outcome"], activated.record["settled"]) == ("could_not_start", "nack")
    assert activated.left() == "0 0 1"
    assert activated.place.charged() == 0
    done = activated.run("--", "echo", "again")
    assert (done.returncode, done.stdout) == (0, b"again p\n")


class Restoring(Dockerd):
    """An engine that leaves its containers running when it goes, and finds them again."""

    def command(self) -> list[str]:
        return [*super().command(), "--live-restore"]


def test_a_container_that_outlives_a_restart_is_gone_before_its_param_goes_back(tmp_path: Path) -> None:
    with opened(tmp_path) as place, own_dockerd(tmp_path / "trees", Restoring) as engine:
        docked = Docked(place, engine)
        minion = docked.start("--", "sh", "-c", "echo begun; sleep 1000", sweep=True)
        engine.kill()
        until(lambda: "is not removed" in minion.err, what="the minion has missed it")
        # For so long it is away.
        time.sleep(2)
        engine.start()
        assert minion.wait() == 4, minion.err
        assert docked.containers() == []
        assert (docked.record["outcome"], docked.record["settled"]) == ("could_not_start", "nack")
        assert (docked.left(), docked.place.charged()) == ("0 0 1", 0)
