"""What all screens of one mtop share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mtop.format import Glyphs
from mtop.view import View

if TYPE_CHECKING:
    from mtop.config import Config
    from mtop.feed import Feed
    from mtop.model.fleet import Fleet

__all__ = ["Session"]


@dataclass
class Session:
    """One mtop.

    Attributes:
        feed: Where the fleet comes from.
        fleet: The fleet.
        config: What the user has set up, kept over runs.
        glyphs: What the terminal can draw.
        readonly: Whether no order may be given.
        view: What of the fleet is shown, and in which order.
        tagged: Keys of the minions that are tagged.
    """

    feed: Feed
    fleet: Fleet
    config: Config
    glyphs: Glyphs = field(default_factory=Glyphs)
    readonly: bool = False
    view: View = field(default_factory=View)
    tagged: set[str] = field(default_factory=set)
