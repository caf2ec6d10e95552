"""Keys that come faster than screens open, as over a slow connection."""

from __future__ import annotations

import pytest
from textual.events import Key
from textual.pilot import Pilot
from textual.widgets import Input

from mtop.app import Mtop
from tests.mtop.app.playing import main_of, play


async def at_once(pilot: Pilot[int], app: Mtop, *keys: str) -> None:
    """Press keys, and wait for nothing in between."""
    for key in keys:
        app.post_message(Key(key, key if len(key) == 1 else " " if key == "space" else None))
    for _ in range(4):
        await pilot.pause()


@pytest.mark.parametrize("key", ["backslash", "f3"])
def test_what_is_typed_ahead_is_for_the_line_that_opens(key: str) -> None:
    async def story(pilot: Pilot[int], app: Mtop) -> None:
        await at_once(pilot, app, key, *"ready")
        assert app.screen is main_of(app), "r and y are no orders"
        assert app.screen.query_one(Input).value == "ready"

    play(story)


def test_keys_that_come_at_once_go_where_the_first_one_leads() -> None:
    async def story(pilot: Pilot[int], app: Mtop) -> None:
        before = app.session.config.columns
        await pilot.press("f2")
        await pilot.pause()
        await at_once(pilot, app, "right", "down", "space")
        assert set(before) - set(app.session.config.columns) == {"host"}, "it is tried"
        await pilot.press("escape")

    play(story)
