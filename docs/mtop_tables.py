"""The tables of mtop's reference: keys, columns, meters, what ``--json`` answers."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, get_args, get_type_hints, is_typeddict

from mtop.actions import ACTIONS, REPLAY, Action, Where, shown_key
from mtop.columns import COLUMNS, DEFAULT
from mtop.meters import METERS
from mtop.once.answer import Answer

__all__ = ["answer", "columns", "help_text", "keys", "meters"]


def keys(actions: tuple[Action, ...] = ACTIONS + REPLAY) -> Iterator[tuple[str, str, str]]:
    """Yield what each key does, under its heading."""
    yield "keys", "", "what it does"
    for where in get_args(Where):
        for action in actions:
            if action.where == where:
                shown = " ".join(f"`` {key} ``" if "`" in key else f"`{key}`" for key in map(shown_key, action.keys))
                yield shown, where, action.help


def columns() -> Iterator[tuple[str, str, str, str]]:
    """Yield the columns, and whether they are shown where nobody has chosen."""
    yield "name", "title", "shown", "what it tells"
    for column in COLUMNS:
        yield f"`{column.key}`", column.title, "yes" if column.key in DEFAULT else "", column.help


def meters() -> Iterator[tuple[str, str, str]]:
    """Yield the meters."""
    yield "name", "drawn as", "what it tells"
    for meter in METERS:
        yield f"`{meter.key}`", meter.mode, meter.help


def answer() -> Iterator[tuple[str, str]]:
    """Yield the names in what ``--json`` answers."""
    yield "name", "type"
    yield from _fields(Answer, "")


def _fields(kind: Any, path: str) -> Iterator[tuple[str, str]]:
    for name, inner in get_type_hints(kind).items():
        nested = (
            inner
            if is_typeddict(inner)
            else next((each for each in getattr(inner, "__args__", ()) if is_typeddict(each)), None)
        )
        yield f"`{path}{name}`", "list" if nested and nested is not inner else _type(inner)
        if nested:
            yield from _fields(nested, f"{path}{name}{'' if nested is inner else '[]'}.")


def _type(kind: Any) -> str:
    words = kind.__name__ if isinstance(kind, type) and not hasattr(kind, "__args__") else str(kind)
    named = {"int": "integer", "float": "number", "bool": "yes or no", "str": "text"}
    if is_typeddict(kind):
        return "object"
    words = re.sub(r"\b(int|float|bool|str)\b", lambda found: named[found[1]], words)
    words = words.replace(" | None", ", or null").replace("dict[text, integer]", "object of integers")
    return (
        words.replace("list[text]", "list of texts")
        .replace("list[dict", "list of objects, see the columns[dict")
        .split("[")[0]
    )


def help_text() -> str:
    """Return what ``mtop --help`` prints."""
    done = subprocess.run(
        [sys.executable, "-m", "mtop", "--help"], capture_output=True, text=True, check=True, env={"COLUMNS": "100"}
    )
    return done.stdout
