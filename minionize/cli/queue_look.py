"""``minion-queue status | peek | dead``: looks at a queue, and takes nothing."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from minionize.cli.queue_common import Chosen, choose, dead_letters, dead_place, tell, visited
from minionize.console import printable, write
from minionize.engine import Backlog, DeadLetter, Holder
from minionize.errors import ExitCode
from minionize.queue.words import cause, causes, letter_lines, status_lines, summary_lines
from minionize.records import encode
from minionize.task import param_text

__all__ = ["dead", "peek", "status"]


def status(engine: str | None, as_json: bool, dead: str | None) -> int:
    """Tell what a queue holds."""
    chosen = choose(engine, dead=dead)
    with visited(chosen) as queue:
        backlog, holders = queue.backlog(), queue.holders()
    given_up = None if backlog is None else backlog.dead
    if dead is not None or (given_up is None and chosen.settings.values["dead"]):
        given_up = sum(1 for _ in dead_letters(chosen, dead_place(chosen, dead)))
    if as_json:
        write(f"{encode(_fields(chosen, backlog, holders, given_up))}\n")
    else:
        name = f"engine {chosen.engine.name}, queue {chosen.engine.queue_name}"
        write("".join(f"{line}\n" for line in status_lines(name, backlog, holders, given_up)))
    return ExitCode.OK


def _fields(
    chosen: Chosen, backlog: Backlog | None, holders: list[Holder] | None, given_up: int | None
) -> dict[str, Any]:
    known = backlog or Backlog(None, None, None, exact=False, as_of=time.time())
    minions = None
    if holders is not None:
        minions = [{"minion": h.minion, "in_flight": h.in_flight, "idle": h.idle, "gone": h.gone} for h in holders]
    return {
        "ready": known.ready,
        "delayed": None if backlog is None else known.delayed,
        "in_flight": known.in_flight,
        "dead": given_up,
        "done": known.done,
        "exact": known.exact,
        "as_of": known.as_of,
        **chosen.fields(),
        "minions": minions,
    }


def peek(engine: str | None, as_json: bool, count: int) -> int:
    """Show ready params."""
    with visited(choose(engine)) as queue:
        for param in queue.peek(count or None):
            write(f"{encode(param) if as_json else printable(param_text(param))}\n")
    return ExitCode.OK


def dead(engine: str | None, as_json: bool, dead: str | None, cause: str | None, count: int, summary: bool) -> int:
    """Show dead params."""
    chosen = choose(engine, dead=dead)
    place = dead_place(chosen, dead)
    letters = matching(dead_letters(chosen, place), cause)
    if summary:
        _show_causes(letters, as_json)
        return ExitCode.OK
    shown = 0
    for letter in islice(letters, count or None):
        shown += 1
        write(f"{encode(_letter(letter))}\n" if as_json else "".join(f"{line}\n" for line in letter_lines(letter)))
    if not shown and not as_json:
        tell(f"nothing is dead in {place or chosen.name}{' by that cause' if cause else ''}")
    return ExitCode.OK


def matching(letters: Iterable[DeadLetter], words: str | None) -> Iterator[DeadLetter]:
    """Yield the dead params in whose cause some words stand, in upper or lower case."""
    for letter in letters:
        if words is None or words.lower() in cause(letter).lower():
            yield letter


def _letter(letter: DeadLetter) -> dict[str, Any]:
    return {
        "id": letter.id,
        "param": letter.param,
        "cause": cause(letter),
        "reason": letter.reason,
        "at": letter.at,
        "evidence": dict(letter.evidence),
    }


def _show_causes(letters: Iterable[DeadLetter], as_json: bool) -> None:
    groups = causes(letters)
    if as_json:
        write("".join(f"{encode(group)}\n" for group in groups))
        return
    from shutil import get_terminal_size

    write("".join(f"{line}\n" for line in summary_lines(groups, get_terminal_size((100, 24)).columns)))
