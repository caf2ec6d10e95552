"""When the job that a minion runs in will end, by what its scheduler says. A scheduler is one entry of a table."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Mapping
from typing import NamedTuple

from minionize.setting import clock_time

__all__ = ["SCHEDULERS", "Answer", "End", "Scheduler", "ends_of", "jobs_of", "resubmits"]


_NO_LIMIT = ("UNLIMITED", "NOT_SET", "INVALID", "N/A")


class Answer(NamedTuple):
    """What a scheduler's command said, in seconds; both None: the job has no end.

    Attributes:
        left: How long the job may still take.
        length: How long it may take from its beginning.
    """

    left: float | None = None
    length: float | None = None


class Scheduler(NamedTuple):
    """What is to be known of a scheduler.

    Attributes:
        name: For people.
        job: The variable with the job's id.
        ends: The variable with the end of the job, in Unix seconds; "" for none.
        lengths: Variables with the time that the job may take from its beginning; the first one that is set counts.
        ask: Makes the command that tells, for where no variable does.
        read: Reads what it printed; raises ValueError if that says nothing.
        stops: The signals that are a request to come again later; None: every one that stops a minion.
    """

    name: str
    job: str
    ends: str = ""
    lengths: tuple[str, ...] = ()
    ask: Callable[[Mapping[str, str]], tuple[str, ...]] | None = None
    read: Callable[[str], Answer] = lambda printed: Answer()
    stops: frozenset[int] | None = frozenset({signal.SIGUSR2})


class End(NamedTuple):
    """The end of a minion's time.

    Attributes:
        at: When, by the monotonic clock.
        what: What ends, in words.
        source: Who says so.
    """

    at: float
    what: str
    source: str


def _squeue(environ: Mapping[str, str]) -> tuple[str, ...]:
    # The id of an array's last task is also that of the array: it would tell of all its tasks.
    array, task = environ.get("SLURM_ARRAY_JOB_ID"), environ.get("SLURM_ARRAY_TASK_ID")
    job = f"{array}_{task}" if array and task else environ["SLURM_JOB_ID"]
    return ("squeue", "--noheader", f"--jobs={job}", "--format=%L")


def _read_squeue(printed: str) -> Answer:
    word = (printed.split() or [""])[0]
    if not word:
        raise ValueError("it does not tell of the job")
    return Answer() if word in _NO_LIMIT else Answer(left=_time_of("the time left", word))


def _time_of(what: str, word: str) -> float:
    try:
        return clock_time(word)
    except ValueError as error:
        raise ValueError(f"{what}, {word!r}, {error}") from None


def _qstat(environ: Mapping[str, str]) -> tuple[str, ...]:
    return ("qstat", "-f", environ["PBS_JOBID"])


def _read_qstat(printed: str) -> Answer:
    found = re.search(r"^\s*Resource_List\.walltime = (\S+)", printed, re.MULTILINE)
    if found:
        return Answer(length=_time_of("the walltime", found[1]))
    if "job_state" in printed:
        return Answer()
    raise ValueError("it does not tell of the job")


SCHEDULERS = (
    # Its checkpoint signal can be chosen, and it kills without a word: whatever comes means to come again.
    Scheduler("OAR", "OAR_JOB_ID", lengths=("OAR_JOB_WALLTIME_SECONDS", "OAR_JOB_WALLTIME"), stops=None),
    Scheduler("Slurm", "SLURM_JOB_ID", ends="SLURM_JOB_END_TIME", ask=_squeue, read=_read_squeue),
    Scheduler("PBS", "PBS_JOBID", lengths=("PBS_WALLTIME",), ask=_qstat, read=_read_qstat),
)
"""OAR, Slurm, PBS Pro and Torque."""


def jobs_of(environ: Mapping[str, str]) -> list[Scheduler]:
    """Return the schedulers in whose jobs this process is."""
    return [scheduler for scheduler in SCHEDULERS if environ.get(scheduler.job)]


def resubmits(environ: Mapping[str, str], number: int) -> bool:
    """Tell whether a stop by this signal asks to come again later, by exit code 99."""
    return any(each.stops is None or number in each.stops for each in jobs_of(environ))


def ends_of(
    scheduler: Scheduler,
    environ: Mapping[str, str],
    age: Callable[[], float],
    clock: Callable[[], float],
    wall: Callable[[], float],
    say: Callable[[str], None],
) -> End | None:
    """Return the end of a job, as far as its variables tell; what is nonsense is said, and ignored.

    Args:
        scheduler: Whose job it is.
        environ: The variables.
        age: For how many seconds the job has been running.
        clock: Seconds, monotonic.
        wall: Unix seconds.
        say: Tells the user.
    """
    for name in (scheduler.ends, *scheduler.lengths):
        words = environ.get(name)
        if not words:
            continue
        try:
            seconds = clock_time(words)
            left = seconds - (wall() if name == scheduler.ends else age())
            if left <= 0.0:
                raise ValueError("is over")
        except ValueError as error:
            say(f"environment {name}: {words!r} {error}; ignored")
            continue
        return End(clock() + left, "the job", scheduler.name)
    return None
