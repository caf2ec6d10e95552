"""How many CPUs this process may use: by its affinity, by a container's limit, and by what a scheduler gave it."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath

__all__ = ["usable_cpus"]

# Of a job: the variable with its id, and those that tell of its CPUs on this node. Not every site binds jobs to CPUs.
# man sbatch, "OUTPUT ENVIRONMENT VARIABLES"; PBS Professional's Reference Guide and Torque's qsub(1), likewise.
_JOBS = {"SLURM_JOB_ID": ("SLURM_CPUS_ON_NODE",), "PBS_JOBID": ("NCPUS", "PBS_NUM_PPN")}


def usable_cpus(environ: Mapping[str, str] | None = None, root: Path = Path("/")) -> int:
    """Tell how many CPUs this process may use, 1 or more.

    Args:
        environ: Variables; None: those of this process.
        root: Where ``proc`` and ``sys`` are.
    """
    limits = [len(os.sched_getaffinity(0)), *_given(os.environ if environ is None else environ), *_quotas(root)]
    return max(1, math.ceil(min(limits)))


def _given(environ: Mapping[str, str]) -> Iterator[int]:
    for job, names in _JOBS.items():
        for name in names if environ.get(job) else ():
            with suppress(ValueError):
                if (number := int(environ.get(name, ""))) > 0:
                    yield number


def _quotas(root: Path) -> Iterator[float]:
    """Yield the share of time that this process's control groups have, in CPUs: what Docker and Kubernetes limit.

    Source: the Linux kernel's cgroup-v2.rst, and sched-bwc.rst for version 1.
    """
    for folder, unified in _groups(root):
        with suppress(OSError, ValueError, ZeroDivisionError):
            if unified:
                quota, period = (folder / "cpu.max").read_text().split()
            else:
                quota, period = ((folder / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
            # No limit is "max", or -1.
            if (share := int(quota) / int(period)) > 0.0:
                yield share


def _groups(root: Path) -> Iterator[tuple[Path, bool]]:
    """Yield the directories of this process's groups that limit CPUs, the outer ones too, and whether of version 2."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers and "cpu" not in controllers.split(","):
            continue
        mounted = root / "sys/fs/cgroup" / controllers
        # In a container the path may be that of the host, while what is mounted is the container's own group.
        inner = PurePosixPath(path.lstrip("/"))
        for each in (inner, *inner.parents):
            yield mounted / each, not controllers
