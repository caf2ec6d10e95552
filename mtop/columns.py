"""The columns: ONE entry in COLUMNS adds a column to the grid, the menus, filters, --once, --json and --csv."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from mtop.format import Glyphs, age, count, duration, rate, safe, size, sparkline
from mtop.model.history import CELLS
from mtop.model.minion import Minion

__all__ = ["COLUMNS", "DEFAULT", "Column", "Value", "by_key", "cell", "fitting"]

Value: TypeAlias = str | int | float | None
Draw: TypeAlias = Callable[[Callable[[str], Value], Sequence[float], Glyphs], str]


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        key: Its name, in JSON, filters, and the configuration.
        title: What stands above it.
        width: Cells.
        rank: Columns of the highest rank are left out first where the screen is narrow.
        value: What is sorted, filtered and sent as JSON.
        show: Writes a value; of several minions in one row, their sum.
        sum: What a group shows of the values of its minions; None: nothing.
        right: Whether it stands at the right.
        falls: Whether the first sort by it puts the highest first.
        role: What it means for the eye (a role of the theme), by row.
        help: What it tells.
        fixed: Whether its value stays the same as long as a minion lives.
        draw: Writes the cell where a value alone is not enough: told the values of the row by key, its history, and
            what the terminal can draw.
        unit: What its numbers count: "s" for seconds, "B" for bytes, "" for things.
    """

    key: str
    title: str
    width: int
    rank: int
    value: Callable[[Minion], Value]
    show: Callable[[Value], str]
    help: str
    sum: Callable[[Sequence[Value]], Value] | None = None
    right: bool = True
    falls: bool = True
    role: Callable[[Minion], str] = lambda minion: ""
    draw: Draw | None = None
    fixed: bool = False
    unit: str = ""


_OFTEN = 0.1


def _number(value: Value) -> float:
    return value if isinstance(value, int | float) else 0


def _known(values: Sequence[Value]) -> list[float]:
    return [value for value in values if isinstance(value, int | float)]


def _total(values: Sequence[Value]) -> Value:
    known = _known(values)
    return sum(known) if known else None


def _highest(values: Sequence[Value]) -> Value:
    return max(_known(values), default=None)


def _lowest(values: Sequence[Value]) -> Value:
    return min(_known(values), default=None)


def _same(values: Sequence[Value]) -> Value:
    """Return what all have in common; how many there are where they differ."""
    different = set(values)
    return values[0] if len(different) == 1 else f"({len(different)})" if different else None


def _of(shown: Callable[[float | None], str]) -> Callable[[Value], str]:
    return lambda value: shown(value if isinstance(value, int | float) else None)


def _text(value: Value) -> str:
    return safe("" if value is None else value)


def _counter(name: str) -> Callable[[Minion], Value]:
    return lambda minion: int(minion.said["counters"][name])  # type: ignore[literal-required]


def _failed(minion: Minion) -> Value:
    counters = minion.said["counters"]
    return counters["failed"] + counters["timed_out"] + counters["could_not_start"]


def _label(name: str) -> Callable[[Minion], Value]:
    return lambda minion: minion.said["labels"].get(name)


def _bad(name: str, role: str) -> Callable[[Minion], str]:
    return lambda minion: role if minion.said["counters"][name] else "dim"  # type: ignore[literal-required]


def _failing(minion: Minion) -> str:
    """Mark who fails now, or more often than now and then; what happened once is plain."""
    failed = _number(_failed(minion))
    if not failed:
        return "dim"
    ended = failed + minion.said["counters"]["succeeded"]
    return "bad" if minion.failed_rate > 0 or failed > _OFTEN * ended else ""


def _state_role(minion: Minion) -> str:
    return f"state-{minion.state}"


def _slots(minion: Minion) -> Value:
    return minion.said["slots"]


def _busy(minion: Minion) -> Value:
    return 0 if minion.ended else minion.said["busy"]


def _cpu(minion: Minion) -> Value:
    used = minion.said["resources"]
    return 0.0 if minion.ended else round(used["cpu"] + used["children_cpu"], 3)


def _memory(minion: Minion) -> Value:
    used = minion.said["resources"]
    return 0 if minion.ended else used["rss"] + used["children_rss"]


def _lost(minion: Minion) -> Value:
    """Params that were in flight in a minion that is lost: nobody runs them now."""
    return minion.said["in_flight"]["count"] if minion.state == "lost" else 0


def _draw_slots(value: Callable[[str], Value], history: Sequence[float], glyphs: Glyphs) -> str:
    """Of lost minions only what they held: nothing runs there."""
    lost, busy = value("lost"), value("busy")
    return f"lost {lost}" if lost and not busy else f"{busy}/{value('slots')}"


def _draw_state(value: Callable[[str], Value], history: Sequence[float], glyphs: Glyphs) -> str:
    """Mark what is known by heartbeats only."""
    return _text(value("state")) + (glyphs("≈", "~") if value("via") == "heartbeat" else "")


def _draw_rate(value: Callable[[str], Value], history: Sequence[float], glyphs: Glyphs) -> str:
    number = value("rate")
    return f"{rate(number if isinstance(number, int | float) else None):>5} {sparkline(history, CELLS, glyphs)}"


