"""Who is in the demo: its minions, all that does not change about them, and what happens to each."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from random import Random
from typing import Literal, TypeAlias

from minionize.stats.histogram import SHOWN
from minionize.stats.wire import Latency
from mtop.demo.course import Course, Wave
from mtop.demo.sweeps import QUIET, SWEEPS, Sweep

__all__ = ["BEAT", "Fate", "Member", "cast_of"]

BEAT = 3.0
"""Seconds between two heartbeats: few, so that something is seen to happen."""

Fate: TypeAlias = Literal[
    "works", "black hole", "straggler", "dies", "idle", "lost", "stopped", "leaves", "paused", "stale", "draining",
    "arrives", "starting", "unreachable",
]  # fmt: skip

_FATES: tuple[tuple[Fate, int, int], ...] = (
    # What, how many minions there must be so that it happens to one, and to how many more it happens to another.
    ("straggler", 4, 300), ("dies", 3, 10**9), ("idle", 5, 40), ("black hole", 11, 10**9), ("leaves", 7, 10**9),
    ("lost", 8, 90), ("stopped", 9, 60), ("paused", 10, 150), ("stale", 12, 200), ("draining", 14, 250),
    ("arrives", 15, 400), ("starting", 16, 250), ("unreachable", 20, 150),
)  # fmt: skip

_SPREAD = 0.62
"""How much the times of runs differ: the standard deviation of their logarithms."""

_GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0

_VERSIONS = ("1.0.0", "1.0.0", "1.0.0", "1.0.0", "0.9.4")


@dataclass(slots=True)
class Member:
    """One minion of the demo. Times are seconds since the demo began, so most of them are below 0.

    Attributes:
        number: Which one.
        id, host, pid, labels, version: As it says them.
        sweep: What it works at.
        fate: What happens to it.
        born: When it started.
        dies: After when nothing is heard of it.
        shown: From when on it is there.
        course: Its runs.
        bad, again: Shares of its runs that do not succeed, and of those that were delivered before.
        turn: Where in all that is shared out it begins, of one.
        quantiles: How long half, 95 % and 99 % of its runs took at most.
        below: For each bound of the histogram, the share of its runs that took no longer.
        kept: How many runs had ended when its latency was last asked for, and that.
        killed: Runs that were ended by orders, and when; ``given_back``: those that were requeued.
    """

    number: int
    id: str
    host: str
    pid: int
    labels: dict[str, str]
    version: str
    sweep: Sweep
    fate: Fate
    born: float
    course: Course
    bad: float
    again: float
    turn: float
    quantiles: tuple[float, float, float]
    below: list[tuple[float | None, float]]
    dies: float = math.inf
    shown: float = -math.inf
    kept: tuple[int, Latency] | None = None
    killed: dict[int, float] = field(default_factory=dict)
    given_back: dict[int, float] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """How long its runs take, on average."""
        return self.course.seconds


def cast_of(count: int, seed: int) -> list[Member]:
    """Make so many minions, always the same ones."""
    random = Random(f"mtop/{seed}")
    fates = _fates(count, random)
    # Shared out rather than drawn by lot: also a few minions are a mix.
    places = [sweep for sweep in SWEEPS for _ in range(sweep.share)]
    first = random.random()
    queues = [places[int((first + number * _GOLDEN) % 1.0 * len(places))] for number in range(count)]
    return [_member(number, fates.get(number, "works"), queues[number], seed) for number in range(count)]


def _fates(count: int, random: Random) -> dict[int, Fate]:
    fates = [fate for fate, least, more in _FATES if count >= least for _ in range(1 + (count - least) // more)]
    return dict(zip(random.sample(range(count), len(fates)), fates, strict=True))


def _member(number: int, fate: Fate, sweep: Sweep, seed: int) -> Member:
    random = Random(f"mtop/{seed}/{number}")
    if fate == "idle":
        sweep = QUIET
    elif fate == "black hole":
        sweep = SWEEPS[1]
    elif fate in ("straggler", "dies", "leaves", "paused", "draining", "stale"):
        # The user's own, whose runs take long enough to be looked into.
        sweep = SWEEPS[0]
    place = number if fate != "black hole" else 6_066
    host, pid = sweep.host(place), random.randint(1_200, 64_000)
    seconds = sweep.seconds * random.uniform(0.85, 1.2)
    bad = sweep.bad * random.uniform(0.4, 1.6)
    if fate == "black hole":
        # A fifth of the time, and nothing comes of it.
        seconds, bad = sweep.seconds / 5, 0.97
    member = Member(
        number=number, id=f"{host.partition('.')[0]}-{pid}-{random.getrandbits(32):08x}", host=host, pid=pid,
        labels=sweep.job(place), version=random.choice(_VERSIONS), sweep=sweep, fate=fate,
        born=-random.uniform(1_500.0, 30_000.0), course=Course(_wave(random), seconds), bad=bad,
        again=random.uniform(0.0, 0.012) if random.random() < 0.3 else 0.0, turn=random.random(),
        quantiles=_quantiles(seconds), below=_below(seconds),
    )  # fmt: skip
    _live(member, random, 4 if fate == "black hole" else random.choice(sweep.slots))
    return member


def _wave(random: Random) -> Wave:
    return Wave(random.uniform(0.15, 0.6), random.uniform(45.0, 260.0), random.uniform(0.0, 2.0 * math.pi))


def _live(member: Member, random: Random, slots: int) -> None:
    """Have its fate happen to it."""
    course, fate = member.course, member.fate
    if fate in ("starting", "arrives"):
        member.born = member.shown = -4.0 if fate == "starting" else 12.0
        course.turn(member.born, "starting", slots)
        course.turn(45.0 if fate == "starting" else 18.0, "running")
        return
    if fate == "black hole":
        member.born = -1_500.0
    if fate == "straggler":
        course.stuck, course.stuck_since = 1, -1_870.0
    elif random.random() < 0.2:
        course.spare = 1
    course.turn(member.born, "running", slots)
    if fate == "lost":
        member.dies = -random.uniform(150.0, 1_200.0)
    elif fate == "dies":
        member.dies = 40.0
    elif fate == "stopped":
        course.turn(-random.uniform(200.0, 1_300.0), "draining")
    elif fate == "leaves":
        course.turn(60.0, "draining")
    elif fate == "draining":
        course.turn(-4.0, "draining")
    elif fate == "paused":
        course.turn(-300.0, "paused")
    elif fate == "idle":
        course.turn(-900.0, "idle")


def _quantiles(seconds: float) -> tuple[float, float, float]:
    """Return quantiles of the times of runs. Their logarithms are spread normally."""
    middle = math.log(seconds) - _SPREAD**2 / 2
    return math.exp(middle), math.exp(middle + 1.645 * _SPREAD), math.exp(middle + 2.326 * _SPREAD)


def _below(seconds: float) -> list[tuple[float | None, float]]:
    """Return the shares of runs that take no longer than each bound."""
    middle = math.log(seconds) - _SPREAD**2 / 2
    scale = _SPREAD * math.sqrt(2.0)
    shares = [(bound, 0.5 + 0.5 * math.erf((math.log(bound) - middle) / scale)) for bound in SHOWN]
    return [*shares, (None, 1.0)]
