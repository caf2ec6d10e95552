"""A Docker engine on a disk that is full: it answers, and can make no container."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.acceptance.running import opened
from tests.containers.docked import Docked
from tests.containers.dockerd import Dockerd, own_dockerd

pytestmark = pytest.mark.container

OF_PARAM = "from minionize import DockerCallback as D, minionizer; exit(minionizer(D('busybox:test')).run())"


class Small(Dockerd):
    """Its disk is a small one, in memory."""

    def start(self) -> None:
        self.root.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=30m", "tmpfs", str(self.root)], check=True)
        super().start()


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Docked]:
    (tmp_path / "place").mkdir()
    with opened(tmp_path / "place") as place, own_dockerd(tmp_path / "trees", Small) as engine:
        docked = Docked(place, engine)
        assert docked.out("--", "echo") == "p\n"
        with (engine.root / "filling").open("wb", buffering=0) as file, suppress(OSError):
            while file.write(bytes(2**16)):
                pass
        yield docked


def test_it_is_no_fault_of_a_param_not_even_of_one_that_brings_the_options(full: Docked) -> None:
    done = full.run("--", "echo")
    assert done.returncode == 4, done.stderr
    assert b"no space left on device" in done.stderr
    assert (full.record["outcome"], full.record["settled"]) == ("could_not_start", "nack")
    params = json.dumps({"command": "true"}).encode()
    environ = {**full.environ, "FILE_DECODER": "json"}
    done = full.place.run_program(sys.executable, "-c", OF_PARAM, params=params, **environ)
    assert done.returncode == 4, done.stderr
    assert b"no space left on device" in done.stderr
    assert (full.record["outcome"], full.record["settled"]) == ("could_not_start", "nack")
