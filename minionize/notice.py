"""Things a user should know that stop nobody: a queue that was made, a setting that limits runs."""

from __future__ import annotations

from minionize.console import say

__all__ = ["notice"]


def notice(engine: str, message: str, *details: object) -> None:
    """Say something through the logger ``minionize.ENGINE``, or on stderr where nobody has set up logging.

    Args:
        engine: Name of the engine.
        message: With a %s for each detail.
        details: What stands there.
    """
    # Importing it takes longer than all the rest, and most minions have nothing to say.
    import logging

    logger = logging.getLogger(f"minionize.{engine}")
    if logger.hasHandlers():
        logger.warning(message, *details)
    else:
        say(message % details if details else message)
