"""What a minion of the demo answers when its runs, its failures, or their output are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from minionize.cause import cause_of
from minionize.stats.wire import SCHEMA, CauseWire, FailuresWire, FailureWire, OutputWire, TaskWire
from mtop.demo.cast import Member
from mtop.demo.numbers import BEGAN, bad_of, ended, kind_of
from mtop.demo.sweeps import BLACK_HOLE, Fault
from mtop.feed import Unanswered

__all__ = ["failures", "output", "run_of", "tasks"]

_KEPT = 40
_SAMPLES = 5
_PATIENCE = 300.0
"""Seconds after which a run times out."""

_STUCK = -1
"""The number of the run that never ends."""

_PATTERN = (0, 0, 1, 0, 2, 0, 1, 0, 0, 1)
"""Which fault comes how often."""


def tasks(member: Member, x: float) -> list[TaskWire]:
    """Return what runs in a minion."""
    course = member.course
    ended = course.ended(x)
    found = []
    for place, run in enumerate(_under_way(member, x)):
        random = _random(member, run)
        age = max(0.0, x - (course.stuck_since if run == _STUCK else course.started(ended + place - course.stuck, x)))
        param, id = member.sweep.param(random), f"{random.getrandbits(64):016x}"
        again = int((run + 1) * member.again + member.turn) > int(run * member.again + member.turn)
        sweep = member.sweep
        found.append(
            TaskWire(
                id=id, param=param, attempt=2 if again else 1, redelivered=again, slot=place + 1,
                pid=member.pid + 17 + run % 9_000, started=BEGAN + x - age, age=age,
                cpu=sweep.cores * random.uniform(0.9, 1.0), rss=int(sweep.memory * random.uniform(0.6, 1.1)),
            )
        )  # fmt: skip
    return found


def run_of(member: Member, x: float, id: str) -> int:
    """Return the number of a run under way.

    Raises:
        Unanswered: There is no such run.
    """
    for run in _under_way(member, x):
        if _id(member, run) == id:
            return run
    raise Unanswered(f"no param of the id {id} is running here")


def _under_way(member: Member, x: float) -> list[int]:
    """Return the numbers of the runs under way; the oldest first."""
    stands = member.course.standing(x)
    gone = member.killed.keys() | member.given_back.keys()
    stuck = [_STUCK] if member.course.stuck and stands.busy and _STUCK not in gone else []
    first = _numbered(member, stands.ended)
    runs = (run for run in range(first, first + stands.busy + len(gone)) if run not in gone)
    return [*stuck, *(run for run, _ in zip(runs, range(stands.busy - len(stuck)), strict=False))]


def _numbered(member: Member, count: int) -> int:
    """Return the number of the run that ends after so many, not counting those that were ended by orders."""
    number = count
    for gone in sorted([*member.killed, *member.given_back]):
        number += 0 <= gone <= number
    return number


def _random(member: Member, run: int) -> Random:
    return Random(f"{member.id}/{run}")


def _id(member: Member, run: int) -> str:
    random = _random(member, run)
    member.sweep.param(random)
    return f"{random.getrandbits(64):016x}"


def output(member: Member, x: float, id: str) -> OutputWire:
    """Return what a run has written until now: it grows while it runs.

    Raises:
        Unanswered: There is no such run.
    """
    task = next((task for task in tasks(member, x) if task["id"] == id), None)
    if task is None:
        raise Unanswered(f"no param of the id {id} is running here")
    random = Random(id)
    pace = member.seconds / 40.0
    steps = int(task["age"] / pace)
    lines = [f"{_clock(task['started'])} {task['param']}"]
    for step in range(steps):
        loss = 2.5 / (1.0 + 0.08 * step) + random.uniform(-0.05, 0.05)
        lines.append(f"step {step + 1:5}   loss {loss:.4f}   {random.uniform(180, 240):.1f} it/s")
    warning = "warning: 3 records were skipped\n" if steps > 12 else ""
    return OutputWire(id=id, stdout="\n".join(lines[-200:]) + "\n", stderr=warning)


def _clock(at: float) -> str:
    seconds = int(at) % 86_400
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def failures(member: Member, x: float) -> FailuresWire:
    """Return the last failures of a minion, and how often each cause was there."""
    x = min(x, member.dies)
    found = sorted([*_killed(member), *_last(member, x)], key=lambda failure: -failure["at"])[:_KEPT]
    by_cause: dict[str, list[FailureWire]] = {}
    for failure in found:
        by_cause.setdefault(failure["cause"], []).append(failure)
    done = ended(member, member.course.ended(x))
    total = done.failed + done.timed_out + len(member.killed)
    causes = []
    for cause, some in by_cause.items():
        # What is older had the same causes.
        count = max(len(some), round(total * len(some) / len(found)))
        first = some[-1]["at"] if count == len(some) else BEGAN + member.born + member.seconds
        samples = [each["id"] for each in some[:_SAMPLES]]
        causes.append(CauseWire(cause=cause, count=count, first=first, last=some[0]["at"], samples=samples))
    causes.sort(key=lambda cause: -cause["count"])
    return FailuresWire(schema=SCHEMA, total=total, causes=causes, failures=found)


def _last(member: Member, x: float) -> Iterator[FailureWire]:
    left = _KEPT
    for bad in range(bad_of(member, member.course.ended(x)) - 1, -1, -1):
        outcome, settled = kind_of(bad)
        if outcome is not None and left:
            left -= 1
            yield _failure(member, bad, outcome, settled)
        elif not left:
            return


def _failure(member: Member, bad: int, outcome: str, settled: str) -> FailureWire:
    number = _count(member, bad)
    random = _random(member, _numbered(member, number - 1))
    if member.fate == "black hole":
        fault = BLACK_HOLE
    else:
        faults = member.sweep.faults
        fault = faults[_PATTERN[(bad + member.number) % len(_PATTERN)] % len(faults)]
    at = member.course.when(number)
    failure = _evidence(member, random, fault, at, at - member.seconds * random.uniform(0.3, 1.4))
    if outcome == "timed_out":
        failure |= {
            "exit_code": None, "signal": 15, "reason": f"timed out after {_PATIENCE:g} s", "outcome": outcome,
            "stderr": f"waiting for the lock of node {random.randint(1, 99)}\n", "started": BEGAN + at - _PATIENCE,
        }  # fmt: skip
    failure["settled"] = settled
    failure["cause"] = cause_of(failure)
    return failure


def _count(member: Member, bad: int) -> int:
    """Return how many runs had ended with the one that did not succeed after so many others."""
    number = int((bad + 1 - member.turn) / member.bad)
    while bad_of(member, number) <= bad:
        number += 1
    return number


def _killed(member: Member) -> Iterator[FailureWire]:
    fault = Fault("", None, 15)
    for run, at in member.killed.items():
        failure = _evidence(member, _random(member, run), fault, at, at - member.seconds / 2)
        failure["reason"] = "it was killed on request"
        failure["cause"] = cause_of(failure)
        yield failure


def _evidence(member: Member, random: Random, fault: Fault, at: float, started: float) -> FailureWire:
    param = member.sweep.param(random)
    id = f"{random.getrandbits(64):016x}"
    numbers = {"{n}": str(random.randint(3, 9_999)), "{m}": str(random.randint(10, 99_999))}
    stderr = fault.stderr
    for name, number in numbers.items():
        stderr = stderr.replace(name, number)
    reason = f"exit code {fault.exit_code}" if fault.signal is None else f"killed by signal {fault.signal}"
    return FailureWire(
        id=id, param=param, slot=random.randint(1, 4), at=BEGAN + at, cause="", settled="dead", outcome="failed",
        exit_code=fault.exit_code, signal=fault.signal, reason=reason, stderr=stderr, argv=_argv(member, param),
        host=member.host, minion=member.id, attempt=1, started=BEGAN + started, ended=BEGAN + at,
    )  # fmt: skip


def _argv(member: Member, param: object) -> list[str]:
    known = {f"{{{name}}}": str(value) for name, value in param.items()} if isinstance(param, dict) else {}
    return [known.get(word, str(param) if word == "{}" else word) for word in member.sweep.command.split()]
