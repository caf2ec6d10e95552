"""What the commands of ``minion-queue`` share: which queue is meant, a visit to it, answers."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from minionize.console import say, write
from minionize.engine import DeadLetter, Engine
from minionize.errors import ExitCode, MinionizeError, SettingsError
from minionize.names import did_you_mean
from minionize.plugins import load_engine
from minionize.queue.feed import Feed, put
from minionize.queue.progress import Progress
from minionize.queue.stopping import Stopper
from minionize.records import encode
from minionize.settings import Settings, here, load

__all__ = [
    "Chosen",
    "answer",
    "answer_put",
    "choose",
    "dead_letters",
    "dead_place",
    "ended",
    "filled",
    "tell",
    "visited",
]

_WHO = "minion-queue"
_DEFAULT = "execo"


class Chosen:
    """The queue that is meant, not yet used.

    Attributes:
        settings: What the user set.
        engine: The engine, not opened.
    """

    def __init__(self, settings: Settings) -> None:
        kind = load_engine(settings.values["engine"] or _DEFAULT)
        if kind.name == "memory":
            raise SettingsError("engine memory: its queue is gone with its process; name another one by -e")
        self.settings = settings
        self.engine: Engine = kind(**settings.for_owner(kind.name, kind.settings))

    @property
    def name(self) -> str:
        """Engine and queue, for people."""
        return f"{self.engine.name} {self.engine.queue_name}"

    def fields(self) -> dict[str, Any]:
        """Engine and queue, for programs."""
        return {"engine": self.engine.name, "queue": self.engine.queue_name}


def choose(engine: str | None, assignments: Sequence[str] = (), dead: str | None = None) -> Chosen:
    """Find the queue that is meant.

    Args:
        engine: The engine that was named on the command line, if any.
        assignments: Settings of that engine as VARIABLE=VALUE.
        dead: File of dead params that was named on the command line, if any.

    Raises:
        SettingsError: A setting is wrong, or there is no such engine.
    """
    cli: dict[str, Any] = {"engine": engine, "dead": dead}
    if assignments:
        cli |= _assigned(load_engine(engine), assignments)
    # Standard input holds params to put, it is no queue.
    return Chosen(load(cli, os.environ, here(), stdin=-1))


def _assigned(kind: type[Engine], assignments: Sequence[str]) -> dict[str, str]:
    variables = {each.key: each.env for each in kind.settings} | {each.env: each.env for each in kind.settings}
    found: dict[str, str] = {}
    for words in assignments:
        name, equals, value = words.partition("=")
        if not equals:
            raise SettingsError(f"{words}: must be VARIABLE=VALUE, a setting of engine {kind.name}")
        if not variables.get(name):
            known = [each.env for each in kind.settings]
            raise SettingsError(f"{name}: no setting of engine {kind.name}{did_you_mean(name, known)}")
        found[variables[name]] = value
    return found


@contextmanager
def visited(chosen: Chosen) -> Iterator[Engine]:
    """Visit the queue; leave it.

    Raises:
        MinionizeError: It cannot be used.
    """
    try:
        chosen.engine.visit()
        yield chosen.engine
    finally:
        chosen.engine.close()


def tell(message: str) -> None:
    """Say something to the user, on stderr."""
    say(message, _WHO)


def answer(as_json: bool, fields: Mapping[str, Any], words: str) -> None:
    """Write the answer, for a program or for people."""
    write(f"{encode(fields)}\n" if as_json else f"{words}\n")


def filled(chosen: Chosen, params: Any, what: str, total: int | None = None) -> tuple[int, Feed, Stopper]:
    """Put params into a queue, showing how far it is.

    Returns:
        How many the queue did not have already, and how that ended.

    Raises:
        MinionizeError: The queue cannot be used, or refuses a param.
    """
    progress, stopper = Progress(what, total), Stopper()
    feed = Feed(params, stopper, progress.tick)
    try:
        return put(chosen.engine, feed, stopper), feed, stopper
    except KeyboardInterrupt:
        progress.close()
        tell(f"stopped at once: {feed.count:,} were read, and some of them may be in {chosen.name}")
        raise
    finally:
        progress.close()
        chosen.engine.close()


def answer_put(chosen: Chosen, as_json: bool, count: int, feed: Feed, stopper: Stopper, **more: Any) -> int:
    """Tell what was put, and return the exit code."""
    had = feed.count - count
    words = f"{count:,} put into {chosen.name}" + (f"; {had:,} were there already" if had > 0 else "")
    error = None if feed.error is None else str(feed.error)
    fields = {"put": count, "given": feed.count, "stopped": stopper.name, "error": error, **chosen.fields(), **more}
    answer(as_json, fields, words)
    return ended(feed.error, stopper, f"what came before was put ({feed.count:,}), nothing after it")


def ended(error: MinionizeError | None, stopper: Stopper, done: str) -> int:
    """Tell how something ended that has told what it did; return the exit code."""
    if error is not None:
        tell(f"error: {error}; {done}")
        return error.exit_code
    if stopper.signal is not None:
        tell(f"stopped by {stopper.name}; {done}")
        return ExitCode.SIGNAL + stopper.signal
    return ExitCode.OK


def dead_place(chosen: Chosen, explicit: str | None) -> Path | None:
    """Return where dead params stand that are not in their queue; None if they are in the queue."""
    if explicit is None and chosen.engine.features.dead_letter:
        return None
    named = explicit or chosen.settings.values["dead"]
    return Path(named) if named else _usual_dead_place(chosen)


def _usual_dead_place(chosen: Chosen) -> Path:
    from minionize.host import state_home

    return Path(state_home(chosen.settings.environ)) / "dead"


def dead_letters(chosen: Chosen, place: Path | None) -> Iterator[DeadLetter]:
    """Yield the dead params, from the queue or from files."""
    if place is not None:
        from minionize.queue.dead_lines import DeadLines

        if place == _usual_dead_place(chosen) and not place.exists():
            return  # no minion has made it yet
        yield from DeadLines(place).letters()
        return
    with visited(chosen) as engine:
        yield from engine.dead()