COLUMNS: tuple[Column, ...] = (
    Column("id", "ID", 22, 0, lambda m: m.id, _text, "id of the minion: HOST-PID-NONCE", _same, False, False,
           fixed=True),
    Column("host", "HOST", 12, 4, lambda m: m.said["host"], _text, "where it runs", _same, False, False,
           lambda m: "bad" if m.suspect else "", fixed=True),
    Column("job", "JOB", 9, 9, _label("job"), _text, "id of the batch job, or name of the pod", _same, False, False,
           fixed=True),
    Column("user", "USER", 8, 12, lambda m: m.said["user"], _text, "whose it is", _same, False, False, fixed=True),
    Column("state", "STATE", 9, 0, lambda m: m.state, _text, "what it does; stale, lost: no sign of life", _same, False,
           False, _state_role, _draw_state),
    Column("slots", "SLOTS", 7, 2, _slots, _of(count), "busy / all slots; of a lost minion, what was in flight", _total,
           role=lambda m: "bad" if _lost(m) else "", draw=_draw_slots),
    Column("busy", "BUSY", 5, 20, _busy, _of(count), "slots in which a param runs", _total),
    Column("lost", "LOST", 5, 20, _lost, _of(count), "params that were in flight in a minion that is lost", _total,
           role=lambda m: "bad" if _lost(m) else "dim"),
    Column("done", "DONE", 7, 1, _counter("succeeded"), _of(count), "runs that succeeded", _total,
           role=lambda m: "good"),
    Column("failed", "FAILED", 6, 1, _failed, _of(count), "runs that failed, timed out or could not start", _total,
           role=_failing),
    Column("redelivered", "REDELIV", 7, 4, _counter("redelivered"), _of(count), "params received again", _total,
           role=_bad("redelivered", "warn")),
    Column("retried", "RETRIED", 7, 8, _counter("retried"), _of(count), "runs given back as a charged attempt", _total,
           role=_bad("retried", "warn")),
    Column("preempted", "PREEMPT", 7, 14, _counter("preempted"), _of(count), "runs stopped because the minion had to",
           _total, role=_bad("preempted", "warn")),
    Column("dead", "DEAD", 6, 5, _counter("dead"), _of(count), "params that it gave up", _total,
           role=_bad("dead", "")),
    Column("rate", "RATE/s", 18, 1, lambda m: round(m.rate, 4), _of(rate), "runs that succeed per second",
           _total, right=False,
           role=lambda m: "accent", draw=_draw_rate),
    Column("p50", "P50", 6, 7, lambda m: m.said["latency"]["p50"], _of(duration), "half of its runs took no longer",
           _highest, unit="s"),
    Column("p95", "P95", 6, 5, lambda m: m.said["latency"]["p95"], _of(duration), "19 of 20 of its runs took no longer",
           _highest, unit="s"),
    Column("oldest", "OLDEST", 6, 3, lambda m: m.oldest if m.oldest is None else round(m.oldest, 3), _of(duration),
           "age of the oldest run under way; red: more than three times P95", _highest,
           role=lambda m: "bad" if m.straggles else "", unit="s"),
    Column("cpu", "CPU", 5, 6, _cpu, _of(rate), "cores that the minion and its runs use", _total),
    Column("mem", "MEM", 5, 6, _memory, _of(size), "memory of the minion and its runs", _total, unit="B"),
    Column("uptime", "UPTIME", 6, 8, lambda m: round(m.uptime, 3), _of(age), "how long it has lived", _highest,
           unit="s"),
    Column("heartbeat", "BEAT", 6, 10, lambda m: m.age if m.age is None else round(m.age, 3), _of(age),
           "age of its last sign of life", _lowest, role=lambda m: "warn" if m.state == "stale" else "dim", unit="s"),
    Column("via", "VIA", 9, 15, lambda m: m.via, _text, "how its numbers came: http, heartbeat, final", _same, False,
           False, lambda m: "warn" if m.via == "heartbeat" else "dim"),
    Column("engine", "ENGINE", 8, 13, lambda m: m.said["engine"], _text, "kind of queue", _same, False, False,
           fixed=True),
    Column("queue", "QUEUE", 16, 11, lambda m: m.said["queue"], _text, "the queue", _same, False, False, fixed=True),
    Column("command", "COMMAND", 24, 6, lambda m: m.said["command"], _text, "what is run for each param", _same, False,
           False),
    Column("version", "VERSION", 8, 16, lambda m: m.said["version"], _text, "version of minionize", _same, False,
           False),
)  # fmt: skip
"""All columns, in the order in which they stand."""

DEFAULT = tuple(column.key for column in COLUMNS if column.rank < 20 and column.key != "via")
"""Those that are shown where nobody has chosen."""


def by_key() -> Mapping[str, Column]:
    """Return all columns by their names."""
    return {column.key: column for column in COLUMNS}


def fitting(columns: Sequence[Column], cells: int) -> list[Column]:
    """Return those that a screen has room for; the last one gets what is left.

    Args:
        columns: What is wanted, in order.
        cells: How wide the screen is.
    """
    left = cells
    chosen: set[str] = set()
    for column in sorted(columns, key=lambda column: column.rank):
        if column.width + 1 > left and chosen:
            continue
        left -= column.width + 1
        chosen.add(column.key)
    return [column for column in columns if column.key in chosen]


def cell(column: Column, value: Callable[[str], Value], history: Sequence[float], glyphs: Glyphs) -> str:
    """Write what a row has in a column; not yet fitted to its width.

    Args:
        column: Which one.
        value: Tells the values of the row, by the names of columns.
        history: Its rate of late.
        glyphs: What the terminal can draw.
    """
    return column.draw(value, history, glyphs) if column.draw else column.show(value(column.key))
