"""One Docker engine for all tests of a run, with two small images; and minions that use it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.running import opened
from tests.containers.docked import Docked
from tests.containers.dockerd import Dockerd
from tests.containers.trees import busybox_tree, python_tree


@pytest.fixture(scope="session")
def docker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dockerd]:
    """Has the images ``busybox:test``, and ``python:test``: the Python that runs the tests, with pip."""
    trees = tmp_path_factory.mktemp("trees")
    # Not pytest's directory: its path may be too long for a Unix socket.
    folder = Path(tempfile.mkdtemp(prefix="dockerd-", dir="/tmp"))
    engine = Dockerd(folder)
    try:
        engine.start()
        engine.import_tree(busybox_tree(trees / "busybox"), "busybox:test")
        engine.import_tree(python_tree(trees / "python"), "python:test")
        yield engine
    finally:
        engine.stop()
        shutil.rmtree(folder)
        shutil.rmtree(trees)


@pytest.fixture
def docked(docker: Dockerd, tmp_path: Path) -> Iterator[Docked]:
    """Minions that use it; nothing of theirs is left there."""
    with opened(tmp_path) as place:
        docked = Docked(place, docker)
        try:
            yield docked
            assert docked.containers() == []
        finally:
            docked.clear()
