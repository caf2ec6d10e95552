"""Hands records to the reporters. A reporter that fails is named once and in the end, and never breaks a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from minionize.reporter import Reporter
from minionize.task import Record


class Reports:
    """All reporters of a minion."""

    def __init__(self, reporters: Sequence[Reporter], say: Callable[[str], None]) -> None:
        self._reporters = [reporter for reporter in reporters if reporter.name != "null"]
        self._say = say
        self._failing: set[int] = set()
        self._missing = [0] * len(self._reporters)

    def open(self, minion: str, labels: Mapping[str, str] | None = None) -> None:
        """Open them.

        Args:
            minion: Id of the minion.
            labels: Its labels.

        Raises:
            ReporterError: One cannot write; better known before the first param than after the last.
        """
        for reporter in self._reporters:
            reporter.minion = minion
            reporter.labels = labels or {}
            reporter.open()
            note = getattr(reporter, "note", None)
            if note:
                self._say(str(note))

    def report(self, record: Record) -> None:
        """Hand a record to each of them."""
        for index, reporter in enumerate(self._reporters):
            try:
                reporter.report(record)
            except Exception as error:  # the border around reporters: they may be anybody's
                self._missing[index] += 1
                if index not in self._failing:
                    self._failing.add(index)
                    self._say(f"reporter {reporter.name} failed, params run on: {error}")
            else:
                if self._failing:
                    self._failing.discard(index)

    def places(self) -> list[str]:
        """Tell where the records are, and how many are not there."""
        found = []
        for reporter, lost in zip(self._reporters, self._missing, strict=True):
            if reporter.place:
                found.append(reporter.place + (f", without {lost} that could not be written" if lost else ""))
        return found

    def close(self) -> None:
        """Close them."""
        for reporter in self._reporters:
            try:
                reporter.close()
            except Exception as error:  # as above
                self._say(f"reporter {reporter.name} did not close: {error}")
