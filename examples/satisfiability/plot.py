#!/usr/bin/env python3
"""Plots what ``run.py`` found. Usage: plot.py RESULTS PLOT.svg.

Plots the records of ``solve`` in a directory: the share of satisfiable instances, and the time that minisat took, by
clauses for each variable. On the terminal and as SVG, with nothing but the standard library.
"""

import json
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple


class Point(NamedTuple):
    ratio: float
    number: int
    share: float
    low: float
    middle: float
    high: float


def points(results: Path) -> list[Point]:
    """Read the records; each instance counts once, even if it ran twice."""
    found: dict[float, dict[str, tuple[bool, float]]] = defaultdict(dict)
    for path in sorted(results.glob("*.jsonl")):
        for line in path.read_bytes().splitlines():
            try:
                record = json.loads(line)
            except ValueError:
                continue
            if record["outcome"] == "succeeded":
                ratio, seed, verdict, _, seconds = record["stdout"].split()
                found[float(ratio)][seed] = (verdict == "sat", float(seconds))
    return [_point(ratio, list(each.values())) for ratio, each in sorted(found.items())]


def _point(ratio: float, runs: list[tuple[bool, float]]) -> Point:
    seconds = sorted(each for _, each in runs)
    low, _, high = quantiles(seconds, n=4, method="inclusive") if len(seconds) > 1 else seconds * 3
    return Point(ratio, len(runs), sum(sat for sat, _ in runs) / len(runs), low, median(seconds), high)


def text(plotted: list[Point]) -> str:
    """Plot with bars, for the terminal."""
    slowest = max(point.middle for point in plotted) or 1.0
    lines = [f"{'clauses per':>11}  {'satisfiable':<27}  time of minisat (median)", f"{'variable':>11}"]
    for point in plotted:
        share = f"{bar(point.share, 20):<20} {point.share:>5.0%}"
        lines.append(f"{point.ratio:>11.1f}  {share:<27}  {bar(point.middle / slowest, 20):<20} {point.middle:.3f} s")
    return "\n".join(lines)


def bar(share: float, width: int) -> str:
    """Draw a bar, to an eighth of a character."""
    whole, part = divmod(round(share * width * 8), 8)
    return "█" * whole + " ▏▎▍▌▋▊▉"[part].strip()


WIDTH, LEFT, RIGHT, HEIGHT, GAP, TOP = 720, 70, 20, 200, 64, 64
INK, SAT, TIME, GRID = "#24292f", "#0b7285", "#c2410c", "#d0d7de"
Scale = Callable[[float], float]


def svg(plotted: list[Point]) -> str:
    """Plot as SVG: two panels, one above the other, with the same x axis."""
    first, last = plotted[0].ratio, plotted[-1].ratio
    slowest = nice(max(point.high for point in plotted))

    def x(ratio: float) -> float:
        return LEFT + (ratio - first) / ((last - first) or 1.0) * (WIDTH - LEFT - RIGHT)

    def scale(top: float, most: float) -> Scale:
        return lambda value: top + HEIGHT * (1 - value / most)

    second = TOP + HEIGHT + GAP
    share, time = scale(TOP, 1.0), scale(second, slowest)
    number = sum(point.number for point in plotted)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {second + HEIGHT + 60}" width="{WIDTH}" '
        f'font-family="sans-serif" font-size="13" fill="{INK}">',
        '<rect width="100%" height="100%" fill="white"/>',
        words(LEFT, 22, f"Random 3-SAT, {number} instances, solved by minisat", size=16),
        *panel(x, share, [0, 0.25, 0.5, 0.75, 1], lambda value: f"{value:.0%}", plotted, "satisfiable"),
        line([(x(p.ratio), share(p.share)) for p in plotted], SAT),
        *panel(
            x, time, [slowest * n / 4 for n in range(5)], lambda value: f"{value:g} s", plotted, "time, with quartiles"
        ),
        *(line([(x(p.ratio), time(p.low)), (x(p.ratio), time(p.high))], TIME, dots=False) for p in plotted),
        line([(x(p.ratio), time(p.middle)) for p in plotted], TIME),
        words((LEFT + WIDTH - RIGHT) / 2, second + HEIGHT + 48, "clauses per variable", anchor="middle"),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def nice(value: float) -> float:
    """Round up to 1, 2, 4 or 8 times a power of ten."""
    power = 1e-3
    while True:
        for factor in (1, 2, 4, 8):
            if value <= factor * power:
                return factor * power
        power *= 10


def panel(
    x: Scale, y: Scale, marks: list[float], name: Callable[[float], str], plotted: list[Point], title: str
) -> list[str]:
    """Draw the axes of a panel."""
    parts = [words(LEFT, y(marks[-1]) - 8, title)]
    for mark in marks:
        parts.append(f'<path d="M{LEFT} {y(mark):.1f}H{WIDTH - RIGHT}" stroke="{GRID}"/>')
        parts.append(words(LEFT - 8, y(mark) + 4, name(mark), anchor="end"))
    at = -100.0
    for point in plotted:
        # Where ratios stand close together, not every one has room for its number.
        if x(point.ratio) - at >= 26:
            at = x(point.ratio)
            parts.append(words(at, y(0) + 20, f"{point.ratio:.1f}", anchor="middle"))
    return parts


def line(dots_at: list[tuple[float, float]], colour: str, dots: bool = True) -> str:
    """Draw a line, with a dot at each point."""
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in dots_at)
    drawn = f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
    if dots:
        drawn += "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in dots_at)
    return drawn


def words(x: float, y: float, said: str, anchor: str = "start", size: int = 13) -> str:
    """Write a few words."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}">{said}</text>'


def main() -> int:
    """Plot."""
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    plotted = points(Path(sys.argv[1]))
    if not plotted:
        print(f"plot.py: no results in {sys.argv[1]}", file=sys.stderr)
        return 1
    Path(sys.argv[2]).write_text(svg(plotted))
    print(f"{text(plotted)}\n\nplot: {sys.argv[2]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
