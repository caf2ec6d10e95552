"""Records go nowhere."""

from __future__ import annotations

from minionize.reporter import Reporter
from minionize.task import Record


class NullReporter(Reporter):
    """Keeps nothing."""

    name = "null"

    def report(self, record: Record) -> None:
        """Do nothing."""
