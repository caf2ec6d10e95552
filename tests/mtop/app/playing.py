"""Shows the whole app over a feed that does as it is told, and lets something happen there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from textual.pilot import Pilot

from mtop.app import Mtop
from mtop.config import Config
from mtop.format import Glyphs
from mtop.model.fleet import Fleet
from mtop.screens.main import MainScreen
from mtop.session import Session
from mtop.widgets.grid import Grid
from tests.mtop.screens.house import NEVER, FakeFeed, fleet_of

Story = Callable[[Pilot[int], Mtop], Awaitable[None]]

THREE = ({"id": "ant-1-x", "host": "n1"}, {"id": "bee-1-x", "host": "n1"}, {"id": "cat-1-x", "host": "n2", "busy": 1})


def play(
    story: Story,
    *minions: dict[str, Any],
    size: tuple[int, int] = (120, 24),
    feed: FakeFeed | None = None,
    fleet: Fleet | None = None,
    config: Config | None = None,
    filter: str = "",
    no_color: bool = False,
    **session: Any,
) -> Mtop:
    """Show a fleet, and have a story told there."""
    glyphs = Glyphs(session.pop("ascii", False))
    shared = Session(
        feed or FakeFeed(),
        fleet_of(*(minions or THREE)) if fleet is None else fleet,
        config or Config(delay=NEVER),
        glyphs,
        **session,
    )
    app = Mtop(shared, filter=filter, no_color=no_color)

    async def all_of_it() -> None:
        async with app.run_test(size=size, notifications=True) as pilot:
            await pilot.pause()
            await pilot.pause()
            await story(pilot, app)

    asyncio.run(all_of_it())
    return app


def main_of(app: Mtop) -> MainScreen:
    """The main screen."""
    screen = app.screen_stack[1]
    assert isinstance(screen, MainScreen)
    return screen


def grid_of(app: Mtop) -> Grid:
    """The grid."""
    return main_of(app).grid


def ids(app: Mtop) -> list[str]:
    """The ids in the grid; of groups their names."""
    return [line.minion.id if line.minion is not None else line.key for line in grid_of(app).lines]


def under_cursor(app: Mtop) -> str:
    """The key of the line that the cursor is on."""
    current = grid_of(app).current
    return "" if current is None else current.key


def text_of(app: Mtop) -> str:
    """All that stands on the screen."""
    strips = app.screen._compositor.render_strips(app.size)
    return "\n".join(strip.text.rstrip() for strip in strips)
