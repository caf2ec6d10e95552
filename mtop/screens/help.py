"""Help: what keys do, what states, signs and columns mean. Made from the tables that the rest is made from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import ClassVar, get_args

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.events import Resize

from minionize.registry import LOST, STALE
from mtop.actions import ACTIONS, Where, shown_key
from mtop.columns import COLUMNS
from mtop.comparing import SIGNS
from mtop.format import Glyphs
from mtop.model.history import CELLS, STEP
from mtop.screens.keybar import bindings
from mtop.screens.lines import Lines, fold
from mtop.screens.page import FIND, Page
from mtop.session import Session

__all__ = ["HelpScreen"]

_WIDE = 130
_KEYS = 16
_STATES = (
    ("starting", "it has begun, and has not taken a param yet"),
    ("running", "params run in it"),
    ("idle", "its queue gives it no param at present"),
    ("paused", "it takes no params until it is resumed"),
    ("draining", "it finishes what runs, and leaves"),
    ("stopped", "it has left; its final numbers are shown"),
    ("stale", f"{STALE} heartbeats are missing"),
    ("lost", f"{LOST} heartbeats are missing, or its process is gone: what was in flight there runs nowhere"),
    ("unknown", "it has not answered yet"),
)


def signs(glyphs: Glyphs) -> tuple[tuple[str, str], ...]:
    """Return what is drawn, and what it means."""
    levels = glyphs.levels
    return (
        ("!", "at the left: a straggler runs there, or its host looks like a black hole"),
        ("*", "at the left: tagged"),
        (f"running{glyphs('≈', '~')}", "its server was not reached: these numbers are its heartbeat's"),
        ("lost 3", "under SLOTS: so many params were in flight in lost minions"),
        (
            f"{levels[1]}{levels[3]}{levels[5]}{levels[8]}",
            f"its rate of the last minute, {CELLS} values, {STEP:g} s each",
        ),
        ("straggler", "a run that takes more than three times p95 of those before"),
        ("black hole", "a host on which runs fail, and much faster than elsewhere they succeed"),
        ("-", "there is no such number"),
    )


class HelpScreen(Page[None]):
    """The help of the main screen."""

    KEYS = (FIND,)
    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)

    def body(self) -> ComposeResult:
        """Make its parts."""
        yield Lines(hang=_KEYS + 2)

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._written: tuple[int, str] | None = None

    def on_resize(self, event: Resize) -> None:
        """Write it anew."""
        self.tick()

    def tick(self) -> None:
        """Write it in one column, or in two."""
        now = (self.size.width, self.app.theme)
        if now == self._written:
            return
        self._written = now
        width = self.size.width - 1
        self.head(self.line(("mtop", "title"), "  shows a fleet of minions as htop shows processes"))
        keys, words = list(self._keys()), list(self._words())
        lines = _beside(keys, words, width // 2) if width >= _WIDE else [*keys, *words]
        self.query_one(Lines).show(lines)

    def _keys(self) -> Iterator[Text]:
        for where in get_args(Where):
            actions = [action for action in ACTIONS if action.where == where]
            if not actions:
                continue
            yield from self._heading(where.capitalize())
            for action in actions:
                off = action.controls and self.session.readonly
                keys = " ".join(map(shown_key, action.keys))
                note = " (not with --readonly)" if off else ""
                yield self.line(
                    (f"{keys:>{_KEYS}}", "dim" if off else "key"), "  ", (action.help + note, "dim" if off else "")
                )
            yield Text()

    def _words(self) -> Iterator[Text]:
        yield from self._heading("States")
        for name, words in _STATES:
            yield self.line((f"{name:>{_KEYS}}", f"state-{name}"), f"  {words}")
        yield Text()
        yield from self._heading("Signs")
        for name, words in signs(self.session.glyphs):
            yield self.line((f"{name:>{_KEYS}}", "accent"), f"  {words}")
        yield Text()
        yield from self._heading("Columns")
        for column in COLUMNS:
            yield self.line((f"{column.title:>{_KEYS}}", "accent"), f"  {column.help}", (f" ({column.key})", "dim"))
        yield Text()
        yield from self._heading("Filters")
        for example, words in (
            ("nancy", "minions in which this stands anywhere; !nancy: in which it does not; a|b: either"),
            ("failed>0", f"a column's name, one of {' '.join(SIGNS)}, a value; host=nancy* with * for anything"),
            ("and or not", "put these together; parentheses too"),
        ):
            yield self.line((f"{example:>{_KEYS}}", "accent"), f"  {words}")

    def _heading(self, words: str) -> Iterator[Text]:
        yield self.line((words, "title"))


def _beside(left: Sequence[Text], right: Sequence[Text], width: int) -> Iterator[Text]:
    """Put two columns beside each other."""
    columns = [[row for text in texts for row in fold(text, width - 2, _KEYS + 2)] for texts in (left, right)]
    for one, other in zip_longest(*columns, fillvalue=Text()):
        row = one.copy()
        row.append(" " * (width - one.cell_len))
        yield row.append_text(other)
