"""Tell many minions something, and show what each of them answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.worker import Worker

from mtop.actions import Action
from mtop.acts import Answer, Orders, Verdict, give
from mtop.model.events import Event, Severity
from mtop.model.minion import Minion
from mtop.screens.keybar import BACK, HELP, KeyBar, bindings
from mtop.screens.page import Page
from mtop.screens.table import Cell, Head, Table
from mtop.screens.texts import plural
from mtop.session import Session

__all__ = ["AnswersScreen"]

_HEADS = (Head("MINION", 24), Head("HOST", 14, 2), Head("ANSWER", 9), Head("WORDS", 16, 1, grows=True))
_CELLS: dict[Verdict, Cell] = {"done": ("done", "good"), "failed": ("FAILED", "bad"), "not sent": ("not sent", "warn")}
_WAITING: Cell = ("...", "dim")


class AnswersScreen(Page[None]):
    """Gives an order to minions, 32 at a time. Who leaves while that goes on stops it: the rest is not told.

    Args:
        session: What all screens share.
        words: What they are told, for people: "drain".
        orders: What they are told.
        minions: Who is meant.
    """

    KEYS = (Action("stop", ("s",), "tell no more of them", "order", "Stop"),)
    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)

    def __init__(self, session: Session, words: str, orders: Orders, minions: Sequence[Minion]) -> None:
        super().__init__(session)
        self._words, self._orders, self._minions = words, orders, list(minions)
        self._answers: dict[str, Answer] = {}
        self._worker: Worker[None] | None = None

    @property
    def under_way(self) -> bool:
        """Whether there is somebody left to be told."""
        return self._worker is not None and not self._worker.is_finished and not self._worker.is_cancelled

    def body(self) -> ComposeResult:
        """Make its parts."""
        yield Table(_HEADS, self.session.glyphs)

    def on_mount(self) -> None:
        """Begin to tell them."""
        self._worker = self.run_worker(self._give(), exit_on_error=True)

    async def _give(self) -> None:
        if self.session.readonly:
            for minion in self._minions:
                self._answered(Answer(minion, "not sent", "mtop was started with --readonly"))
        else:
            await give(self.session.feed, self.session.fleet, self._orders, self._minions, self._answered)
        self.call_next(self.tick_here)

    def _answered(self, answer: Answer) -> None:
        session, minion = self.session, answer.minion
        self._answers[minion.key] = answer
        said = f"{minion.id}: {self._words}: {answer.verdict}, {answer.words}"
        severity: Severity = "information" if answer.verdict == "done" else "warning"
        session.fleet.events.note(Event(session.feed.wall(), said, severity, minion=minion.key))
        if len(self._answers) == len(self._minions):
            self.tick_here()

    def tick(self) -> None:
        """Show what was answered until now."""
        done = Counter(answer.verdict for answer in self._answers.values())
        total, told = len(self._minions), len(self._answers)
        parts: list[str | tuple[str, str]] = [(self.words(self._words), "title"), f"  {plural(total, 'minion')}:"]
        for verdict, (words, role) in _CELLS.items():
            parts += [(f"  {done[verdict]} {words}", role)] if done[verdict] else []
        if told < total:
            parts += [f"  {total - told} waiting" if self.under_way else (f"  {total - told} not told", "warn")]
        self.head(self.line(*parts))
        self.query_one(KeyBar).show(self.offered())
        # What went wrong is what is looked for.
        ordered = {minion.key: minion for minion in sorted(self._minions, key=self._rank)}
        table = self.query_one(Table)
        at_top = table.cursor == 0
        table.show(ordered, lambda key: self._cells(ordered[key]))
        if at_top:
            table.move(0)

    def _rank(self, minion: Minion) -> int:
        answer = self._answers.get(minion.key)
        return 2 if answer is None else ("failed", "not sent", "done").index(answer.verdict)

    def _cells(self, minion: Minion) -> tuple[Cell, ...]:
        answer = self._answers.get(minion.key)
        cell = _CELLS[answer.verdict] if answer else _WAITING if self.under_way else ("not told", "warn")
        words = self.words(answer.words) if answer else ""
        return ((self.words(minion.id), ""), (self.words(minion.said["host"]), ""), cell, (words, ""))

    def offered(self) -> Sequence[Action]:
        """Return what its keys do at present."""
        return [HELP, *(self.KEYS if self.under_way else ()), BACK]

    def action_stop(self) -> None:
        """Tell no more of them. Who is being told just now may do it or not."""
        if self._worker is not None:
            self._worker.cancel()
            self.call_next(self.tick_here)

    def action_back(self) -> None:
        """Stop what is under way; go back when nothing is."""
        if self.under_way:
            self.action_stop()
        else:
            self.dismiss()
