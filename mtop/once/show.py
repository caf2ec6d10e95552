"""Looks at a fleet, once or again and again, and writes what is there to standard output."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from minionize.console import say, write
from mtop.columns import COLUMNS, DEFAULT, Column, by_key
from mtop.model.totals import total
from mtop.once.health import Health, troubles
from mtop.once.sight import Look, Sight
from mtop.view import View

if TYPE_CHECKING:
    from mtop.comparing import Keep
    from mtop.once.table import Paper

__all__ = ["Choice", "show", "stream"]

_PROGRAM = "mtop"
_START = """\
no minion in sight at {place}
  minions announce themselves when they start, for example: seq 100 | minionize sleep 1
  elsewhere: mtop -r PLACE, or mtop http://HOST:PORT"""


class Choice(NamedTuple):
    """What is written.

    Attributes:
        form: "table", "json" or "csv".
        keep: Tells which minions; None for all.
        columns: Names of the columns; None for the usual ones.
        sort: By which column.
        tree: How the lines of the table are grouped.
        paper: Finds out what the table is written on.
    """

    form: str
    paper: Callable[[], Paper]
    keep: Keep | None = None
    columns: Sequence[str] | None = None
    sort: str | None = None
    tree: str | None = None

    def chosen(self, usual: Sequence[str]) -> list[Column]:
        """Return the columns."""
        known = by_key()
        return [known[key] for key in self.columns or usual]

    def view(self) -> View:
        """Return which lines are written, in which order."""
        view = View(tree=(self.tree or "flat") if self.form == "table" else "flat", keep=self.keep)
        if self.sort is not None and self.sort != view.sort:
            view.sort_by(self.sort)
        return view


def show(look: Look, choice: Choice) -> Health:
    """Look once, and write it.

    Returns:
        What the exit status says.

    Raises:
        BrokenPipeError: Nobody reads.
        OutputError: It cannot be written.
    """
    sight = look()
    for words in sight.problems:
        say(words, _PROGRAM)
    return _write(sight, choice, choice.view())


def stream(look: Look, choice: Choice, every: float, clock: Callable[[], float]) -> Health:
    """Look every so often and write each time, until Ctrl-C.

    Args:
        look: Looks.
        choice: What is written.
        every: Seconds between two looks.
        clock: A clock that goes forward.

    Returns:
        What the last look has shown.

    Raises:
        BrokenPipeError: Nobody reads any more.
        OutputError: It cannot be written.
    """
    view = choice.view()
    with _interrupted() as ended:
        due = clock()
        while True:
            health = _write(look(), choice, view)
            # Late once is not late for ever: what was missed is left out.
            due = max(due + every, clock())
            if ended(due - clock()):
                return health


def _write(sight: Sight, choice: Choice, view: View) -> Health:
    """Write what was seen; the sums, and the judgement, are those of the minions that the filter keeps."""
    fleet = sight.fleet
    kept = [minion for minion in fleet if choice.keep is None or choice.keep(minion)]
    fleet.totals = sums = total(kept)
    found = troubles(sums)
    lines = view.lines(kept)
    minions = [line.minion for line in lines if line.minion is not None]
    if choice.form == "json":
        from mtop.once.answer import answer, line

        columns = choice.chosen([column.key for column in COLUMNS])
        write(
            line(
                answer(
                    sums,
                    minions,
                    columns,
                    as_of=sight.as_of,
                    place=sight.place,
                    troubles=found,
                    problems=sight.problems,
                )
            )
        )
    elif choice.form == "csv":
        from mtop.once.rows import rows

        write(rows(minions, choice.chosen([column.key for column in COLUMNS])))
    elif minions:
        from mtop.once.table import table

        write(table(fleet, lines, choice.chosen(DEFAULT), choice.paper(), all=choice.columns is not None))
    elif len(fleet):
        say(f"the filter keeps none of {len(fleet)} minions at {sight.place}", _PROGRAM)
    elif not sight.problems:
        say(_START.format(place=sight.place), _PROGRAM)
    return Health.BLIND if sight.problems else Health.TROUBLE if found else Health.WELL


@contextmanager
def _interrupted() -> Iterator[Callable[[float], bool]]:
    """Give a function that waits, and tells whether Ctrl-C was pressed then or before.

    The signal waits meanwhile: so the last line is a whole one.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield lambda seconds: signal.sigtimedwait({signal.SIGINT}, max(0.0, seconds)) is not None
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
