"""Failures of many minions, grouped by what they have in common. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from minionize.stats.wire import FailuresWire, FailureWire
from mtop.model.minion import Minion

__all__ = ["Group", "Sample", "merge", "own_time"]

_SAMPLES = 100
"""Samples that are kept of a group: the last ones."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One param that failed.

    Attributes:
        minion: Where it failed.
        id: The param's id.
        age: Seconds since it failed; None where no more than its id is known.
        failure: Its evidence, as far as the minion still has it.
    """

    minion: Minion
    id: str
    age: float | None = None
    failure: FailureWire | None = None

    @property
    def key(self) -> str:
        """Tells it apart from all others."""
        started = self.failure["started"] if self.failure else None
        return f"{self.minion.key} {self.id} {started}"


@dataclass(slots=True)
class Group:
    """Failures of one cause.

    Attributes:
        cause: How they ended, and the last thing that they said.
        count: How many, of all minions.
        first, last: Seconds since the first and the last one, by the clocks of their own minions.
        hosts: Where they failed; ``minions``: the keys of the minions.
        samples: Some of them, the last one first.
    """

    cause: str
    count: int = 0
    first: float = 0.0
    last: float = float("inf")
    hosts: set[str] = field(default_factory=set)
    minions: set[str] = field(default_factory=set)
    samples: list[Sample] = field(default_factory=list)


def own_time(minion: Minion) -> float:
    """Return what a minion's own clock shows now: its times are compared with this one, never with another host's."""
    return minion.said["started"] + minion.uptime + ((minion.age or 0.0) if minion.ended else 0.0)


def merge(told: Iterable[tuple[Minion, FailuresWire]]) -> list[Group]:
    """Put together what minions tell of their failures.

    Args:
        told: Each minion once, with what it told just now.

    Returns:
        The groups, the most frequent first.
    """
    groups: dict[str, Group] = {}
    for minion, failures in told:
        _add(groups, minion, failures)
    for group in groups.values():
        group.samples.sort(key=lambda sample: float("inf") if sample.age is None else sample.age)
        del group.samples[_SAMPLES:]
    return sorted(groups.values(), key=lambda group: (-group.count, group.last, group.cause))


def _add(groups: dict[str, Group], minion: Minion, failures: FailuresWire) -> None:
    now = own_time(minion)
    evidence: dict[str, list[FailureWire]] = {}
    for failure in failures["failures"]:
        evidence.setdefault(failure["cause"], []).append(failure)
    for told in failures["causes"]:
        group = groups.setdefault(told["cause"], Group(told["cause"]))
        group.count += max(0, told["count"])
        group.first = max(group.first, now - told["first"])
        group.last = min(group.last, max(0.0, now - told["last"]))
        group.hosts.add(minion.said["host"])
        group.minions.add(minion.key)
        known = evidence.get(told["cause"], ())
        group.samples += (Sample(minion, each["id"], max(0.0, now - each["at"]), each) for each in known)
        seen = {each["id"] for each in known}
        group.samples += (Sample(minion, id) for id in told["samples"] if id not in seen)
