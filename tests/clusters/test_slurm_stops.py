"""The cluster of these tests leaves nothing behind."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from minionize.guardian import marked
from tests.acceptance.running import alive, until
from tests.clusters.slurm import POLL, running

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

JOB = """#!/bin/sh
trap '' TERM
echo $$ > started
while true; do sleep 1; done
"""


def test_a_cluster_stops_with_a_job_that_does_not_want_to(tmp_path: Path) -> None:
    folder = tmp_path / "slurm"
    folder.mkdir()
    started = tmp_path / "started"
    with running(folder) as slurm:
        slurm.submit(JOB, "--output=/dev/null", cwd=tmp_path, environ=os.environ)
        until(lambda: started.exists() and started.read_text(), what="the job has started", every=POLL)
    assert not alive(int(started.read_text()))
    assert [pid for pid in marked("SLURM_CONF", str(folder / "slurm.conf")) if alive(pid)] == []
