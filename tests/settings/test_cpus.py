"""How many CPUs a minion may use."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from minionize.cpus import usable_cpus

HERE = 64


@pytest.fixture(autouse=True)
def _affinity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(HERE)))


def system(root: Path, groups: str, **files: str) -> Path:
    """Write what the kernel tells.

    Args:
        root: Where.
        groups: What /proc/self/cgroup says.
        files: Contents below /sys/fs/cgroup, with ``__`` for the slash.
    """
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(groups)
    for name, words in files.items():
        path = root / "sys/fs/cgroup" / name.replace("__", "/").replace("cpu_", "cpu.")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(words)
    return root


def test_by_affinity_alone(tmp_path: Path) -> None:
    assert usable_cpus({}, tmp_path) == HERE
    assert usable_cpus({}, system(tmp_path, "0::/\n")) == HERE


def test_this_machine() -> None:
    assert 1 <= usable_cpus({}) <= HERE


@pytest.mark.parametrize(
    ("words", "expected"),
    [("200000 100000\n", 2), ("150000 100000\n", 2), ("50000 100000\n", 1), ("max 100000\n", HERE)]
    + [(nonsense, HERE) for nonsense in ("", "x y\n", "1 0\n", "0 100000\n", "1 2 3\n")],
)
def test_a_limit_of_version_2(tmp_path: Path, words: str, expected: int) -> None:
    assert usable_cpus({}, system(tmp_path, "0::/\n", cpu_max=words)) == expected


def test_an_outer_group_limits_too(tmp_path: Path) -> None:
    files = {"a__cpu_max": "300000 100000\n", "a__b__cpu_max": "max 100000\n"}
    assert usable_cpus({}, system(tmp_path, "0::/a/b\n", **files)) == 3


@pytest.mark.parametrize("path", ["/", "/docker/abc"])
@pytest.mark.parametrize(("controllers", "quota", "expected"), [("cpu,cpuacct", "400000", 4), ("cpu", "-1", HERE)])
def test_a_limit_of_version_1(tmp_path: Path, path: str, controllers: str, quota: str, expected: int) -> None:
    files = {f"{controllers}__cpu_cfs_quota_us": f"{quota}\n", f"{controllers}__cpu_cfs_period_us": "100000\n"}
    groups = f"5:memory:/x\n3:{controllers}:{path}\n2:cpuset:/\n0::/\n"
    assert usable_cpus({}, system(tmp_path, groups, **files)) == expected


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"SLURM_JOB_ID": "1", "SLURM_CPUS_ON_NODE": "3"}, 3),
        ({"SLURM_JOB_ID": "1", "SLURM_CPUS_ON_NODE": "100"}, HERE),
        ({"SLURM_JOB_ID": "1", "SLURM_CPUS_ON_NODE": "3", "SLURM_CPUS_PER_TASK": "1"}, 3),
        ({"SLURM_CPUS_ON_NODE": "3"}, HERE),
        ({"SLURM_JOB_ID": "1", "SLURM_CPUS_ON_NODE": "many"}, HERE),
        ({"SLURM_JOB_ID": "1", "SLURM_CPUS_ON_NODE": "0"}, HERE),
        ({"PBS_JOBID": "1", "NCPUS": "5"}, 5),
        ({"PBS_JOBID": "1", "PBS_NUM_PPN": "6"}, 6),
        ({"NCPUS": "5"}, HERE),
    ],
)
def test_what_a_scheduler_gave(tmp_path: Path, environ: Mapping[str, str], expected: int) -> None:
    assert usable_cpus(environ, tmp_path) == expected
