"""The meters: ONE entry in METERS adds one to the head. A meter reads the fleet; a mode draws what it has read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from mtop.feed import Cost
from mtop.format import Glyphs, age, bar, count, duration, percent, rate, sparkline, width
from mtop.model.fleet import Fleet
from mtop.model.totals import Totals

__all__ = ["METERS", "MODES", "Meter", "Part", "Reading", "draw"]

_BESIDE = 26
"""Cells beside a graph for words, where there is room for both."""

MODES = ("bar", "text", "graph", "off")

Part: TypeAlias = tuple[str, str]
"""Some words, and the role that they have."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a meter reads.

    Attributes:
        text: In words.
        brief: In fewer words, where there is little room.
        share: How full a bar is, up to 1; None: it has none.
        past: Its values of late; empty: no graph.
        top: What a graph shows as full; None: its highest value.
    """

    text: Sequence[Part]
    brief: Sequence[Part] = ()
    share: float | None = None
    past: Sequence[float] = field(default_factory=tuple)
    top: float | None = None


@dataclass(frozen=True, slots=True)
class Meter:
    """One meter.

    Attributes:
        key: Its name in the configuration.
        title: What stands before it.
        mode: How it is drawn where nobody has chosen.
        read: Reads it off a fleet; told what it costs to be told, and the seconds of processor that mtop needs for one.
        role: The role of its bar or graph.
        help: What it tells.
    """

    key: str
    title: str
    mode: str
    read: Callable[[Fleet, Cost, float], Reading]
    role: str
    help: str


def _done(fleet: Fleet, cost: Cost, cpu: float) -> Reading:
    sums = fleet.totals
    total = (f"  {count(sums.counters['succeeded'])} in all", "dim")
    return Reading([(f"{rate(sums.done):>5}", "good"), total], past=fleet.past["done"].values(), top=_top(fleet))


def _top(fleet: Fleet) -> float:
    """Return the highest rate of all: what fails is drawn to the same scale as what is done."""
    return max((value for past in fleet.past.values() for value in past.values()), default=0.0)


def _failed(fleet: Fleet, cost: Cost, cpu: float) -> Reading:
    sums = fleet.totals
    failed = sum(sums.counters[name] for name in ("failed", "timed_out", "could_not_start"))
    words: list[Part] = [
        (f"{rate(sums.failed):>5}", "bad" if sums.failed else "dim"),
        (f"  {count(failed)} in all", "dim"),
    ]
    if sums.counters["dead"]:
        words.append((f", {count(sums.counters['dead'])} dead", "bad"))
    if sums.suspects:
        words.append((f", {_many(sums.suspects, 'minion')} on black holes", "bad"))
    return Reading(words, past=fleet.past["failed"].values(), top=_top(fleet))


def _redelivered(fleet: Fleet, cost: Cost, cpu: float) -> Reading:
    sums = fleet.totals
    words: list[Part] = [(f"{rate(sums.redelivered):>5}", "warn" if sums.redelivered else "dim")]
    words.append((f"  {count(sums.counters['redelivered'])} in all", "dim"))
    if sums.counters["crashed"]:
        words.append((f", {count(sums.counters['crashed'])} crashed", "warn"))
    return Reading(words, past=fleet.past["redelivered"].values(), top=_top(fleet))


def _slots(fleet: Fleet, cost: Cost, cpu: float) -> Reading:
    sums = fleet.totals
    share = sums.busy / sums.slots if sums.slots else 0.0
    numbers = f"{count(sums.busy)}/{count(sums.slots)}"
    words: list[Part] = [(numbers, "accent"), (f" {percent(share)} busy", "dim")]
    if sums.stragglers:
        words.append((f", {_many(sums.stragglers, 'straggler')}", "warn"))
    return Reading(words, [(numbers, "accent")], share)


def _backlog(fleet: Fleet, cost: Cost, cpu: float) -> Reading:
    sums = fleet.totals
    if sums.ready is None:
        return Reading([("?", "dim")])
    about = "" if sums.exact else "~"
    words: list[Part] = [(f"{about}{count(sums.ready)} ready", "accent"), *_eta(sums)]
    brief: list[Part] = [(f"{about}{count(sums.ready)}", "accent"), *_eta(sums)]
    more: list[Part] = []
    if sums.in_flight:
        more.append((f", {count(sums.in_flight)} in flight", "dim"))
    if sums.dead:
        more.append((f", {count(sums.dead)} dead", "bad"))
    return Reading(words + more, brief)


def _eta(sums: Totals) -> list[Part]:
    if sums.stalled:
        return [(" ", ""), ("stalled", "bad")]
    if not sums.ready:
        return []
    if sums.eta is not None:
        return [(f" ETA {age(sums.eta)}", "title")]
    known = [queue.eta for queue in sums.queues if queue.eta]
    return [(f" ETA >{age(max(known))}", "title")] if known else [(" ETA ?", "dim")]


def _minions(fleet: Fleet, cost: Cost, cpu: float) -> Reading:
    sums = fleet.totals
    words: list[Part] = [(f"{count(sums.live)} live", "good" if sums.live else "dim")]
    brief = list(words)
    for state, role in (("lost", "bad"), ("stale", "warn"), ("stopped", "dim"), ("unknown", "dim")):
        if sums.states[state]:
            some = (f", {count(sums.states[state])} {state}", role)
            brief.append(some)
            words.append(some)
            if state == "lost" and sums.lost_params:
                words.append((f" with {_many(sums.lost_params, 'param')}", role))
    words += [
        (f", {count(sums.states[state])} {state}", "dim") for state in ("paused", "draining") if sums.states[state]
    ]
    return Reading(words, brief)


def _many(number: int, what: str) -> str:
    return f"{count(number)} {what}{'' if number == 1 else 's'}"


def _cost(fleet: Fleet, cost: Cost, cpu: float) -> Reading:
    words: list[Part] = [(f"{cpu * 100:.0f}%", "accent"), (" of a core", "dim")]
    if cost.polls or cost.failing:
        words.append((f", {rate(cost.polls)} polls/s", "dim"))
    if cost.took is not None:
        words.append((f" of {duration(cost.took)}", "dim"))
    if cost.failing:
        words.append((f", {count(cost.failing)} fail", "warn"))
    return Reading(words, share=cpu)


METERS: tuple[Meter, ...] = (
    Meter("done", "Done/s", "graph", _done, "good", "runs that succeed per second"),
    Meter("failed", "Failed/s", "graph", _failed, "bad", "runs that fail or time out per second"),
    Meter("redelivered", "Redeliv/s", "graph", _redelivered, "warn", "params per second that come again"),
    Meter("cost", "mtop", "text", _cost, "accent", "what mtop itself needs: processor, polls per second, their time"),
    Meter("slots", "Slots", "bar", _slots, "good", "slots in which a param runs, of all"),
    Meter("backlog", "Backlog", "text", _backlog, "accent", "params that wait, and when they will all be done"),
    Meter("minions", "Minions", "text", _minions, "good", "how many live, and how many give no sign of life"),
)
"""All meters, in the order in which they stand."""


def draw(meter: Meter, mode: str, reading: Reading, cells: int, glyphs: Glyphs) -> list[Part]:
    """Draw a meter as one line of so many cells at most.

    Args:
        meter: Which one.
        mode: How; a mode that it cannot be drawn in falls back to text.
        reading: What it has read.
        cells: The room.
        glyphs: What to draw with.
    """
    title = f"{meter.title:<9} "
    room = cells - width(title)
    parts: list[Part] = [(title, "title")]
    if mode == "bar" and reading.share is not None:
        numbers = list(reading.brief or reading.text)
        length = max(4, min(40, room - _long(numbers) - 3))
        return [*parts, ("[", "dim"), (bar(reading.share, length, glyphs), meter.role), ("] ", "dim"), *numbers]
    words = list(reading.text)
    if mode != "graph" and _long(words) > room:
        words = _fitting(reading.brief or words, room)
    if mode == "graph" and reading.past:
        # All graphs stand below each other, so all leave the same room for words.
        left = room - _long(words[:1]) - 1
        beside = _BESIDE if left > 2 * _BESIDE else 0
        length = min(60, left - beside)
        words = words[:1] + (_fitting(words[1:], beside) if beside else [])
        graph = sparkline(reading.past, max(0, length), glyphs, reading.top)
        return [*parts, words[0], (" ", ""), (graph, meter.role if any(reading.past) else "dim"), *words[1:]]
    return parts + words


def _fitting(parts: Sequence[Part], room: int) -> list[Part]:
    """Return as many parts as there is room for: better none than half of one."""
    shown: list[Part] = []
    for part in parts:
        room -= width(part[0])
        if room < 0 and shown:
            break
        shown.append(part)
    return shown


def _long(parts: Sequence[Part]) -> int:
    return sum(width(words) for words, _ in parts)
