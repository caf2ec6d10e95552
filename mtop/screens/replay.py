"""The main screen while a recording is shown: the same picture, and keys that wind its time."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from mtop.actions import replaying
from mtop.feed import Player
from mtop.screens.keybar import bindings
from mtop.screens.main import MainScreen

__all__ = ["ReplayScreen"]

_STEP, _FAR = 10.0, 60.0


class ReplayScreen(MainScreen, inherit_bindings=False):
    """The fleet as it was."""

    ACTIONS = replaying()
    BINDINGS: ClassVar[list[BindingType]] = bindings(ACTIONS)

    @property
    def player(self) -> Player:
        """Return what plays."""
        assert isinstance(self.session.feed, Player)
        return self.session.feed

    def action_play(self) -> None:
        """Stop, or go on."""
        self.player.toggle()
        self.show_notice()

    def action_rewind(self) -> None:
        """Go back a little."""
        self.player.seek(-_STEP)

    def action_wind(self) -> None:
        """Go on a little."""
        self.player.seek(_STEP)

    def action_rewind_far(self) -> None:
        """Go back far."""
        self.player.seek(-_FAR)

    def action_wind_far(self) -> None:
        """Go on far."""
        self.player.seek(_FAR)

    def action_slower(self) -> None:
        """Play more slowly."""
        self.player.slower()
        self.show_notice()

    def action_faster(self) -> None:
        """Play faster."""
        self.player.faster()
        self.show_notice()
