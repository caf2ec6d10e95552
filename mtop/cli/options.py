"""All options: ONE entry in SECTIONS adds one to the command line and to its help."""

from __future__ import annotations

import click

from mtop.cli.words import Address, Number, Seconds, Url, Word, Words

__all__ = ["SECTIONS", "parameters"]


def _columns() -> list[str]:
    from mtop.columns import COLUMNS

    return [column.key for column in COLUMNS]


def _themes() -> tuple[str, ...]:
    from mtop.config import THEMES

    return THEMES


def _trees() -> tuple[str, ...]:
    from mtop.view import TREES

    return TREES


_PATH = click.Path()

SECTIONS: tuple[tuple[str, tuple[click.Option, ...]], ...] = (
    (
        "What is looked at",
        (
            click.Option(
                ["-r", "--registry", "registries"], multiple=True, metavar="PLACE",
                help="Where minions are announced: dir:PATH, redis://HOST; may be repeated. [MINION_REGISTRY; else in "
                "your home]",
            ),
            click.Option(
                ["--token-file"], type=_PATH, metavar="FILE",
                help="The token of the minions at URLs: without it they are shown, not controlled.",
            ),
            click.Option(
                ["-d", "--delay"], type=Seconds(0.1, 3600), metavar="SECONDS",
                help="Ask every minion so often, and draw so often. [1, or what F2 has kept]",
            ),
            click.Option(
                ["--demo"], type=Number(1, 100_000), metavar="N", help="Show N minions that are made up.",
            ),
            click.Option(
                ["--replay"], type=_PATH, metavar="PATH",
                help="Show a recording; or a report directory, as a post-mortem.",
            ),
            click.Option(["--record"], type=_PATH, metavar="FILE", help="Write what is seen to FILE, for --replay."),
        ),
    ),
    (
        "What is shown",
        (
            click.Option(["-F", "--filter"], metavar="EXPR", help="Only these minions; see below."),
            click.Option(
                ["-s", "--sort"], type=Word("column", _columns), metavar="COLUMN", help="Sort by this. [id]"
            ),
            click.Option(
                ["--columns"], type=Words("column", _columns), metavar="A,B,C", help="These columns, in this order."
            ),
            click.Option(
                ["--tree"], type=Word("tree", _trees), metavar="flat|host|job|queue",
                help="Group the lines, and sum them up.",
            ),
        ),
    ),
    (
        "The screen",
        (
            click.Option(
                ["--theme"], type=Word("theme", _themes), metavar="NAME",
                help="htop, light, colour-blind, or monochrome.",
            ),
            click.Option(
                ["--ascii"], is_flag=True, help="Draw with ASCII only. [unless the locale is UTF-8]"
            ),
            click.Option(["--no-color"], is_flag=True, help="No colours. [NO_COLOR]"),
            click.Option(["--no-mouse"], is_flag=True, help="Leave the mouse to the terminal."),
            click.Option(["--readonly"], is_flag=True, help="Give no orders to minions."),
            click.Option(
                ["--serve"], type=Address(), metavar="[HOST:]PORT",
                help="Offer the screen to a browser on this host, or on HOST.",
            ),
        ),
    ),
    (
        "Without a screen",
        (
            click.Option(["--once"], is_flag=True, help="Write one table."),
            click.Option(["--json"], is_flag=True, help="Write one line of JSON; with -d one every SECONDS."),
            click.Option(["--csv"], is_flag=True, help="Write CSV: a line for each minion."),
        ),
    ),
    (
        "Other",
        (click.Option(["--version"], is_flag=True, help="Print the version."),),
    ),
)  # fmt: skip
"""What there is, under the headings of the help."""


def parameters() -> list[click.Parameter]:
    """Return all that can stand on the command line."""
    urls = click.Argument(["urls"], nargs=-1, metavar="[URL]...", type=Url())
    return [urls, *(option for _, options in SECTIONS for option in options)]
