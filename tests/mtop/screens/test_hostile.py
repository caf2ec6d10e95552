"""Whatever a minion sends: no screen obeys it, breaks on it, or is longer in drawing than one can wait."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.screen import Screen

from mtop.model.events import Event
from mtop.model.fleet import Fleet
from mtop.orders import DRAIN
from mtop.screens.answers import AnswersScreen
from mtop.screens.choose import ChooseScreen
from mtop.screens.confirm import ConfirmScreen
from mtop.screens.failures import FailuresScreen
from mtop.screens.log import LogScreen
from mtop.screens.minion import MinionScreen
from mtop.session import Session
from tests.mtop.screens.house import (
    HOSTILE,
    FakeFeed,
    House,
    failure,
    failures,
    fleet_of,
    run,
    session_of,
    settle,
    show,
)

ID = f"{HOSTILE} id"
BIG = 2.0**52
LATENCY = {"count": -5, "sum": -BIG, "p50": -BIG, "p95": BIG, "p99": None, "buckets": [(-BIG, 9), (BIG, -9), (None, 3)]}
TEXTS = dict.fromkeys(("host", "why", "command", "queue", "engine", "version"), HOSTILE)


def hostile_fleet() -> Fleet:
    """Three minions that send what they should not."""
    odd: dict[str, Any] = {
        **TEXTS, "id": ID, "labels": {HOSTILE: HOSTILE}, "started": BIG, "uptime": -BIG,
        "slots": -1, "busy": 2**52, "pid": -1,
        "rates": {"window": 0.0, "succeeded": -1.0, "failed": BIG, "redelivered": 1e-300},
        "in_flight": {"count": -3, "oldest": -BIG},
        "backlog": {"ready": -1, "in_flight": 2**52, "dead": None, "exact": False, "as_of": -BIG},
        "resources": {"cpu": BIG, "rss": -1, "children_cpu": -BIG, "children_rss": 2**52},
    }  # fmt: skip
    fleet = fleet_of(
        odd, {**odd, "id": "lost", "age": 500.0}, {**odd, "id": "slow", "latency": {**LATENCY, "count": 9}}
    )
    fleet.unanswered(ID, HOSTILE, fleet.now)
    fleet.advance(fleet.now, BIG)
    for minion in fleet:
        minion.suspect = HOSTILE
    fleet.events.note(Event(-BIG, HOSTILE, "error", minion=ID))
    return fleet


def hostile_feed() -> FakeFeed:
    """It tells of runs and failures that are none."""
    feed = FakeFeed()
    deep: list[object] = []
    for _ in range(3_000):
        deep = [deep]
    params = [HOSTILE, {HOSTILE: [HOSTILE]}, deep, "x" * 1_000_000, None, 2**60, [""]]
    runs = [
        run(f"{HOSTILE}{number}", param=param, age=BIG * (number - 1), slot=-number, attempt=-1, cpu=-BIG, rss=2**52)
        for number, param in enumerate(params)
    ]
    feed.runs = {ID: runs, "slow": []}
    for task in runs:
        feed.written[task["id"]] = {"id": "other", "stdout": f"{HOSTILE}\r\n" * 3_000, "stderr": "\x00" * 100_000}
    bad = [
        failure(
            HOSTILE, HOSTILE, param=param, at=BIG * (number - 1), started=-BIG, ended=BIG, exit_code=-(2**50),
            outcome=HOSTILE, settled=HOSTILE, reason=HOSTILE, stderr=f"{HOSTILE}\n" * 500, argv=[HOSTILE, ""],
            host=HOSTILE, minion=HOSTILE,
        )
        for number, param in enumerate(params)
    ]  # fmt: skip
    causes = [{"cause": HOSTILE, "count": 2**52, "first": -BIG, "last": BIG, "samples": [HOSTILE] * 50}]
    feed.failed = {ID: failures(*bad, causes=causes, total=-1), "slow": failures()}  # type: ignore[arg-type]
    feed.silent["slow"] = HOSTILE
    return feed


SCREENS: dict[str, tuple[Callable[[Session], Screen[Any]], str]] = {
    "minion": (lambda session: MinionScreen(session, ID), "down K escape 2 down 3 n 4 5 pagedown 6 1 / [ escape"),
    "lost": (lambda session: MinionScreen(session, "lost"), "2 3 4 5 6"),
    "slow": (lambda session: MinionScreen(session, "slow"), "2 3 4 5 6"),
    "nobody": (lambda session: MinionScreen(session, HOSTILE), "2 3 4 5 6"),
    "failures": (FailuresScreen, "enter down end enter"),
    "log": (LogScreen, "f4 [ b escape"),
    "confirm": (lambda session: ConfirmScreen(session, "Drain", list(session.fleet), HOSTILE), "tab"),
    "answers": (lambda session: AnswersScreen(session, "drain", DRAIN, list(session.fleet)), "down"),
    "choose": (lambda session: ChooseScreen("Sort by", [("x", HOSTILE)], "x", session.glyphs), "down"),
}


def is_sound(app: House, ascii: bool) -> None:
    """All that is drawn is harmless, and as wide as the terminal."""
    width = app.size.width
    for strip in app.screen._compositor.render_strips(app.size):
        assert strip.cell_length == width
        assert strip.text.isprintable()
        assert not ascii or strip.text.isascii(), strip.text
        assert " loud" not in strip.text, "markup was taken for what it says"


@pytest.mark.parametrize(("size", "ascii"), [((80, 24), False), ((60, 20), True), ((200, 60), False)])
@pytest.mark.parametrize(
    "name", [pytest.param("minion", marks=pytest.mark.slow), *(name for name in SCREENS if name != "minion")]
)
def test_nothing_is_obeyed(name: str, size: tuple[int, int], ascii: bool) -> None:
    make, keys = SCREENS[name]

    async def story(pilot: Pilot[None], app: House) -> None:
        is_sound(app, ascii)
        for key in keys.split():
            await pilot.press({"/": "slash", "[": "left_square_bracket"}.get(key, key))
            await settle(pilot)
            is_sound(app, ascii)

    show(make(session_of(hostile_fleet(), hostile_feed(), ascii=ascii)), story, size)


def test_markup_stands_there_as_it_came() -> None:
    async def story(pilot: Pilot[None], app: House) -> None:
        assert "\\x1b[31mred\\x1b[2J [bold]loud[/bold] 日本 two\\nlines" in app.text

    show(MinionScreen(session_of(hostile_fleet(), hostile_feed()), ID), story, (200, 60))


def test_ten_thousand_runs_and_failures_are_drawn_in_no_time() -> None:
    feed, fleet = FakeFeed(), fleet_of({})
    feed.runs["host-1-a"] = [run(str(number), age=float(number)) for number in range(10_000)]
    many = [failure(str(number), f"cause {number}", stderr="x\n" * 100) for number in range(3_000)]
    feed.failed["host-1-a"] = failures(*many)

    async def story(pilot: Pilot[None], app: House) -> None:
        for key in "12":
            await pilot.press(key)
            await settle(pilot)
            before = time.thread_time()
            for _ in range(5):
                feed.now += 1
                app.tick()
                await pilot.pause()
            assert (time.thread_time() - before) / 5 < 0.25

    show(MinionScreen(session_of(fleet, feed), "host-1-a"), story, (200, 60))
