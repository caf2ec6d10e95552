"""A small fleet, a feed that does as it is told, and an app to show screens in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from rich.style import Style
from textual.app import App
from textual.pilot import Pilot
from textual.screen import Screen

from minionize.registry import Seen
from minionize.stats.wire import CauseWire, FailuresWire, FailureWire, OutputWire, TaskWire
from minionize.testing.announcements import make_announcement
from mtop.config import Config
from mtop.feed import Feed, Unanswered
from mtop.format import Glyphs
from mtop.model.fleet import Fleet
from mtop.model.minion import Minion
from mtop.orders import Order
from mtop.screens.page import Page
from mtop.session import Session
from mtop.themes import Palette, textual_themes

HOSTILE = "\x1b[31mred\x1b[2J [bold]loud[/bold] 日本 two\nlines \u202e"
"""What a minion may send: an escape sequence, markup, wide characters, a line end, writing from right to left."""

NOW = 1_000.0
"""The time of the fleet."""

NEVER = 86_400.0
"""Seconds between two ticks: the tests tick themselves."""


class FakeFeed(Feed):
    """Answers what the test has put in. ``hangs`` never answers; ``silent`` says why there is no answer."""

    user = "user"

    def __init__(self) -> None:
        self.now = NOW
        self.runs: dict[str, list[TaskWire]] = {}
        self.failed: dict[str, FailuresWire] = {}
        self.written: dict[str, OutputWire] = {}
        self.silent: dict[str, str] = {}
        self.hangs: set[str] = set()
        self.orders: list[tuple[str, Order]] = []
        self.asked: list[str] = []
        self.under_way = self.most_under_way = 0
        self.live = True

    def clock(self) -> float:
        return self.now

    def wall(self) -> float:
        return 1_700_000_000.0 + self.now

    def start(self) -> None:
        pass

    def tell(self, fleet: Fleet) -> None:
        pass

    def close(self) -> None:
        pass

    async def _answer(self, minion: Minion, what: str) -> None:
        self.asked.append(f"{what} {minion.key}")
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await asyncio.sleep(0)
            if minion.key in self.hangs:
                await asyncio.Event().wait()
            if minion.key in self.silent:
                raise Unanswered(self.silent[minion.key])
        finally:
            self.under_way -= 1

    async def tasks(self, minion: Minion) -> list[TaskWire]:
        await self._answer(minion, "tasks")
        return self.runs.get(minion.key, [])

    async def failures(self, minion: Minion) -> FailuresWire:
        await self._answer(minion, "failures")
        return self.failed.get(minion.key, failures())

    async def output(self, minion: Minion, task: str) -> OutputWire:
        await self._answer(minion, f"output {task}")
        if task not in self.written:
            raise Unanswered(f"no param {task} is running here")
        return self.written[task]

    async def order(self, minion: Minion, order: Order) -> str:
        await self._answer(minion, order.name)
        self.orders.append((minion.key, order))
        return f"{minion.key} does it"


def run(id: str = "1", **changes: Any) -> TaskWire:
    """A run under way."""
    task: TaskWire = {
        "id": id, "param": f"param-{id}", "attempt": 1, "redelivered": False, "slot": 1, "pid": 4711,
        "started": 1_700_001_000.0, "age": 0.5, "cpu": 0.98, "rss": 123_456_789,
    }  # fmt: skip
    return {**task, **changes}  # type: ignore[typeddict-item]


def failure(id: str = "1", cause: str = "exit code 3: no such file", **changes: Any) -> FailureWire:
    """A run that failed, a minute ago by the clock of a minion that ``fleet_of`` makes."""
    found: FailureWire = {
        "id": id, "param": f"param-{id}", "slot": 2, "at": 1_700_001_174.75, "cause": cause, "settled": "dead",
        "outcome": "failed", "exit_code": 3, "signal": None, "reason": None, "stderr": "reading\nno such file: /x\n",
        "argv": ["./a.out", f"param {id}"], "host": "host", "minion": "host-1-a", "attempt": 1,
        "started": 1_700_001_170.0, "ended": 1_700_001_174.75,
    }  # fmt: skip
    return {**found, **changes}  # type: ignore[typeddict-item]


def failures(*found: FailureWire, causes: Iterable[CauseWire] = (), total: int | None = None) -> FailuresWire:
    """What a minion tells of its failures."""
    told = list(causes)
    for name in dict.fromkeys(each["cause"] for each in found if not told):
        those = [each for each in found if each["cause"] == name]
        times = [each["at"] for each in those]
        ids = [each["id"] for each in those]
        told.append({"cause": name, "count": len(those), "first": min(times), "last": max(times), "samples": ids})
    return {"schema": 1, "total": len(found) if total is None else total, "causes": told, "failures": list(found)}


def fleet_of(*minions: dict[str, Any], age: float = 1.0, now: float = NOW) -> Fleet:
    """A fleet of minions, each by what is not as usual about it."""
    fleet = Fleet("user", now)
    seen = []
    for number, given in enumerate(minions, 1):
        changes = dict(given)
        old = changes.pop("age", age)
        seen.append(Seen(make_announcement(changes.pop("id", f"host-{number}-a"), **changes), old))
    fleet.announced("dir:/minions", seen, now)
    fleet.advance(now, 1_700_000_000.0)
    return fleet


def session_of(fleet: Fleet, feed: Feed | None = None, *, ascii: bool = False, readonly: bool = False) -> Session:
    """What screens share."""
    return Session(feed or FakeFeed(), fleet, Config(delay=NEVER), Glyphs(ascii=ascii), readonly)


class House(App[None]):
    """An app with one screen to look at."""

    ENABLE_COMMAND_PALETTE = False

    def __init__(self, screen: Screen[Any], theme: str = "htop") -> None:
        super().__init__()
        for each in textual_themes():
            self.register_theme(each)
        self.theme, self.palette = f"mtop-{theme}", Palette(theme)
        self.animation_level = "none"
        self.shown_first = screen
        self.answers: list[Any] = []

    def role_style(self, role: str) -> Style:
        return self.palette(role)

    def on_mount(self) -> None:
        self.push_screen(self.shown_first, self.answers.append)

    def tick(self) -> None:
        """Let the screen bring itself up to date, as its timer would."""
        screen = self.screen
        assert isinstance(screen, Page)
        screen.tick()

    @property
    def text(self) -> str:
        """What stands on the screen."""
        width = self.size.width
        strips = self.screen._compositor.render_strips(self.size)
        return "\n".join(strip.text[:width].rstrip() for strip in strips)


Story = Callable[[Pilot[None], House], Awaitable[None]]


def show(screen: Screen[Any], story: Story, size: tuple[int, int] = (80, 24), theme: str = "htop") -> House:
    """Show a screen and have something happen there."""
    app = House(screen, theme)

    async def all_of_it() -> None:
        async with app.run_test(size=size) as pilot:
            await settle(pilot)
            await story(pilot, app)

    asyncio.run(all_of_it())
    return app


async def settle(pilot: Pilot[None]) -> None:
    """Wait until questions are answered and all is drawn."""
    for _ in range(3):
        await pilot.pause()
