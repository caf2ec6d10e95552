"""Where the main screen leads to: one minion, failures, events, help, set-up; and what can be taken away from it."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from textual.message import Message

from mtop.screens.failures import FailuresScreen
from mtop.screens.fleet import FleetScreen
from mtop.screens.help import HelpScreen
from mtop.screens.log import LogScreen
from mtop.screens.minion import MinionScreen
from mtop.screens.setup import SetupScreen

if TYPE_CHECKING:
    from mtop.config import Config

__all__ = ["Visits"]


class Visits(FleetScreen):
    """A part of the main screen."""

    class Configured(Message):
        """The user has set up something else.

        Attributes:
            config: All of it.
            before: As it was, if what is not the same is to be kept; None: it is only shown for now.
        """

        def __init__(self, config: Config, before: Config | None = None) -> None:
            super().__init__()
            self.config, self.before = config, before

    def action_open(self) -> None:
        """Look into a minion; open or shut a group."""
        current = self.grid.current
        if current is None:
            return
        if current.group is not None:
            shut = self.session.view.shut
            (shut.discard if current.group.name in shut else shut.add)(current.group.name)
            self.tick()
        elif current.minion is not None:
            self.app.push_screen(MinionScreen(self.session, current.minion.key))

    def on_grid_opened(self) -> None:
        """Look into what was clicked twice."""
        self.action_open()

    def action_failures(self) -> None:
        """Show the failures of the whole fleet."""
        self.app.push_screen(FailuresScreen(self.session))

    def action_log(self) -> None:
        """Show what has happened."""
        self.app.push_screen(LogScreen(self.session))

    def action_help(self) -> None:
        """Show all keys."""
        self.app.push_screen(HelpScreen(self.session))

    def action_setup(self) -> None:
        """Change columns, meters, theme and delay."""
        before = self.session.config

        def chosen(config: Config | None) -> None:
            if config is not None:
                self.post_message(self.Configured(config, before))

        def tried(config: Config) -> None:
            self.post_message(self.Configured(config))

        self.app.push_screen(SetupScreen(self.session, tried), chosen)

    def action_copy(self) -> None:
        """Copy the line, by OSC 52: the terminal's own clipboard, also over ssh."""
        text = self.grid.copied()
        if text:
            self.app.copy_to_clipboard(text)
            self.app.notify("copied", markup=False)

    def action_save(self) -> None:
        """Save a picture of the screen."""
        name = f"mtop-{time.strftime('%Y%m%d-%H%M%S')}.svg"
        try:
            path = self.app.save_screenshot(name, os.getcwd())
        except OSError as error:
            self.app.notify(f"{name}: {error.strerror}", severity="error", markup=False)
        else:
            self.app.notify(f"saved {path}", markup=False)

    def action_palette(self) -> None:
        """Search all commands."""
        self.app.action_command_palette()

    def action_redraw(self) -> None:
        """Draw all anew."""
        self.refresh(layout=True)

    def action_stop(self) -> None:
        """Give the terminal back to the shell for a while."""
        self.app.action_suspend_process()

    def action_quit(self) -> None:
        """Leave."""
        self.app.exit()
