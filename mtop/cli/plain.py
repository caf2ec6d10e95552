"""``--once``, ``--json`` and ``--csv``: a look at the fleet without a screen."""

from __future__ import annotations

import gc
import math
import os
import sys
import time
from typing import TYPE_CHECKING, Any

from mtop.cli.feeds import live_feed, past_feed
from mtop.once.show import Choice, show, stream
from mtop.once.sight import Look, feed_look, live_look

if TYPE_CHECKING:
    from mtop.once.table import Paper

__all__ = ["plain"]


def plain(given: dict[str, Any]) -> int:
    """Write what the user wants to know; return the exit status."""
    keep = None
    if given["filter"] is not None:
        from mtop.filters import parse

        keep = parse(given["filter"])
    choice = Choice(
        form="json" if given["json"] else "csv" if given["csv"] else "table",
        paper=lambda: _paper(given),
        keep=keep,
        columns=given["columns"],
        sort=given["sort"],
        tree=given["tree"],
    )
    look = _look(given)
    if given["delay"] is None:
        return show(look, choice)
    gc.enable()
    return stream(look, choice, given["delay"], time.monotonic)


def _paper(given: dict[str, Any]) -> Paper:
    from mtop.cli.terminal import glyphs_of
    from mtop.once.table import paper_of

    return paper_of(sys.stdout, os.environ, glyphs_of(given["ascii"], os.environ, sys.stdout), given["no_color"])


def _look(given: dict[str, Any]) -> Look:
    if given["replay"] is not None:
        from mtop.recording.choose import replay_of

        recording = replay_of(given["replay"])
        look = feed_look(recording)
        # As it was at the end.
        recording.seek(math.inf)
        return look
    past = past_feed(given)
    return live_look(live_feed(given, given["delay"] or 1.0)) if past is None else feed_look(past)
