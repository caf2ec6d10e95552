"""Where records are looked for: what the user names, or where the settings let the json reporter write."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

from minionize.errors import SettingsError
from minionize.status.readers.files import Batch, Tail, is_report

__all__ = ["NoRecordsError", "Places"]

_REMEDY = "minions write records with --reporter json, or --results FILE; name that directory or file"


class NoRecordsError(SettingsError):
    """There are no records, or not yet."""


class Places:
    """All files of some places, read together.

    Args:
        places: Directories and files. Files that come into a directory later are found.
        say: Told what cannot be read, once for each file.

    Raises:
        NoRecordsError: A place is not there, or cannot be read.
    """

    def __init__(self, places: Sequence[str], say: Callable[[str], None]) -> None:
        self.places = tuple(dict.fromkeys(places))
        self._say = say
        self._tails: dict[str, Tail] = {}
        self._bad: set[str] = set()
        for place in self.places:
            self._files(place)

    @property
    def files(self) -> int:
        """How many files there are."""
        return len(self._tails) - len(self._bad)

    @property
    def passed_over(self) -> int:
        """How many lines were no records."""
        return sum(tail.passed_over for tail in self._tails.values())

    def size(self) -> int:
        """Return how many bytes all files hold."""
        total = 0
        for place in self.places:
            for path in self._files(place):
                with suppress(OSError):
                    total += os.stat(path).st_size
        return total

    def read(self) -> Iterator[Batch]:
        """Yield all that was added since the last time.

        Raises:
            SettingsError: A file that the user has named cannot be read.
            Replaced: A file is not what it was: make a new one of these.
        """
        for place in self.places:
            for path in self._files(place):
                tail = self._tails.setdefault(os.path.realpath(path), Tail(path))
                try:
                    yield from tail.read()
                except OSError as error:
                    self._cannot(path, error, named=path == place)

    def nothing(self) -> NoRecordsError:
        """Make the error for when no record was found."""
        lines = self.passed_over
        found = f"{self.files} files, {lines} lines that are none" if lines else f"{self.files} files"
        return NoRecordsError(f"no records in {', '.join(self.places)} ({found}); {_REMEDY}")

    def _files(self, place: str) -> list[str]:
        """List the files of a place.

        Raises:
            NoRecordsError: It is not there, or cannot be read.
        """
        try:
            if not os.path.isdir(place):
                os.stat(place)
                return [place]
            with os.scandir(place) as found:
                return sorted(os.path.join(place, each.name) for each in found if is_report(each.name))
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            raise NoRecordsError(f"{place}: {why}; {_REMEDY}") from None

    def _cannot(self, path: str, error: OSError, *, named: bool) -> None:
        if named:
            raise SettingsError(f"{path}: {error.strerror or error}; {_REMEDY}") from None
        if path not in self._bad:
            self._bad.add(path)
            self._say(f"{path}: {error.strerror or error}; its records are missing here")
