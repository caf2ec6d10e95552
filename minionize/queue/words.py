"""What a queue holds, in words for people."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from minionize.cause import cause_of
from minionize.console import printable
from minionize.engine import Backlog, DeadLetter, Holder
from minionize.task import param_text

__all__ = ["cause", "causes", "letter_lines", "status_lines", "summary_lines"]

_LINES = 5
_WIDE = 100


def cause(letter: DeadLetter) -> str:
    """Say in one line why a param is dead, the same for all that died in the same way."""
    known = letter.evidence
    return cause_of({**known, "reason": known.get("reason") or letter.reason})


def status_lines(
    name: str, backlog: Backlog | None, holders: Sequence[Holder] | None, dead: int | None
) -> Iterator[str]:
    """Tell what a queue holds.

    Args:
        name: Engine and queue.
        backlog: Its numbers; None where it cannot tell.
        holders: Who holds what is in flight, if that is known.
        dead: How many dead params there are.
    """
    yield printable(name)
    if backlog is None:
        yield "it cannot tell how much it holds"
        return
    notes = [] if backlog.exact else ["about"]
    if backlog.delayed:
        notes.append(f"{backlog.delayed:,} of them not before their time")
    yield _number("ready", backlog.ready, ", ".join(notes))
    yield _number("in flight", backlog.in_flight)
    yield _number("dead", dead)
    yield _number("done", backlog.done)
    if holders is None:
        return
    for each in sorted(holders, key=lambda each: (-each.in_flight, each.minion)):
        yield f"{each.in_flight:>16,}  {printable(each.minion)}{_signs(each)}"
    others = (backlog.in_flight or 0) - sum(each.in_flight for each in holders)
    if others > 0:
        yield f"{others:>16,}  others, who say nothing of themselves"


def _number(what: str, number: int | None, note: str = "") -> str:
    shown = "unknown" if number is None else f"{number:,}"
    return f"{what:<10} {shown:>11}{f'  ({note})' if note and number is not None else ''}"


def _signs(holder: Holder) -> str:
    if holder.gone:
        return ", whose process has ended"
    return "" if holder.idle is None else f", seen {duration(holder.idle)} ago"


def duration(seconds: float) -> str:
    """Write a time, roughly."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def letter_lines(letter: DeadLetter) -> Iterator[str]:
    """Tell of one dead param: its id, itself, why, and what is known of its last run."""
    known = letter.evidence
    yield f"{printable(letter.id)}  {_cut(param_text(letter.param))}"
    facts = [letter.reason]
    facts += [f"{name} {known[name]}" for name in ("attempt", "host", "minion") if known.get(name) is not None]
    if letter.at:
        # Anybody may have written it.
        with suppress(OverflowError, ValueError, OSError):
            facts.append(time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(letter.at)))
    yield f"    {_cut(', '.join(facts), 2 * _WIDE)}"
    for line in str(known.get("stderr") or "").splitlines()[-_LINES:]:
        yield f"    | {_cut(line)}"


def causes(letters: Iterable[DeadLetter]) -> list[dict[str, Any]]:
    """Group dead params by their cause, the most frequent first."""
    groups: dict[str, dict[str, Any]] = {}
    for letter in letters:
        group = groups.setdefault(
            cause(letter), {"cause": "", "count": 0, "first": letter.at, "last": letter.at, "samples": []}
        )
        group["count"] += 1
        group["first"], group["last"] = min(group["first"], letter.at), max(group["last"], letter.at)
        group["samples"] = [*group["samples"][-4:], letter.id]
    return sorted(({**group, "cause": name} for name, group in groups.items()), key=lambda each: -each["count"])


def summary_lines(groups: Sequence[dict[str, Any]], width: int) -> Iterator[str]:
    """Write a table of causes, no wider than the terminal."""
    size = max((len(f"{each['count']:,}") for each in groups), default=1)
    for each in groups:
        yield f"{each['count']:>{size},}  {_cut(each['cause'], max(20, width - size - 2))}"


def _cut(text: str, width: int = _WIDE) -> str:
    shown = printable(text[: width + 1])
    return shown if len(text) <= width else f"{shown[: width - 3]}..."
