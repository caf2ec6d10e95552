"""What can be shown where the text goes: how wide it is, in which colours, with which characters."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TextIO

from minionize.console import printable
from minionize.status.words import short

__all__ = ["COLOURS", "Canvas", "canvas_of", "plain"]

NARROWEST = 40
WIDEST = 160
_PIPED = 100

COLOURS = {
    "succeeded": "32",
    "failed": "31",
    "timed_out": "33",
    "preempted": "35",
    "could_not_start": "91",
    "in flight": "36",
    "title": "1",
    "dim": "2",
}
"""What is shown in which colour of the terminal's own."""

_ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
_ASCII = {
    **dict.fromkeys(map(ord, "█▉▊▋▌▐▀▄▖▗▘▙▚▛▜▝▞▟■"), "#"),
    **dict.fromkeys(map(ord, "┤├┼┬┴└┘┌┐"), "+"),
    **dict(zip(map(ord, "▁▂▃▅▆▇"), ".:-=+*", strict=True)),
    **dict.fromkeys(map(ord, "│▍▎▏"), "|"),
    ord("─"): "-",
    ord("µ"): "u",
    ord("…"): "~",
}


class Canvas(NamedTuple):
    """Where text is shown.

    Attributes:
        width: Columns.
        height: Lines that there are, if all must be seen at once; None where it may be longer.
        colour: Whether colours are shown.
        ascii: Whether there is nothing but ASCII.
    """

    width: int
    height: int | None = None
    colour: bool = False
    ascii: bool = False

    def paint(self, what: str, text: str) -> str:
        """Colour a text, if there are colours."""
        return f"\x1b[{COLOURS[what]}m{text}\x1b[0m" if self.colour and text else text

    def cut(self, text: str, width: int) -> str:
        """Make foreign text harmless, and as short as this."""
        return short(printable(text), width)

    def finished(self, lines: Sequence[str]) -> str:
        """Put the lines together, in the characters that there are."""
        text = "".join(f"{line.rstrip()}\n" for line in lines)
        return text.translate(_ASCII) if self.ascii else text


def plain(text: str) -> str:
    """Take the colours away."""
    return _ESCAPE.sub("", text)


def canvas_of(stream: TextIO | None, environ: Mapping[str, str]) -> Canvas:
    """Find out what a stream shows.

    Args:
        stream: Standard output.
        environ: NO_COLOR, TERM and COLUMNS are looked at.
    """
    from shutil import get_terminal_size

    terminal = stream is not None and stream.isatty()
    columns = get_terminal_size((80, 24)).columns if terminal else _number(environ.get("COLUMNS")) or _PIPED
    dumb = environ.get("TERM", "") in ("", "dumb")
    return Canvas(
        width=max(NARROWEST, min(columns, WIDEST)),
        colour=terminal and not environ.get("NO_COLOR") and not dumb,
        ascii=not _takes_blocks(stream),
    )


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdecimal() else 0


def _takes_blocks(stream: TextIO | None) -> bool:
    try:
        "█▗│…".encode(getattr(stream, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
