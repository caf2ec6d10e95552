"""Opens the queue that the settings name, for a look at it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from minionize.engine import Engine
from minionize.host import new_minion_id
from minionize.plugins import load_engine
from minionize.settings import Settings

__all__ = ["opened"]


@contextmanager
def opened(settings: Settings) -> Iterator[Engine]:
    """Open the engine; take nothing from it; close it.

    Raises:
        MinionizeError: The settings are wrong, or the queue cannot be used.
    """
    kind = load_engine(settings.values["engine"])
    engine = kind(**settings.for_owner(kind.name, kind.settings))
    engine.minion = new_minion_id()
    try:
        engine.open()
        yield engine
    finally:
        engine.close()
