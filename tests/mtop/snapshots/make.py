"""Draws the pictures that the tests compare: a recording of a demo fleet, at a fixed time.

``python -m tests.mtop.snapshots.make`` writes them anew; ``--recording`` also makes the recording anew.
"""

from __future__ import annotations

import asyncio
import math
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from mtop.app import Mtop
from mtop.config import THEMES, Config
from mtop.demo.feed import DemoFeed
from mtop.format import Glyphs
from mtop.model.fleet import Fleet
from mtop.recording.record import RecordingFeed
from mtop.recording.replay import ReplayFeed
from mtop.session import Session

HERE = Path(__file__).parent
RECORDING = HERE / "fleet.mtop.gz"
SIZES = ((200, 60), (80, 24), (60, 20))
WATCHED = 90
"""Seconds that were recorded."""

AT = 80.0


class Picture(NamedTuple):
    """One picture: its file's name, and how it comes about."""

    name: str
    size: tuple[int, int]
    theme: str = "htop"
    keys: Sequence[str] = ()
    ascii: bool = False
    no_color: bool = False


PICTURES = (
    *(Picture(f"{width}x{height}", (width, height)) for width, height in SIZES),
    *(Picture(theme, (120, 32), theme) for theme in THEMES),
    Picture("no-color", (80, 24), no_color=True),
    Picture("ascii", (80, 24), ascii=True, keys=("t",)),
    Picture("tree", (120, 32), keys=("t", "down", "minus", "s")),
    Picture("sort", (80, 24), keys=("f6",)),
    Picture("search", (80, 24), keys=("f3", "d", "a", "h")),
    Picture("filter", (80, 24), keys=("f4", *"failed>9 and cpu>1", "enter")),
    Picture("help", (80, 24), keys=("f1",)),
    Picture("setup", (80, 24), keys=("f2",)),
    Picture("minion", (80, 24), keys=("enter", "4")),
    Picture("info", (80, 24), keys=("enter", "5")),
    Picture("log", (80, 24), keys=("l",)),
)


def record() -> None:
    """Make the recording."""
    RECORDING.unlink(missing_ok=True)
    now = [0.0]
    feed = RecordingFeed(DemoFeed(36, clock=lambda: now[0]), str(RECORDING))
    fleet = Fleet(feed.user, feed.clock())
    feed.start()
    for second in range(WATCHED):
        now[0] = float(second)
        feed.tell(fleet)
        fleet.advance(feed.clock(), feed.wall())
    feed.close()


def draw(picture: Picture) -> str:
    """Draw one picture, as SVG."""
    feed = ReplayFeed(str(RECORDING), clock=lambda: 0.0)
    feed.seek(AT)
    session = Session(
        feed, Fleet(feed.user, feed.clock()), Config(theme=picture.theme, delay=3600.0), Glyphs(picture.ascii)
    )
    app = Mtop(session, no_color=picture.no_color)
    # What drawing costs here and now is in no picture.
    app._cpu = (math.inf, 0.0)

    async def drawn() -> str:
        async with app.run_test(size=picture.size) as pilot:
            await pilot.pause()
            await pilot.press(*picture.keys)
            for _ in range(3):
                await pilot.pause()
            return app.export_screenshot()

    return normal(asyncio.run(drawn()))


def normal(svg: str) -> str:
    """Leave out what differs from time to time, and where fonts would be loaded from."""
    svg = re.sub(r"terminal-\d+", "terminal", svg)
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)


def lines(svg: str) -> Iterator[str]:
    """Yield the texts of a picture, line by line, so that people see what differs."""
    import html

    rows: dict[float, list[tuple[float, str]]] = {}
    for x, y, text in re.findall(r'<text class="[^"]*" x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]*)</text>', svg):
        rows.setdefault(float(y), []).append((float(x), html.unescape(text).replace("\xa0", " ")))
    for y in sorted(rows):
        yield "".join(text for _, text in sorted(rows[y])).rstrip()


if __name__ == "__main__":
    if "--recording" in sys.argv[1:] or not RECORDING.exists():
        record()
    for each in PICTURES:
        (HERE / f"{each.name}.svg").write_text(draw(each))
        print(each.name, flush=True)
