"""One minion: what runs in it, what failed, what it writes, how long it takes, what it says of itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container

from minionize.stats.wire import TaskWire
from mtop.actions import Action
from mtop.format import age
from mtop.model.minion import Minion
from mtop.screens.asking import Asking, why_silent
from mtop.screens.keybar import BACK, HELP, KeyBar, bindings
from mtop.screens.lines import Lines
from mtop.screens.page import FIND, Page
from mtop.screens.panes.failed import Failed
from mtop.screens.panes.happened import Happened
from mtop.screens.panes.inflight import InFlight
from mtop.screens.panes.info import Info
from mtop.screens.panes.latency import Latency
from mtop.screens.panes.output import Output
from mtop.screens.panes.pane import Pane
from mtop.screens.tabs import Tabs
from mtop.session import Session

__all__ = ["MinionScreen"]

_NAMES = ("In flight", "Failures", "Output", "Latency", "Info", "Events")
_OUTPUT = 2
_NEED_TASKS = (0, _OUTPUT)
_PANE_KEYS = sorted({key for pane in (InFlight, Output) for action in pane.KEYS for key in action.keys})


class MinionScreen(Page[None]):
    """A minion, in six tabs.

    Args:
        session: What all screens share.
        key: The minion's.
    """

    KEYS = (
        FIND,
        Action("next_tab", ("right",), "the next tab; 1 to 6: that tab", "look"),
        Action("previous_tab", ("left",), "the tab before", "look"),
        Action("refresh", ("f5", "r"), "ask again now", "look"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(KEYS),
        *(Binding(str(number + 1), f"tab({number})", name, show=False) for number, name in enumerate(_NAMES)),
        *(Binding(key, f"pane('{key}')", show=False) for key in _PANE_KEYS),
    ]
    DEFAULT_CSS = """
    MinionScreen > Container { height: 1fr; }
    """

    def __init__(self, session: Session, key: str) -> None:
        super().__init__(session)
        self._key, self._minion = key, session.fleet.minions.get(key)
        self._tab = 0
        self._tasks: Asking[list[TaskWire]] = Asking(self, session, self._told)
        self._panes: list[Pane] = [
            InFlight(session, self._tasks),
            Failed(session),
            Output(session, self._tasks),
            Latency(session),
            Info(session),
            Happened(session),
        ]

    def body(self) -> ComposeResult:
        """Make its parts."""
        yield Tabs(_NAMES)
        with Container():
            yield from self._panes

    def on_mount(self) -> None:
        """Open the first tab."""
        self.action_tab(0)

    # Bringing it up to date.

    def tick(self) -> None:
        """Look at the minion again, if it is still there."""
        present = self.session.fleet.minions.get(self._key)
        minion = self._minion = present or self._minion
        if minion is None:
            self.head(self.line((f"There is no minion {self.words(self._key)}", "bad"), " in the fleet."))
            return
        self.head(*self._head(minion, present is None))
        if self.focused is None:
            self._take_focus()
        pane = self._panes[self._tab]
        if present is None:
            pane.draw(minion)
            return
        if self._tab in _NEED_TASKS and why_silent(self.session, minion) is None:
            self._tasks.ask(lambda: self.session.feed.tasks(minion))
        pane.look(minion)

    def _told(self) -> None:
        """Show what runs, as it is known now."""
        if self._minion is not None and self._tab in _NEED_TASKS:
            self._panes[self._tab].draw(self._minion)

    def _head(self, minion: Minion, vanished: bool) -> Iterator[Text]:
        said, words = minion.said, self.words
        why = f" ({words(said['why'], 80)})" if said["why"] else ""
        state = (f"{minion.state}{why}", f"state-{minion.state}")
        if vanished:
            state = ("no more in the fleet: what stands below is the last that was known", "bad")
        busy = 0 if minion.ended else said["busy"]
        who = f"  {words(said['user'])}@{words(said['host'])}  "
        yield self.line((words(minion.id), "title"), who, state, f"  slots {busy}/{said['slots']}")
        yield self.line(("runs ", "dim"), words(said["command"]) or "-")
        if minion.trouble and not minion.ended:
            old = f"; these numbers are its heartbeat's, {age(minion.age)} old" if minion.via == "heartbeat" else ""
            yield self.line((f"Its server does not answer: {words(minion.trouble)}{old}", "warn"))
        if minion.suspect and not minion.ended:
            yield self.line((f"Is {words(said['host'])} a black hole? {words(minion.suspect)}", "bad"))

    # Tabs.

    def offered(self) -> Sequence[Action]:
        """Return what its keys do at present."""
        off = self.session.readonly or not self.session.feed.live
        pane = [action for action in self._panes[self._tab].KEYS if not (action.controls and off)]
        return [HELP, *pane, *self.KEYS, BACK]

    def action_tab(self, number: int) -> None:
        """Open a tab."""
        self._tab = number
        for each, pane in enumerate(self._panes):
            pane.display = each == number
        self.query_one(Tabs).open(number)
        self.query_one(KeyBar).show(self.offered())
        self._take_focus()
        self.call_after_refresh(self.tick_here)

    def _take_focus(self) -> None:
        target = self._panes[self._tab].target()
        if target is not None:
            self.set_focus(target, scroll_visible=False)

    async def action_pane(self, key: str) -> None:
        """Do what a key means in the open tab."""
        pane = self._panes[self._tab]
        for action in pane.KEYS:
            if key in action.keys:
                await pane.run_action(action.name)

    def action_next_tab(self) -> None:
        """Open the next tab."""
        self.action_tab((self._tab + 1) % len(self._panes))

    def action_previous_tab(self) -> None:
        """Open the tab before."""
        self.action_tab((self._tab - 1) % len(self._panes))

    def on_tabs_clicked(self, event: Tabs.Clicked) -> None:
        """Open it."""
        self.action_tab(event.number)

    def on_in_flight_output_wanted(self, event: InFlight.OutputWanted) -> None:
        """Show the output of that run."""
        output = self._panes[_OUTPUT]
        if isinstance(output, Output):
            output.choose(event.task)
        self.action_tab(_OUTPUT)

    def action_refresh(self) -> None:
        """Ask again now."""
        self.tick()

    def sought_in(self) -> Lines | None:
        """Return in what is searched."""
        return self._panes[self._tab].sought_in()
