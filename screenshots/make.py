"""Draws the pictures of mtop in this directory: a demo fleet, at a fixed time. ``./check screenshots`` runs it."""

from __future__ import annotations

import asyncio
import math
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from mtop.app import Mtop
from mtop.config import Config
from mtop.demo.feed import DemoFeed
from mtop.model.fleet import Fleet
from mtop.screens.main import MainScreen
from mtop.session import Session
from mtop.view import View
from tests.mtop.snapshots.make import lines, normal

HERE = Path(__file__).parent
MINIONS = 34
"""As many as the first picture has room for: each state is seen there."""

TITLE = f"mtop --demo {MINIONS}"
SECONDS = 51
CPU = 0.02
"""What mtop shows of a core before so many minions that are real. What drawing takes here is nobody's figure."""

PAINTED = "mtop"
"""The one that is made a PNG too, for pages that show no SVG."""


class Shot(NamedTuple):
    """One picture: its file, and how it comes about."""

    name: str
    size: tuple[int, int] = (120, 20)
    keys: Sequence[str] = ()
    sort: str = "id"
    falls: bool = False
    theme: str = "htop"


SHOTS = (
    Shot("mtop", (160, 40)),
    Shot("small", (60, 20)),
    Shot("tree", (140, 18), ("f5", "f5", "f5", "*", "down", "+")),
    Shot("filter", keys=("f4", *"failed>20 and host=c*", "enter"), sort="failed", falls=True),
    Shot("minion", keys=("enter",), sort="oldest", falls=True),
    Shot("output", keys=("enter", "3"), sort="mem", falls=True),
    Shot("latency", keys=("enter", "4"), sort="done", falls=True),
    Shot("failures", keys=("g",)),
    Shot("cause", keys=("g", "enter")),
    Shot("order", keys=("f4", *"dahu", "enter", "T", "d")),
    Shot("setup", (120, 30), ("f2",)),
    Shot("help", (160, 64), ("f1",)),
    Shot("light", theme="light"),
    Shot("colour-blind", theme="colour-blind"),
    Shot("monochrome", theme="monochrome"),
)


def main() -> int:
    """Draw all of them."""
    for shot in SHOTS:
        (HERE / f"{shot.name}.svg").write_text(draw(shot))
        print(shot.name, flush=True)
    if shutil.which("rsvg-convert") is None:
        print("no PNG: rsvg-convert is not installed (on Debian: apt install librsvg2-bin)", file=sys.stderr)
        return 1
    paint(HERE / f"{PAINTED}.svg", HERE / f"{PAINTED}.png")
    return 0


def draw(shot: Shot) -> str:
    """Draw one, as SVG that loads nothing from elsewhere."""
    with _utc():
        svg = normal(asyncio.run(_drawn(shot)))
    # Without it some programs take blanks at the beginning of a text away.
    return svg.replace("<svg ", '<svg xml:space="preserve" ', 1)


def paint(svg: Path, png: Path) -> None:
    """Make a PNG. rsvg-convert knows no textLength: its font must be as wide as the cells, which are 12.2."""
    font = "font-family: DejaVu Sans Mono, monospace; font-size: 20.264px"
    text = re.sub(r"font-family: Fira Code, monospace;\s*font-size: 20px", font, svg.read_text())
    subprocess.run(["rsvg-convert", "--width=1440", f"--output={png}"], input=text.encode(), check=True)


async def _drawn(shot: Shot) -> str:
    app = Mtop(_session(shot))
    app._cpu = (math.inf, 0.0)
    async with app.run_test(size=shot.size) as pilot:
        screen = app.screen
        assert isinstance(screen, MainScreen)
        screen.head.cpu = CPU
        screen.tick()
        for key in shot.keys:
            await pilot.press(key)
        before, svg = "", app.export_screenshot(title=TITLE)
        while before != (now := "\n".join(lines(svg))):
            # Answers of minions are on their way.
            await pilot.pause(0.05)
            before, svg = now, app.export_screenshot(title=TITLE)
        return svg


def _session(shot: Shot) -> Session:
    """Look on for a while."""
    now = [0.0]
    feed = DemoFeed(MINIONS, clock=lambda: now[0])
    config, view = Config(theme=shot.theme, delay=3600.0), View(shot.sort, shot.falls)
    session = Session(feed, Fleet(feed.user, feed.clock()), config, view=view)
    for second in range(SECONDS):
        now[0] = float(second)
        feed.tell(session.fleet)
        session.fleet.advance(feed.clock(), feed.wall())
    return session


@contextmanager
def _utc() -> Iterator[None]:
    """Show times of day as UTC, wherever this runs."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = "UTC"
    time.tzset()
    try:
        yield
    finally:
        os.environ.pop("TZ")
        if before is not None:
            os.environ["TZ"] = before
        time.tzset()


if __name__ == "__main__":
    sys.exit(main())
