"""The screen: what it shows, and how it starts."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from minionize.console import say
from minionize.errors import SettingsError
from mtop.cli.extra import needed
from mtop.cli.feeds import feed_of
from mtop.cli.terminal import glyphs_of

if TYPE_CHECKING:
    from mtop.config import Config

__all__ = ["screen"]

_BY_BROWSER = "TEXTUAL_DRIVER"
"""Set where something else than a terminal is drawn on: by textual-serve."""


def screen(given: dict[str, Any]) -> int:
    """Show the fleet until the user leaves; return the exit status."""
    if given["filter"]:
        # A mistake is better known before the screen is there.
        from mtop.filters import parse

        parse(given["filter"])
    # It is drawn on stderr.
    terminal = all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))
    if not terminal and _BY_BROWSER not in os.environ:
        raise SettingsError("the screen needs a terminal, for stderr too; --once, --json and --csv do without")
    run_app = needed("mtop.app").run_app

    from mtop.config import load
    from mtop.model.events import Event
    from mtop.model.fleet import Fleet
    from mtop.session import Session
    from mtop.view import View

    kept, notes = load(os.environ)
    config = _wanted(kept, given)
    feed = feed_of(given, config.delay)
    fleet = Fleet(feed.user, feed.clock())
    for words in notes:
        say(words, "mtop")
        fleet.events.note(Event(feed.wall(), words, "warning"))
    session = Session(
        feed, fleet, config, glyphs_of(given["ascii"], os.environ, sys.stdout), given["readonly"],
        View(config.sort, config.falls, config.tree),
    )  # fmt: skip
    code: int = run_app(session, mouse=not given["no_mouse"], no_color=given["no_color"], filter=given["filter"])
    return code


def _wanted(kept: Config, given: dict[str, Any]) -> Config:
    """Put what stands on the command line over what is kept."""
    said = {key: given[key] for key in ("theme", "delay", "sort", "tree", "columns") if given[key] is not None}
    if "sort" in said:
        from mtop.columns import by_key

        said["falls"] = by_key()[said["sort"]].falls
    return replace(kept, **said)
