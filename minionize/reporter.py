"""CONTRACT: a reporter gets one record for each settled delivery, and never breaks a run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from minionize.setting import Setting, from_values
from minionize.task import Record

__all__ = ["Reporter"]


class Reporter(ABC):
    """Where records go. Subclass it, one file each, under ``reporters/``.

    Attributes:
        name: The word behind ``--reporter``.
        settings: The reporter's settings; their values are in ``self.config``.
        minion: Id of the minion that reports; set before ``open``.
        labels: The minion's labels, its job among them; set before ``open``.
    """

    name: ClassVar[str] = ""
    settings: ClassVar[tuple[Setting, ...]] = ()

    def __init__(self, **values: Any) -> None:
        """Take the values of the declared settings, by key; writes nothing."""
        self.config: dict[str, Any] = from_values(f"reporter {self.name}", self.settings, values)
        self.minion = ""
        self.labels: Mapping[str, str] = {}

    @property
    def place(self) -> str | None:
        """Where its records are, for people; None if it keeps none."""
        return None

    def open(self) -> None:  # noqa: B027 - nothing to open by default
        """Make ready to write.

        Raises:
            ReporterError: Nothing can be written; the message names the place and the remedy.
        """

    @abstractmethod
    def report(self, record: Record) -> None:
        """Take one record. O(1). The record is with the system when this returns.

        Raises:
            ReporterError: The record could not be written; what was written before stays readable.
        """

    def close(self) -> None:  # noqa: B027 - nothing to close by default
        """Let go. Idempotent."""
