"""The answer of ``--once``: what the screen shows, as text."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, TextIO

from mtop.columns import Column, by_key, cell, fitting
from mtop.feed import Cost
from mtop.format import Glyphs, safe
from mtop.meters import METERS, Part
from mtop.model.fleet import Fleet
from mtop.view import Line

__all__ = ["Paper", "paper_of", "table"]

_PIPED, _TERMINAL = 200, 80
"""Cells, where nobody says how many there are."""

_LEFT_OUT = "cost"
"""The meter of what mtop itself takes: too little, for one look."""

_COLOURS = {
    "good": "32", "bad": "1;31", "warn": "33", "dim": "2", "title": "1", "accent": "36", "state-starting": "34",
    "state-running": "32", "state-paused": "35", "state-draining": "33", "state-stopped": "2", "state-stale": "1;33",
    "state-lost": "1;31", "state-unknown": "2",
}  # fmt: skip
"""Roles in colours of the terminal's own, which its user can see. No state is told by its colour alone."""


class Paper(NamedTuple):
    """What the text is written on.

    Attributes:
        width: Cells.
        glyphs: What can be drawn.
        colour: Whether there are colours.
    """

    width: int
    glyphs: Glyphs
    colour: bool = False

    def paint(self, role: str, text: str) -> str:
        """Colour a text, if there are colours."""
        colour = _COLOURS.get(role, "") if self.colour and text.strip() else ""
        return f"\x1b[{colour}m{text}\x1b[0m" if colour else text


def paper_of(stream: TextIO | None, environ: Mapping[str, str], glyphs: Glyphs, no_color: bool = False) -> Paper:
    """Find out what a stream shows.

    Args:
        stream: Standard output.
        environ: NO_COLOR, TERM and COLUMNS are looked at.
        glyphs: What can be drawn.
        no_color: Whether the user wants no colours.
    """
    terminal = stream is not None and stream.isatty()
    colour = terminal and not no_color and not environ.get("NO_COLOR") and environ.get("TERM", "") not in ("", "dumb")
    said = environ.get("COLUMNS", "")
    columns = int(said) if said.isascii() and said.isdecimal() else 0
    return Paper(columns or (_wide(stream) if terminal else _PIPED), glyphs, colour)


def _wide(stream: TextIO | None) -> int:
    try:
        return (os.get_terminal_size(stream.fileno()).columns if stream else 0) or _TERMINAL
    except OSError:
        return _TERMINAL


def table(fleet: Fleet, lines: Sequence[Line], columns: Sequence[Column], paper: Paper, all: bool = False) -> str:
    """Write the sums of a fleet, and its lines below.

    Args:
        fleet: The fleet; its totals are shown.
        lines: What is shown of it.
        columns: What is wanted.
        paper: What it is written on.
        all: Whether all columns are written, whole, also those for which there is no room.
    """
    tracks = [_Track(column, _cells(column, lines, paper.glyphs)) for column in columns]
    if any(line.group is not None for line in lines):
        tracks[0] = _Track(columns[0], _named(lines, tracks[0].cells, paper.glyphs))
    if not all:
        tracks = _within(paper.width, tracks)
    roles = [["title"] * len(tracks), *(_roles(line, tracks) for line in lines)]
    rows = (_row(number, tracks, each, paper) for number, each in enumerate(roles))
    return "".join(f"{text.rstrip()}\n" for text in (*_head(fleet, paper), "", *rows))


class _Track:
    """What stands in a column: the title, and a cell for each line; and how wide it is."""

    def __init__(self, column: Column, cells: list[str]) -> None:
        self.column, self.cells = column, cells
        self.width = max(map(width, cells))


def _head(fleet: Fleet, paper: Paper) -> Iterator[str]:
    """Write the meters, as many in a line as there is room for."""
    taken, words = 0, ""
    for meter in METERS:
        if meter.key == _LEFT_OUT:
            continue
        parts: list[Part] = [(f"{meter.title} ", "title"), *meter.read(fleet, Cost(), 0.0).text]
        # Numbers stand to the right there; here nothing is below them.
        parts[1] = (parts[1][0].lstrip(), parts[1][1])
        long = sum(width(text) for text, _ in parts)
        if taken and taken + 3 + long > paper.width:
            yield words
            taken, words = 0, ""
        gap = " " * 3 if taken else ""
        words += gap + "".join(paper.paint(role, paper.glyphs.text(text)) for text, role in parts)
        taken += len(gap) + long
    yield words


def _cells(column: Column, lines: Sequence[Line], glyphs: Glyphs) -> list[str]:
    known = dict(by_key())
    cells = (cell(column, line.values(known), (), glyphs) for line in lines)
    return [column.title, *(glyphs.text(text).strip() for text in cells)]


def _named(lines: Sequence[Line], cells: Sequence[str], glyphs: Glyphs) -> list[str]:
    """Write the names of groups into the first column; their minions stand below them."""
    title, *texts = cells
    named = (
        f"  {text}" if line.group is None else glyphs.text(f"{safe(line.group.name)} ({len(line.minions)})")
        for line, text in zip(lines, texts, strict=True)
    )
    return [title, *named]


def _within(room: int, tracks: Sequence[_Track]) -> list[_Track]:
    """Leave out what there is no room for; the most important columns get what is left."""
    least = [replace(track.column, width=min(track.width, track.column.width)) for track in tracks]
    chosen = {column.key: column.width for column in fitting(least, room + 1)}
    shown = [track for track in tracks if track.column.key in chosen]
    left = room + 1 - sum(chosen.values()) - len(shown)
    for track in sorted(shown, key=lambda track: track.column.rank):
        least_wide = chosen[track.column.key]
        more = max(0, min(track.width - least_wide, left))
        track.width = least_wide + more
        left -= more
    return shown


def _roles(line: Line, tracks: Sequence[_Track]) -> list[str]:
    minion = line.minion
    return ["title" if minion is None else track.column.role(minion) for track in tracks]


def _row(number: int, tracks: Sequence[_Track], roles: Sequence[str], paper: Paper) -> str:
    return " ".join(
        paper.paint(role, _fit(track.cells[number], track.width, track.column.right, paper.glyphs))
        for track, role in zip(tracks, roles, strict=True)
    )


def width(text: str) -> int:
    """Return how many cells a text takes. What the screen uses for it takes long to import."""
    if text.isascii():
        return len(text)
    from unicodedata import category, east_asian_width

    return sum(0 if category(char) in ("Mn", "Me") else 1 + (east_asian_width(char) in "WF") for char in text)


def _fit(text: str, cells: int, right: bool, glyphs: Glyphs) -> str:
    """Make a text exactly so wide; what is too long is cut, and shows it."""
    if width(text) > cells:
        kept = 0
        while width(text[: kept + 1]) < cells:
            kept += 1
        text = text[:kept] + glyphs("…", "~")
    blanks = " " * (cells - width(text))
    return blanks + text if right else text + blanks
