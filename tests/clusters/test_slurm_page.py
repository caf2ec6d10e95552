"""The job scripts of the page on Slurm, submitted as they stand there."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.running import ROOT, Place, opened
from tests.clusters.slurm import Slurm
from tests.docs.blocks import blocks

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

PAGE = ROOT / "docs" / "clusters" / "slurm.md"
SCRIPTS = ("job.sh", "rounds.sh")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with opened(tmp_path) as place:
        yield place


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_script_on_the_page_works_a_sweep_off(slurm: Slurm, place: Place, name: str) -> None:
    files = {block.title: block.text for block in blocks(PAGE.read_text()) if block.title is not None}
    place.script("simulate.sh", files["simulate.sh"])
    (place.folder / ".env").write_text(files[".env"])
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    registry = f"dir:{place.folder / 'registry'}"
    environ = place.environ(PATH=path, MINION_REGISTRY=registry)
    fill = "minion-queue fill --sweep size=10,100,1000 --sweep seed=1:20"
    assert place.run_program(*fill.split(), PATH=path).returncode == 0

    job = slurm.submit(files[name], "--array=1-2", cwd=place.folder, environ=environ)
    slurm.await_states(job, "COMPLETED")
    runs = {(record["param"]["size"], record["param"]["seed"]) for record in place.records("results")}
    assert runs == {(size, seed) for size in (10, 100, 1000) for seed in range(1, 21)}
    assert place.why(MINION_ENGINE="execo").endswith("the queue is empty; 60 done, 0 dead-lettered")
    said = "".join(file.read_text() for file in place.folder.glob(f"job-{job}_*.out"))
    assert said.count("size 10, seed") == 20, said
