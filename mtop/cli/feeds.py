"""The feed that the command line asks for: real minions, made-up ones, or a recording."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from minionize.console import say
from mtop.cli.extra import needed
from mtop.cli.sources import registries_of, token_from

if TYPE_CHECKING:
    from mtop.feed import Feed
    from mtop.live.feed import LiveFeed

__all__ = ["feed_of", "live_feed", "past_feed"]


def feed_of(given: dict[str, Any], delay: float) -> Feed:
    """Make the feed of the screen.

    Args:
        given: The command line.
        delay: Seconds between two polls of a minion.

    Raises:
        SettingsError: There is nothing that could be shown, or nothing can be recorded there.
    """
    feed: Feed = past_feed(given) or live_feed(given, delay)
    if given["record"] is not None:
        from mtop.recording.record import RecordingFeed

        feed = RecordingFeed(feed, given["record"])
    return feed


def past_feed(given: dict[str, Any]) -> Feed | None:
    """Make the feed of made-up minions, or of what was recorded; None if real minions are wanted.

    Raises:
        SettingsError: There is no such recording.
    """
    if given["demo"] is not None:
        from mtop.demo.feed import DemoFeed

        return DemoFeed(given["demo"], interval=given["delay"])
    if given["replay"] is not None:
        from mtop.recording.choose import replay_of

        return replay_of(given["replay"])
    return None


def live_feed(given: dict[str, Any], delay: float) -> LiveFeed:
    """Make the feed of real minions.

    Raises:
        SettingsError: There is nowhere to look, or no token in its file.
    """
    token, fault = (None, None) if given["token_file"] is None else token_from(given["token_file"])
    if fault:
        say(f"warning: {fault}", "mtop")
    registries = registries_of(given["registries"], given["urls"], os.environ)
    made: LiveFeed = needed("mtop.live.feed").LiveFeed(
        registries, given["urls"], environ=os.environ, interval=delay, token=token
    )
    return made
