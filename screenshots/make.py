"""Draws the pictures of mtop in this directory: a demo fleet, at a fixed time. ``./check screenshots`` runs it."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from mtop.app import Mtop
from mtop.config import Config
from mtop.demo.feed import DemoFeed
from mtop.model.fleet import Fleet
from mtop.session import Session
from tests.mtop.snapshots.make import normal

HERE = Path(__file__).parent
MINIONS = 36
SECONDS = 75
PAINTED = "mtop"
"""The one that is made a PNG too, for pages that show no SVG."""


class Shot(NamedTuple):
    """One picture: its file, and how it comes about."""

    name: str
    size: tuple[int, int] = (140, 36)
    theme: str = "htop"
    keys: Sequence[str] = ()


SHOTS = (
    Shot("mtop"),
    Shot("tree", keys=("f5", "f5")),
    Shot("minion", (110, 24), keys=("down",) * 6 + ("enter",)),
    Shot("latency", (110, 24), keys=("down",) * 6 + ("enter", "4")),
    Shot("failures", (110, 24), keys=("g",)),
    Shot("order", (110, 24), keys=("space", "space", "space", "d")),
    Shot("help", (110, 36), keys=("f1",)),
    Shot("light", theme="light"),
    Shot("colour-blind", theme="colour-blind"),
    Shot("monochrome", theme="monochrome"),
    Shot("small", (60, 20)),
)


def draw(shot: Shot) -> str:
    """Draw one, as SVG that loads nothing from elsewhere."""
    now = [0.0]
    feed = DemoFeed(MINIONS, clock=lambda: now[0])
    session = Session(feed, Fleet(feed.user, feed.clock()), Config(theme=shot.theme, delay=3600.0))
    for second in range(SECONDS):
        now[0] = float(second)
        feed.tell(session.fleet)
        session.fleet.advance(feed.clock(), feed.wall())
    app = Mtop(session)
    # What mtop takes here is nobody's figure.
    app._cpu = (float("inf"), 0.0)

    async def drawn() -> str:
        async with app.run_test(size=shot.size) as pilot:
            await pilot.pause()
            await pilot.press(*shot.keys)
            for _ in range(10):
                await pilot.pause(0.05)
            return app.export_screenshot(title="mtop")

    svg = normal(asyncio.run(drawn()))
    # Without it some programs take blanks at the beginning of a text away.
    return svg.replace("<svg ", '<svg xml:space="preserve" ', 1)


def main() -> int:
    """Draw all of them."""
    for shot in SHOTS:
        (HERE / f"{shot.name}.svg").write_text(draw(shot))
        print(shot.name, flush=True)
    if shutil.which("rsvg-convert") is None:
        print("no PNG: rsvg-convert is not installed (on Debian: apt install librsvg2-bin)", file=sys.stderr)
        return 1
    subprocess.run(["rsvg-convert", "-w", "1400", "-o", HERE / f"{PAINTED}.png", HERE / f"{PAINTED}.svg"], check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
