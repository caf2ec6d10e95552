"""The app: it wires a feed, a fleet and the screens together, and ticks."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from textual.app import App, SystemCommand
from textual.events import Key
from textual.screen import Screen
from textual.widgets import Input

from minionize.errors import SettingsError
from mtop.actions import shown_key
from mtop.config import THEMES, Config, changed, load, save
from mtop.feed import Player
from mtop.format import safe
from mtop.model.events import Event
from mtop.model.fleet import Fleet
from mtop.screens.main import MainScreen
from mtop.screens.replay import ReplayScreen
from mtop.screens.visits import Visits
from mtop.session import Session
from mtop.themes import Palette, textual_themes
from mtop.widgets.fallback import Plain, Uncoloured

if TYPE_CHECKING:
    from rich.style import Style
    from textual.filter import LineFilter

__all__ = ["Mtop", "run_app"]

_HEARD = 0.2
"""Seconds between two times that the fleet is told what came: often, so that each takes a short time."""

_PAUSE = 0.005
"""Seconds for which the fleet is looked at in one go, and then again something else."""

_COLLECTED = 200_000, 20, 100
"""How seldom Python seeks garbage by itself: to sort ten thousand minions makes as many objects, and no garbage."""

_SWEPT = 60.0
"""Seconds after which the little garbage that drawing makes is collected, when nothing waits for it."""

_AWAY = 3.0
"""Seconds without a tick after which mtop must have been stopped, by Ctrl-Z say. For as long it then only listens: what
it has missed is no reason to give minions up."""

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_TOAST = 6.0
_TOASTS = 3
"""So many toasts at a time; how many more there are is said in one."""


class Mtop(App[int]):
    """One mtop.

    Args:
        session: The fleet, where it comes from, and what is shown of it.
        no_color: Whether no colour may be used, whatever the theme.
        filter: The filter at the start.
    """

    TITLE = "mtop"
    CSS_PATH = "mtop.tcss"
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING = "ctrl+p"

    def __init__(self, session: Session, *, no_color: bool = False, filter: str = "") -> None:
        super().__init__()
        self.session = session
        self._filter = filter
        self._monochrome = no_color or self.no_color
        self._changes: list[LineFilter] = [Uncoloured()] if self._monochrome else []
        self._changes += [Plain()] if session.glyphs.ascii else []
        for theme in textual_themes():
            self.register_theme(theme)
        self.animation_level = "none"
        self._palette = Palette("monochrome" if self._monochrome else session.config.theme)
        self.theme = f"mtop-{self._palette.name}"
        self._drawn = 0.0
        self._ticked = time.monotonic()
        self._listens_until = 0.0
        self._swept = time.monotonic()
        self._cpu = (time.monotonic(), time.process_time())
        self._main: MainScreen | None = None

    def role_style(self, role: str) -> Style:
        """Return what a role looks like in the present theme."""
        return self._palette(role)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return what changes lines before they are written. Textual would turn colours into greys for NO_COLOR."""
        return [*self._changes, *super().get_line_filters()]

    def on_mount(self) -> None:
        """Begin to listen and to tick."""
        session = self.session
        self._heed_signals()
        session.feed.start()
        self._hear()
        self._advanced(session.fleet.advance(session.feed.clock(), session.feed.wall()))
        screen = ReplayScreen if isinstance(session.feed, Player) else MainScreen
        self._main = screen(session, self._filter)
        self.push_screen(self._main)
        # Not by a timer: while one is waited for, the app takes no keys.
        self.run_worker(self._live(), name="time")

    def on_unmount(self) -> None:
        """Listen no more."""
        self.session.feed.close()

    def _heed_signals(self) -> None:
        """Leave the terminal as it was, and what is recorded whole, also where mtop is told to end."""
        if not self.is_headless:
            for number in _ENDING:
                asyncio.get_running_loop().add_signal_handler(number, self.exit, None, 128 + number)

    def action_help_quit(self) -> None:
        """Leave: what Ctrl-C does wherever nothing is marked that it could copy."""
        self.exit()

    def _fatal_error(self) -> None:
        """Say where a fault of mtop is. Textual would show the values of variables too, and tokens among them."""
        from rich.traceback import Traceback

        self.panic(Traceback(show_locals=False))

    def on_key(self, event: Key) -> None:
        """Take a letter for the line that is typed into, if that was opened when the letter was on its way already.

        Over a slow connection many keys come at once; as keys of the grid they would be orders.
        """
        line = self.focused
        if isinstance(line, Input) and event.character is not None and event.is_printable:
            event.prevent_default()
            line.insert_text_at_cursor(event.character)

    # Time.

    async def _live(self) -> None:
        while True:
            began = time.monotonic()
            await self.tick()
            await asyncio.sleep(max(_HEARD / 10, _HEARD - (time.monotonic() - began)))

    async def tick(self) -> None:
        """Tell the fleet what came; every ``delay`` show it. Whoever presses a key meanwhile does not wait long."""
        self._hear()
        await asyncio.sleep(_PAUSE)
        now = time.monotonic()
        if now - self._ticked > _AWAY:
            self._listens_until = now + _AWAY
        self._ticked = now
        if now >= self._listens_until and now - self._drawn >= self.session.config.delay - _HEARD / 2:
            self._drawn = now
            events: list[Event] = []
            paused = time.monotonic()
            for some in self.session.fleet.steps(self.session.feed.clock(), self.session.feed.wall()):
                events += some
                if time.monotonic() - paused > _PAUSE:
                    # A key takes many turns of the loop until it shows: as long as this works, others may.
                    await asyncio.sleep(_PAUSE)
                    paused = time.monotonic()
            self._advanced(events)
            await asyncio.sleep(_PAUSE)
            if self._main is not None:
                self._main.tick()
            if now - self._swept > _SWEPT:
                self._swept = now
                gc.collect(0)

    def _hear(self) -> None:
        session = self.session
        if session.feed.wind(session.fleet):
            session.fleet = Fleet(session.feed.user, session.feed.clock())
            self._drawn = 0.0
        session.feed.tell(session.fleet)

    def _advanced(self, events: list[Event]) -> None:
        session = self.session
        if session.tagged:
            session.tagged &= session.fleet.minions.keys()
        self._measure()
        self._toast([event for event in events if event.loud])

    def _measure(self) -> None:
        """Tell the meters how much of a core mtop has used of late."""
        before, used = self._cpu
        now, cpu = time.monotonic(), time.process_time()
        if self._main is not None and now - before >= 1.0:
            self._main.head.cpu = (cpu - used) / (now - before)
            self._cpu = (now, cpu)

    def _toast(self, events: list[Event]) -> None:
        for event in events[:_TOASTS]:
            self.notify(safe(event.what), severity=event.severity, timeout=_TOAST, markup=False)
        if len(events) > _TOASTS:
            more = f"{len(events) - _TOASTS} more: key l shows what has happened"
            self.notify(more, severity="warning", timeout=_TOAST, markup=False)

    # What is set up.

    def on_visits_configured(self, event: Visits.Configured) -> None:
        """Take over another set-up, and keep what was changed if that is meant."""
        self.configure(event.config)
        if event.before is None:
            return
        try:
            # What is wrong in the file was said at the start.
            kept, _ = load(os.environ)
            notes = save(changed(kept, event.before, event.config), os.environ)
        except SettingsError as error:
            notes = [str(error)]
        for words in notes:
            self.notify(safe(words), severity="warning", markup=False)

    def configure(self, config: Config) -> None:
        """Show all by another set-up."""
        self.session.config = config
        self.session.feed.set_interval(config.delay)
        if not self._monochrome:
            self._palette = Palette(config.theme)
            self.theme = f"mtop-{config.theme}"
        if self._main is not None:
            self._main.grid.lay_out()
            self._main.head.lay_out()
            self._main.tick()

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """List all that can be done, for the palette."""
        if isinstance(screen, MainScreen):
            for action in screen.ACTIONS:
                method = getattr(screen, f"action_{action.name}")
                yield SystemCommand(
                    f"{action.help[:1].upper()}{action.help[1:]}", f"key {shown_key(action.keys[0])}", method
                )
        for name in () if self._monochrome else THEMES:
            yield SystemCommand(f"Theme {name}", "use these colours", self._themed(name))

    def _themed(self, name: str) -> Callable[[], None]:
        return lambda: self.configure(replace(self.session.config, theme=name))


def run_app(session: Session, *, mouse: bool = True, no_color: bool = False, filter: str | None = None) -> int:
    """Show a fleet until the user leaves.

    Args:
        session: The fleet, where it comes from, and what is shown of it.
        mouse: Whether mtop answers the mouse; else the terminal does.
        no_color: Whether no colour may be used.
        filter: The filter at the start.

    Returns:
        The exit code.
    """
    # What is imported lives as long as this process: it is not looked through for garbage while keys wait.
    gc.freeze()
    gc.set_threshold(*_COLLECTED)
    app = Mtop(session, no_color=no_color, filter=filter or "")
    app.run(mouse=mouse)
    return app.return_code or 0
