"""For how long a job has been running: by the oldest of its processes that we descend from."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from minionize.host import age_of_oldest

_TELL = "from minionize.host import age_of_oldest; print(age_of_oldest('OAR_JOB_ID', '7'))"


def _age(script: str, **environ: str) -> float:
    """What a process finds that a shell starts last in its script, which has its path as $1, its code as $2."""
    argv = ("sh", "-c", script, "sh", sys.executable, _TELL)
    done = subprocess.run(argv, env={**os.environ, **environ}, capture_output=True, text=True, check=True, timeout=60)
    return float(done.stdout)


def test_the_jobs_first_process_counts() -> None:
    assert _age('sleep 1; "$1" -c "$2"; true', OAR_JOB_ID="7") >= 1.0


def test_also_beyond_one_that_has_another_environment() -> None:
    assert (
        _age('sleep 1; env -u OAR_JOB_ID sh -c \'OAR_JOB_ID=7 "$0" -c "$1"; true\' "$1" "$2"; true', OAR_JOB_ID="7")
        >= 1.0
    )


def test_what_began_before_the_job_does_not_count() -> None:
    began = time.monotonic()
    age = _age('sleep 1; OAR_JOB_ID=7 "$1" -c "$2"; true', OAR_JOB_ID="6")
    assert age <= time.monotonic() - began - 0.9


def test_without_any_it_is_our_own_age() -> None:
    began = time.monotonic()
    assert 0.0 < age_of_oldest("OAR_JOB_ID", "no such job") < began
