"""Failures of the whole fleet, by cause."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.worker import Worker

from minionize.stats.wire import FailuresWire
from mtop.actions import Action
from mtop.acts import at_once, within
from mtop.causes import Group, merge
from mtop.columns import by_key
from mtop.feed import Unanswered
from mtop.format import age, count
from mtop.model.minion import Minion
from mtop.screens.asking import why_silent
from mtop.screens.evidence import ONE_CAUSE, Evidence
from mtop.screens.keybar import bindings
from mtop.screens.lines import Lines
from mtop.screens.minion import MinionScreen
from mtop.screens.page import FIND, Page
from mtop.screens.said import Said
from mtop.screens.table import Cell, Head, Table
from mtop.screens.texts import plural
from mtop.session import Session

__all__ = ["CauseScreen", "FailuresScreen"]

_PATIENCE = 30.0
_HEADS = (
    Head("COUNT", 7, 0, True),
    Head("CAUSE", 20, grows=True),
    Head("HOSTS", 14, 1),
    Head("MINIONS", 7, 2, True),
    Head("FIRST", 7, 3, True),
    Head("LAST", 7, 1, True),
)


class FailuresScreen(Page[None]):
    """Asks all minions in which something failed, once, and groups what they tell.

    Args:
        session: What all screens share.
    """

    KEYS = (
        Action("open", ("enter",), "samples of this cause, with their evidence", "look", "Open"),
        Action("refresh", ("f5", "r"), "ask all again", "look", "Ask"),
    )
    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)
    DEFAULT_CSS = """
    FailuresScreen > .silent { height: auto; }
    """

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._told: dict[str, tuple[Minion, FailuresWire]] = {}
        self._silent: Counter[str] = Counter()
        self._to_ask = self._asked = 0
        self._began = 0.0
        self._groups: dict[str, Group] = {}
        self._merged = 0
        self._worker: Worker[None] | None = None

    @property
    def under_way(self) -> bool:
        """Whether minions are being asked."""
        return self._worker is not None and not self._worker.is_finished

    def body(self) -> ComposeResult:
        """Make its parts."""
        yield Table(_HEADS, self.session.glyphs)
        yield Said("silent")

    def on_mount(self) -> None:
        """Ask."""
        self.action_refresh()

    def action_refresh(self) -> None:
        """Ask all again. Answers to the last question that are not there yet are not waited for."""
        self._told, self._silent, self._merged = {}, Counter(), -1
        self._began = self.session.feed.clock()
        failed = by_key()["failed"].value
        asked: list[Minion] = []
        for minion in self.session.fleet:
            if not failed(minion):
                continue
            why = why_silent(self.session, minion)
            if why is None:
                asked.append(minion)
            else:
                self._silent[why] += 1
        self._to_ask, self._asked = len(asked), 0
        self._worker = self.run_worker(self._ask(asked), group="failures", exclusive=True)
        self.call_after_refresh(self.tick_here)

    async def _ask(self, minions: Sequence[Minion]) -> None:
        # Of its own: what comes after another question was asked is of no use.
        told, silent = self._told, self._silent

        async def ask(minion: Minion) -> None:
            try:
                told[minion.key] = minion, await within(_PATIENCE, self.session.feed.failures(minion))
            except Unanswered as error:
                silent[str(error)] += 1
            self._asked += 1

        await at_once(minions, ask)
        self.call_next(self.tick_here)

    def tick(self) -> None:
        """Show what was told until now."""
        if len(self._told) != self._merged:
            self._merged = len(self._told)
            self._groups = {group.cause: group for group in merge(self._told.values())}
        groups = list(self._groups.values())
        since = 0.0 if self.under_way else self.session.feed.clock() - self._began
        shown = self._groups
        self.query_one(Table).show(shown, lambda cause: self._cells(shown[cause], since))
        self._write_head(groups, since)
        self._write_silent()

    def _write_head(self, groups: Sequence[Group], since: float) -> None:
        total = sum(group.count for group in groups)
        asked = f"asked {self._asked} of {self._to_ask}"
        state = (f"  {asked} ...", "warn") if self.under_way else (f"  {asked}, {age(since)} ago", "dim")
        what = f"  {count(total)} of {plural(len(groups), 'cause')}"
        self.head(self.line(("Failures by cause", "title"), what, state))

    def _write_silent(self) -> None:
        """Say who did not tell."""
        lines = []
        for why, number in self._silent.most_common(3):
            lines.append(
                self.line((f"{plural(number, 'minion')} with failures did not tell: {self.words(why)}", "warn"))
            )
        rest = self._silent.total() - sum(number for _, number in self._silent.most_common(3))
        if rest:
            lines.append(self.line((f"{plural(rest, 'minion')} more did not tell, for other reasons", "warn")))
        if not self._groups and not self.under_way:
            lines.append(self.line(("No run has failed." if not self._silent else "Nobody told why.", "dim")))
        self.query_one(".silent", Said).say(self.line("\n").join(lines))

    def _cells(self, group: Group, since: float) -> tuple[Cell, ...]:
        hosts = self.words(next(iter(group.hosts))) if len(group.hosts) == 1 else f"{len(group.hosts)} hosts"
        return (
            (count(group.count), "bad"),
            (self.words(group.cause), ""),
            (hosts, ""),
            (str(len(group.minions)), ""),
            (age(group.first + since), "dim"),
            (age(group.last + since), ""),
        )

    def on_table_opened(self, event: Table.Opened) -> None:
        """Show samples."""
        self.action_open()

    def action_open(self) -> None:
        """Show samples of the cause under the cursor."""
        group = self._groups.get(self.query_one(Table).key or "")
        if group is not None:
            self.app.push_screen(CauseScreen(self.session, group))


class CauseScreen(Page[None]):
    """Samples of one cause.

    Args:
        session: What all screens share.
        group: What is known of it.
    """

    KEYS = (Action("minion", ("enter", "o"), "the minion in which it failed", "look", "Minion"), FIND)
    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)

    def __init__(self, session: Session, group: Group) -> None:
        super().__init__(session)
        self._group = group

    def body(self) -> ComposeResult:
        """Make its parts."""
        yield Evidence(ONE_CAUSE, self.session.glyphs)

    def on_mount(self) -> None:
        """Show them. They do not change any more."""
        group = self._group
        where = f"{plural(len(group.minions), 'minion')} on {plural(len(group.hosts), 'host')}"
        facts = f"{count(group.count)} failures in {where}; {plural(len(group.samples), 'sample')}"
        self.head(self.line((self.words(group.cause), "title")), self.line((facts, "dim")))
        self.query_one(Evidence).show(group.samples, 0.0)

    def sought_in(self) -> Lines | None:
        """Return in what is searched."""
        return self.query_one(Lines)

    def on_table_opened(self, event: Table.Opened) -> None:
        """Look into the minion."""
        self.action_minion()

    def action_minion(self) -> None:
        """Look into the minion in which the sample failed."""
        sample = self.query_one(Evidence).chosen
        if sample is not None:
            self.app.push_screen(MinionScreen(self.session, sample.minion.key))
