"""Dead params in files of JSON Lines, where their queue has no place for them.

A line for each param that was given up; a later line ``{"id": ..., "requeued": true}`` takes it back. Nothing is ever
changed or cut off, so minions may go on appending meanwhile, and a kill loses nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from minionize.engine import DeadLetter
from minionize.errors import SettingsError
from minionize.records import AppendFile
from minionize.task import to_json

__all__ = ["DeadLines"]

FILE = "file"
"""Under this name the evidence tells which file a dead param stands in."""

_OWN = ("id", "param", "reason", "at")


class DeadLines:
    """The dead params of a file, or of all ``*.jsonl`` of a directory.

    Args:
        path: The file or directory.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def letters(self) -> Iterator[DeadLetter]:
        """Yield the dead params, each id of a file once.

        Raises:
            SettingsError: It cannot be read.
        """
        for file in self._files():
            yield from _letters(file).values()

    def take_back(self, letters: Iterable[DeadLetter]) -> None:
        """Write down that params are dead no longer: they have been put into a queue, durably.

        Args:
            letters: Some of those that ``letters`` gave.

        Raises:
            ReporterError: It could not be written; they are still told to be dead.
        """
        by_file: dict[str, list[str]] = {}
        for letter in letters:
            by_file.setdefault(letter.evidence[FILE], []).append(letter.id)
        for file, ids in by_file.items():
            _append(file, [{"id": each, "requeued": True} for each in ids])

    def _files(self) -> list[Path]:
        try:
            if self.path.is_dir():
                return sorted(self.path.glob("*.jsonl"))
            os.stat(self.path)
        except OSError as error:
            raise SettingsError(f"--dead {self.path}: {error.strerror}") from error
        return [self.path]


def _letters(file: Path) -> dict[str, DeadLetter]:
    found: dict[str, DeadLetter] = {}
    for entry in _entries(file):
        id = entry["id"]
        found.pop(id, None)
        if not entry.get("requeued"):
            found[id] = _letter(id, entry, file)
    return found


def _letter(id: str, entry: dict[str, Any], file: Path) -> DeadLetter:
    evidence = {key: value for key, value in entry.items() if key not in _OWN}
    at = entry.get("at")
    seconds = float(at) if isinstance(at, (int, float)) else 0.0
    return DeadLetter(id, entry["param"], str(entry.get("reason")), {**evidence, FILE: str(file)}, seconds)


def _entries(file: Path) -> Iterator[dict[str, Any]]:
    """Yield what stands in a file; a torn line, of a minion that was killed, is passed over."""
    try:
        with file.open("rb") as lines:
            for line in lines:
                try:
                    entry = json.loads(line)
                except (ValueError, RecursionError):
                    continue
                if _is_entry(entry):
                    yield entry
    except OSError as error:
        raise SettingsError(f"--dead {file}: {error.strerror}") from error


def _is_entry(entry: Any) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("id"), str) and ("param" in entry or "requeued" in entry)


def _append(file: str, entries: Iterable[dict[str, Any]]) -> None:
    appended = AppendFile(file)
    try:
        appended.write("".join(f"{to_json(entry)}\n" for entry in entries).encode())
        os.fsync(appended.open())
    finally:
        appended.close()
