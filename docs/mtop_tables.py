"""The tables of mtop's reference: keys, columns, meters, what ``--json`` answers, what the exit status says."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints, is_typeddict

from mtop.actions import ACTIONS, REPLAY, Action, Where, shown_key
from mtop.columns import COLUMNS, DEFAULT
from mtop.meters import METERS
from mtop.once.answer import Answer
from mtop.once.health import Health
from mtop.screens.answers import AnswersScreen
from mtop.screens.failures import CauseScreen, FailuresScreen
from mtop.screens.keybar import BACK, HELP
from mtop.screens.log import LogScreen
from mtop.screens.minion import MinionScreen
from mtop.screens.panes.inflight import InFlight
from mtop.screens.panes.output import Output
from mtop.screens.setup import SetupScreen

__all__ = ["answer", "columns", "exit_status", "help_text", "keys", "meters", "other_keys"]

_SCREENS: tuple[tuple[str, tuple[Action, ...]], ...] = (
    ("all of these", (HELP, BACK)),
    ("a minion", MinionScreen.KEYS),
    ("its runs in flight", InFlight.KEYS),
    ("its output", Output.KEYS),
    ("failures", FailuresScreen.KEYS),
    ("one cause", CauseScreen.KEYS),
    ("what has happened", LogScreen.KEYS),
    ("answers to an order", AnswersScreen.KEYS),
    ("set-up", SetupScreen.KEYS),
)

_WORDS = {int: "integer", float: "number", bool: "true or false", str: "text", NoneType: "null"}

_MEANINGS = {
    "schema": "1; a reader of 1 understands every later answer that says 1",
    "as_of": "when it was looked, Unix seconds",
    "fleet": "all minions together; with `-F` those that it keeps",
    "fleet.place": "where they were looked for",
    "fleet.minions": "how many there are",
    "fleet.live": "neither stale, lost, stopped nor unknown",
    "fleet.stale": "of this [state](#states)",
    "fleet.lost": "of this state",
    "fleet.stopped": "of this state",
    "fleet.unknown": "of this state",
    "fleet.slots": "of minions that are neither lost nor stopped",
    "fleet.busy": "slots in which a param runs",
    "fleet.lost_params": "were in flight in lost minions",
    "fleet.stragglers": "minions whose oldest run takes more than three times p95",
    "fleet.suspects": "minions on black holes",
    "fleet.rates": "runs per second, over the last ten seconds",
    "fleet.rates.done": "succeeded",
    "fleet.rates.failed": "failed or timed out",
    "fleet.rates.redelivered": "params that were received again",
    "fleet.counters": "sums of those of [`/stats`](http.md), of all minions, also of those that are no more",
    "fleet.backlog": "sums over all queues; null: none can tell",
    "fleet.backlog.ready": "params that wait",
    "fleet.backlog.in_flight": "params that are delivered and not settled",
    "fleet.backlog.dead": "params that were given up",
    "fleet.backlog.exact": "whether these are no estimates",
    "fleet.backlog.eta": "seconds until nothing is ready; null where some queue cannot tell",
    "fleet.backlog.stalled": "whether params are ready in a queue, and nobody works them off",
    "fleet.queues": "each queue",
    "fleet.queues[].engine": "kind of queue",
    "fleet.queues[].name": "the queue",
    "fleet.queues[].rate": "params per second that leave it, done or failed",
    "fleet.queues[].minions": "how many work at it",
    "fleet.troubles": "why the exit status is 1",
    "fleet.problems": "why it is 2: what could not be looked at",
    "minions": "each minion: its [columns](#columns) by name",
}


def keys() -> Iterator[tuple[str, str, str]]:
    """Yield what each key does, under its heading."""
    yield "keys", "", "what it does"
    for where in get_args(Where):
        for action in (*ACTIONS, *REPLAY):
            if action.where == where:
                yield _keys(action), where, action.help


def other_keys() -> Iterator[tuple[str, str, str]]:
    """Yield the keys of the other screens."""
    yield "screen", "keys", "what it does"
    for screen, actions in _SCREENS:
        for action in actions:
            yield screen, _keys(action), action.help


def _keys(action: Action) -> str:
    return " ".join(f"`{shown_key(key)}`" for key in action.keys)


def columns() -> Iterator[tuple[str, str, str, str, str]]:
    """Yield the columns, and whether they are shown where nobody has chosen."""
    yield "name", "title", "unit", "shown", "what it tells"
    units = {"s": "seconds", "B": "bytes", "": ""}
    for column in COLUMNS:
        shown = "yes" if column.key in DEFAULT else ""
        yield f"`{column.key}`", column.title, units[column.unit], shown, column.help


def meters() -> Iterator[tuple[str, str, str, str]]:
    """Yield the meters."""
    yield "name", "title", "drawn as", "what it tells"
    for meter in METERS:
        yield f"`{meter.key}`", meter.title, meter.mode, meter.help


def exit_status() -> Iterator[tuple[str, str]]:
    """Yield what the exit status says."""
    yield "exit status", "meaning"
    for each in Health:
        yield str(int(each)), each.meaning


def answer() -> Iterator[tuple[str, str, str]]:
    """Yield the names in what ``--json`` answers."""
    yield "name", "type", "meaning"
    yield from _fields(Answer, "")


def _fields(kind: Any, path: str) -> Iterator[tuple[str, str, str]]:
    for name, of in get_type_hints(kind).items():
        whole = path + name
        # What queues and their sum have in common is told once.
        meaning = _MEANINGS.get(whole) or _MEANINGS[whole.replace("queues[]", "backlog")]
        yield f"`{whole}`", _type(of), meaning
        if is_typeddict(of):
            yield from _fields(of, f"{whole}.")
        elif get_origin(of) is list and is_typeddict(get_args(of)[0]):
            yield from _fields(get_args(of)[0], f"{whole}[].")


def _type(kind: Any) -> str:
    inner: Iterable[Any] = get_args(kind)
    if get_origin(kind) is UnionType:
        return ", or ".join(map(_type, inner))
    if get_origin(kind) is list:
        return f"list of {_type(next(iter(inner)))}s"
    return _WORDS.get(kind, "object")


def help_text() -> str:
    """Return what ``mtop --help`` prints."""
    command = [sys.executable, "-m", "mtop", "--help"]
    environ = {**os.environ, "COLUMNS": "100"}
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environ).stdout
