"""Small fleets, as a registry would show them."""

from __future__ import annotations

from typing import Any

from minionize.registry import Announcement, Seen
from minionize.testing.announcements import make_announcement
from mtop.model.fleet import Fleet

WELL = {
    "rates": {"window": 10.0, "succeeded": 0.4, "failed": 0.0, "redelivered": 0.0},
    "url": None,
    "token": None,
    "user": "me",
}


def well(id: str = "node-1-a", **changes: Any) -> Announcement:
    """Announce a minion that is well: nothing fails."""
    return make_announcement(id, **{**WELL, **changes})


def fleet_of(*announcements: Announcement, age: float = 1.0) -> Fleet:
    """Make a fleet of what was announced so long ago."""
    fleet = Fleet("me", 0.0, host="elsewhere")
    fleet.announced("here", [Seen(each, age) for each in announcements], 0.0)
    fleet.advance(0.0, 1000.0)
    return fleet
