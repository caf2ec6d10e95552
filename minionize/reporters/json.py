"""Records go to a file of JSON Lines, one for each minion, in a directory that all of them share."""

from __future__ import annotations

import os
from typing import Any

from minionize.records import AppendFile, make_directory, record_line
from minionize.reporter import Reporter
from minionize.setting import Setting, text
from minionize.task import Record


class JsonReporter(Reporter):
    """Appends to ``DIRECTORY/MINION.jsonl``, made with the first record; safe on a shared file system."""

    name = "json"
    settings = (
        Setting(
            "directory",
            "REPORTER_JSON_DIRECTORY",
            text,
            "minion-report",
            "Directory for the records of the json reporter, a file for each minion.",
            metavar="DIR",
        ),
    )

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self._file: AppendFile | None = None

    @property
    def place(self) -> str:
        """The file of this minion."""
        return os.path.join(self.config["directory"], f"{self.minion or 'minion'}.jsonl")

    def open(self) -> None:
        """Make the directory."""
        self._opened()

    def _opened(self) -> AppendFile:
        if self._file is None:
            directory = self.config["directory"]
            make_directory(directory, "check REPORTER_JSON_DIRECTORY")
            self._file = AppendFile(self.place)
        return self._file

    def report(self, record: Record) -> None:
        """Append one line."""
        self._opened().write(record_line(record, self.labels))

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None
