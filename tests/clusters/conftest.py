"""One Slurm for all tests that want one: it takes seconds to start, and each has its own partition or sweep."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.clusters.slurm import Slurm, running


@pytest.fixture(scope="session")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slurm]:
    with running(tmp_path_factory.mktemp("slurm")) as slurm:
        yield slurm
