"""One line of the grid as parts, each with its role. Pure: the grid only colours and paints them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mtop.columns import Column, cell
from mtop.format import Glyphs, fit, safe
from mtop.meters import Part
from mtop.view import Line

__all__ = ["GUTTER", "head_parts", "line_parts", "line_text"]

GUTTER = 1
"""Cells at the left that show what is special about a line."""


def head_parts(columns: Sequence[Column], widths: Sequence[int], sort: str, falls: bool, glyphs: Glyphs) -> list[Part]:
    """Write the titles of the columns."""
    parts: list[Part] = [(" " * GUTTER, "head")]
    for column, cells in zip(columns, widths, strict=True):
        chosen = column.key == sort
        title = column.title + (glyphs("▼", "v") if falls else glyphs("▲", "^")) if chosen else column.title
        # The sign may take the blank behind a title that fills its column.
        room = cells + (chosen and len(title) > cells)
        parts.append((fit(title, room, column.right).ljust(cells + 1), "sorted" if chosen else "head"))
    return parts


def line_parts(
    line: Line,
    columns: Sequence[Column],
    widths: Sequence[int],
    known: Mapping[str, Column],
    glyphs: Glyphs,
    tagged: bool,
    tree: bool,
) -> list[Part]:
    """Write a line.

    Args:
        line: The minion or the group.
        columns: What is shown of it, and how wide each is.
        widths: Cells of each.
        known: All columns by name.
        glyphs: What the terminal can draw.
        tagged: Whether it is tagged.
        tree: Whether minions stand in groups.
    """
    minion = line.minion
    values = line.values(known)
    ellipsis = glyphs("…", "~")
    every = _role_of_all(line, tagged)
    parts: list[Part] = [(_mark(line, tagged), "tagged" if tagged else "bad")]
    for column, cells in zip(columns, widths, strict=True):
        if column.key == "id":
            text = _name(line, tree, glyphs)
        else:
            text = glyphs.text(cell(column, values, line.history if column.draw else (), glyphs))
        role = every or (column.role(minion) if minion is not None else "")
        if every == "dim" and column.key == "state" and minion is not None:
            role = column.role(minion)
        parts.append((fit(text, cells, column.right, ellipsis) + " ", role))
    return parts


def line_text(line: Line, columns: Sequence[Column], known: Mapping[str, Column], glyphs: Glyphs) -> str:
    """Write a line to be copied: its values, separated by tabs."""
    values = line.values(known)
    cells = (cell(column, values, line.history, glyphs).strip() for column in columns if column.key != "id")
    name = line.minion.id if line.minion is not None else line.group.name if line.group is not None else ""
    return "\t".join([safe(name), *cells])


def _role_of_all(line: Line, tagged: bool) -> str:
    """Return the role of all cells: who is tagged, is no more, or is a group looks alike in all of them."""
    if tagged:
        return "tagged"
    if line.minion is None:
        return "group"
    return "dim" if line.minion.ended else ""


def _mark(line: Line, tagged: bool) -> str:
    if tagged:
        return "*"
    return "!" if any(minion.straggles or minion.suspect for minion in line.minions) else " "


def _name(line: Line, tree: bool, glyphs: Glyphs) -> str:
    if line.group is not None:
        sign = glyphs("▾ ", "- ") if line.group.open else glyphs("▸ ", "+ ")
        return glyphs.text(f"{sign}{safe(line.group.name)} ({len(line.group.minions)})")
    name = glyphs.text(safe(line.minion.id if line.minion is not None else ""))
    if not tree:
        return name
    return (glyphs("└─", "`-") if line.last else glyphs("├─", "|-")) + name
