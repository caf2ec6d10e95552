"""A minion as it stands in a recording: a few texts, and whole numbers of which only the changes are written.

Counters are exact. Times of mtop's clock and ages are rounded to the hundredth of a second; rates, durations and what
is used of the machine by less than one part in a hundred: what is noise is not worth its bytes.

Neither the URL nor the token of a minion is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, islice
from typing import TypedDict, TypeVar, get_args

from minionize.stats import COUNTERS
from minionize.stats.wire import SCHEMA, BacklogSeen, Counters, InFlight, Latency, Rated, Resources, State, StatsWire
from mtop.model.minion import Signs, Via

__all__ = ["FIELDS", "GLANCED", "WORDS", "Bad", "Row", "glance", "pack", "unpack"]

WORDS = ("name", "id", "host", "user", "version", "engine", "queue", "command", "why", "trouble")
"""The texts of a row, in their order; ``name`` is the key of the minion in the fleet that is replayed."""

FIELDS = (
    "via", "every", "left", "gone", "heard", "beat", "answered", "failing", "took",
    "window", "succeeded_rate", "failed_rate", "redelivered_rate",
    "state", "pid", "started", "born", "slots", "busy", *COUNTERS, "count", "sum", "p50", "p95", "p99",
    "in_flight", "oldest", "exact", "ready", "queue_in_flight", "dead_in_queue", "as_of",
    "cpu", "rss", "children_cpu", "children_rss",
)  # fmt: skip
"""The numbers of a row, in their order; behind them stands how many runs each bucket of the histogram holds."""

_Name = TypeVar("_Name", bound=str)
_STATES: tuple[State, ...] = get_args(State)
_VIAS: tuple[Via, ...] = get_args(Via)
_NONE = -(2**50)
_TOP = 2**50 - 1
_HIGH = 2**49
_BITS = 7
_BUCKETS = 200
_LABELS = 50
_LONGEST = 1_000
_TICKS = 100
_KIB = 1024

_HISTOGRAM = len(FIELDS)
_HEARD, _RATES = FIELDS.index("heard"), FIELDS.index("window")

GLANCED = FIELDS.index("state")
"""So many numbers are needed for the history of a minion."""


class Bad(ValueError):  # noqa: N818 - an answer about a file, seen by nobody but its reader
    """This is no row of a recording."""


class Row(TypedDict):
    """One minion, whole. ``bounds`` are those of its histogram; ``numbers`` are FIELDS, then one for each bound."""

    words: list[str]
    labels: dict[str, str]
    bounds: list[float | None]
    numbers: list[int]


def pack(name: str, said: StatsWire, signs: Signs, start: float) -> Row:
    """Make the row of a minion.

    Args:
        name: Its key.
        said: Its numbers.
        signs: What else is known of it.
        start: The time that is zero in the recording.
    """
    words = (
        name, said["id"], said["host"], said["user"], said["version"], said["engine"], said["queue"], said["command"],
        said["why"], signs.trouble or "",
    )  # fmt: skip
    labels = islice(said["labels"].items(), _LABELS)
    buckets = said["latency"]["buckets"][:_BUCKETS]
    numbers = [*_signs(signs, start), *_numbers(said, signs.heard_at - start)]
    below = 0
    for _, count in buckets:
        numbers.append(count - below)
        below = count
    if max(numbers) > _TOP or min(numbers) < _NONE:
        numbers = [_HIGH if number > _TOP else -_HIGH if number < _NONE else number for number in numbers]
    return Row(
        words=[_text(word) for word in words], labels={_text(name): _text(value) for name, value in labels},
        bounds=[bound for bound, _ in buckets], numbers=numbers,
    )  # fmt: skip


def _text(text: str) -> str:
    """Cut what is too long, and leave out what is half a character: nobody could read the line."""
    return text if len(text) <= _LONGEST and text.isascii() else text[:_LONGEST].encode("utf-8", "replace").decode()


def _signs(signs: Signs, start: float) -> list[int]:
    def ticks(at: float | None) -> int:
        return _NONE if at is None else round((at - start) * _TICKS)

    return [
        _VIAS.index(signs.via), round(signs.every * 1000), int(signs.left), int(signs.gone), ticks(signs.heard_at),
        ticks(signs.beat_at), ticks(signs.answered_at), ticks(signs.failing_since),
        _NONE if signs.took is None else _brief(signs.took * 1e6, 2),
    ]  # fmt: skip


def _numbers(said: StatsWire, heard: float) -> list[int]:
    rates, latency, used = said["rates"], said["latency"], said["resources"]
    counters, in_flight = said["counters"], said["in_flight"]
    oldest = in_flight["oldest"]
    ended = _ended(counters)
    return [
        round(rates["window"] * 1000), _brief(rates["succeeded"] * 1e4), _brief(rates["failed"] * 1e4),
        _brief(rates["redelivered"] * 1e4),
        # When it was born, not how old it is: that need not be written again with each poll. So for the oldest run.
        _STATES.index(said["state"]), said["pid"], round(said["started"] * 1000),
        round((heard - said["uptime"]) * _TICKS), said["slots"], said["busy"],
        # What follows from other numbers is written as how far it is from that: always the same.
        counters["received"] - ended - in_flight["count"],
        *[counters[name] for name in COUNTERS[1:]],  # type: ignore[literal-required]
        latency["count"] - ended, _brief(latency["sum"] * 1000),
        _time(latency["p50"]), _time(latency["p95"]), _time(latency["p99"]), in_flight["count"],
        _NONE if oldest is None else round((heard - oldest) * _TICKS), *_backlog(said["backlog"]),
        _brief(used["cpu"] * 1000), _brief(used["rss"] / _KIB), _brief(used["children_cpu"] * 1000),
        _brief(used["children_rss"] / _KIB),
    ]  # fmt: skip


def _ended(counters: Counters) -> int:
    return (
        counters["succeeded"] + counters["failed"] + counters["timed_out"] + counters["could_not_start"]
        + counters["preempted"] + counters["lease_lost"]
    )  # fmt: skip


def _brief(number: float, bits: int = _BITS) -> int:
    whole = round(number)
    over = whole.bit_length() - bits
    return whole if over <= 0 else (whole + (1 << over - 1) >> over) << over


def _time(seconds: float | None) -> int:
    return _NONE if seconds is None else _brief(seconds * 1e6)


def _backlog(seen: BacklogSeen | None) -> list[int]:
    if seen is None:
        return [_NONE] * 5
    known = (_NONE if number is None else number for number in (seen["ready"], seen["in_flight"], seen["dead"]))
    return [int(seen["exact"]), *known, round(seen["as_of"] * 1000)]


def unpack(row: Row, numbers: Sequence[int]) -> tuple[StatsWire, Signs]:
    """Make a minion of a row; times are seconds since the start of the recording.

    Args:
        row: Its texts.
        numbers: As they are now.

    Raises:
        Bad: This is none.
    """
    if max(numbers) > _TOP or min(numbers) < _NONE:
        raise Bad("a number is too large")
    rates, signs = glance(row, numbers)
    return _said(row, numbers, rates), signs


def glance(row: Row, numbers: Sequence[int]) -> tuple[Rated, Signs]:
    """Return only what the history of a minion is made of; ``numbers`` are the first GLANCED ones.

    Raises:
        Bad: This is no row.
    """
    via, every, left, gone, heard, beat, answered, failing, took = numbers[:_RATES]
    window, succeeded, failed, redelivered = numbers[_RATES:GLANCED]
    rates = Rated(window=window / 1000, succeeded=succeeded / 1e4, failed=failed / 1e4, redelivered=redelivered / 1e4)
    return rates, Signs(
        _of(_VIAS, via), every / 1000, bool(left), bool(gone), heard / _TICKS, _scaled(beat, _TICKS),
        _scaled(answered, _TICKS), _scaled(failing, _TICKS), row["words"][-1] or None, _scaled(took, 1e6),
    )  # fmt: skip


def _said(row: Row, numbers: Sequence[int], rates: Rated) -> StatsWire:
    _, id, host, user, version, engine, queue, command, why, _ = row["words"]
    heard = numbers[_HEARD]
    (
        state, pid, started, born, slots, busy, beyond, succeeded, failed, timed_out, could_not_start, retried,
        preempted, redelivered, crashed, dead, lease_lost, more, total, p50, p95, p99, in_flight, oldest, exact, ready,
        taken, given_up, as_of, cpu, rss, children_cpu, children_rss,
    ) = numbers[GLANCED:_HISTOGRAM]  # fmt: skip
    ended = succeeded + failed + timed_out + could_not_start + preempted + lease_lost
    return StatsWire(
        schema=SCHEMA, id=id, host=host, pid=pid, user=user, version=version, engine=engine, queue=queue,
        command=command, labels=row["labels"], state=_of(_STATES, state), why=why, started=started / 1000,
        uptime=(heard - born) / _TICKS, slots=slots, busy=busy,
        counters=Counters(
            received=beyond + ended + in_flight, succeeded=succeeded, failed=failed, timed_out=timed_out,
            could_not_start=could_not_start, retried=retried, preempted=preempted, redelivered=redelivered,
            crashed=crashed, dead=dead, lease_lost=lease_lost),
        rates=rates,
        latency=Latency(
            count=more + ended, sum=total / 1000, p50=_scaled(p50, 1e6), p95=_scaled(p95, 1e6), p99=_scaled(p99, 1e6),
            buckets=list(zip(row["bounds"], accumulate(numbers[_HISTOGRAM:]), strict=True))),
        in_flight=InFlight(count=in_flight, oldest=None if oldest == _NONE else (heard - oldest) / _TICKS),
        backlog=None if exact == _NONE else BacklogSeen(
            ready=_optional(ready), in_flight=_optional(taken), dead=_optional(given_up), exact=bool(exact),
            as_of=as_of / 1000),
        resources=Resources(
            cpu=cpu / 1000, rss=rss * _KIB, children_cpu=children_cpu / 1000, children_rss=children_rss * _KIB),
    )  # fmt: skip


def _of(names: tuple[_Name, ...], index: int) -> _Name:
    if not 0 <= index < len(names):
        raise Bad("a state has no name")
    return names[index]


def _scaled(number: int, scale: float) -> float | None:
    return None if number == _NONE else number / scale


def _optional(number: int) -> int | None:
    return None if number == _NONE else number
