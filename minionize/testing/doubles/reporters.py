"""Broken reporters: to a file, with one fault in each."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

from minionize.errors import ReporterError
from minionize.records import record_line
from minionize.reporter import Reporter
from minionize.reporters.json import JsonReporter
from minionize.task import Record
from minionize.testing.reporter import ReporterContract


class BrokenReporter(JsonReporter):
    """The json reporter, with one fault in each subclass."""

    @property
    def path(self) -> Path:
        """Return the file."""
        return Path(self.config["directory"]) / f"{self.minion}.jsonl"


class BrokenReporterSuite(ReporterContract):
    """The contract for one of these."""

    def __init__(self, kind: type[Reporter], place: Path) -> None:
        self.kind = kind
        self.place = place

    def make_reporter(self) -> Reporter:
        """Make the broken reporter."""
        return self.kind(directory=str(self.place))

    def make_hopeless(self) -> Reporter:
        """Put a file in its way."""
        self.place.write_text("a file where a directory should be")
        return self.make_reporter()

    def files(self) -> list[Path]:
        """Return the files of all minions."""
        return sorted(self.place.glob("*.jsonl"))


class ReportsLater(BrokenReporter):
    """Keeps records until it is closed."""

    kept = b""

    def report(self, record: Record) -> None:
        """Keep it."""
        self.kept += record_line(record)

    def close(self) -> None:
        """Write all."""
        if self.kept:
            with self.path.open("ab") as file:
                file.write(self.kept)
            self.kept = b""


class DropsAField(BrokenReporter):
    """Leaves out what has no value."""

    def report(self, record: Record) -> None:
        """Write the rest."""
        fields = {key: value for key, value in record.fields().items() if value is not None}
        self._opened().write(json.dumps(fields, default=str).encode() + b"\n")


class RenamesAField(BrokenReporter):
    """Has a name of its own for a field."""

    def report(self, record: Record) -> None:
        """Rename it."""
        self._opened().write(record_line(record).replace(b'"exit_code":', b'"exitcode":'))


class WritesNan(BrokenReporter):
    """Writes what Python takes for JSON."""

    def report(self, record: Record) -> None:
        """Dump as it comes."""
        fields = {key: _texted(value) for key, value in record.fields().items()}
        self._opened().write(json.dumps(fields).encode() + b"\n")


def _texted(value: Any) -> Any:
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return "no JSON"
    return value


class RaisesForAnyObject(BrokenReporter):
    """Cannot write what JSON has no form for."""

    def report(self, record: Record) -> None:
        """Dump as it comes."""
        json.dumps(record.fields())
        super().report(record)


class WritesUnicode(BrokenReporter):
    """Writes text as it is, as far as it can."""

    def report(self, record: Record) -> None:
        """Do not escape."""
        fields = json.loads(record_line(record))
        self._opened().write(json.dumps(fields, ensure_ascii=False).encode("utf-8", "replace") + b"\n")


class IndentsRecords(BrokenReporter):
    """Writes several lines for a record."""

    def report(self, record: Record) -> None:
        """Indent."""
        self._opened().write(json.dumps(json.loads(record_line(record)), indent=1).encode() + b"\n")


class RewritesTheFile(BrokenReporter):
    """Writes all records again for each one: the cost grows."""

    def report(self, record: Record) -> None:
        """Read all, write all."""
        before = self.path.read_bytes() if self.path.exists() else b""
        before += b"\n" if before and not before.endswith(b"\n") else b""
        draft = self.path.with_suffix(".draft")
        try:
            draft.write_bytes(before + record_line(record))
            os.replace(draft, self.path)
        except OSError as error:
            raise ReporterError("cannot write") from error


class NewestFirst(BrokenReporter):
    """Puts the newest record in front."""

    def report(self, record: Record) -> None:
        """Turn the file round."""
        super().report(record)
        lines = self.path.read_bytes().splitlines(keepends=True)
        self.path.write_bytes(b"".join([lines[-1], *lines[:-1]]))


class Truncates(BrokenReporter):
    """Begins with an empty file."""

    def open(self) -> None:
        """Empty it."""
        super().open()
        self.path.write_bytes(b"")


class OneFileForAll(BrokenReporter):
    """Lets all minions write to one file, each from where it was."""

    at = 0

    def report(self, record: Record) -> None:
        """Write at the place after the last one."""
        self.minion = "all"
        line = record_line(record)
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT)
        self.at = self.at or os.fstat(fd).st_size
        os.pwrite(fd, line, self.at)
        os.close(fd)
        self.at += len(line)


class LeavesHalfARecord(BrokenReporter):
    """Goes on behind what a full disk cut."""

    def report(self, record: Record) -> None:
        """Write and take no notice of how much."""
        fd = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            line = record_line(record)
            if os.write(fd, line) < len(line):
                raise OSError("short")
        except OSError as error:
            raise ReporterError("cannot write") from error
        finally:
            os.close(fd)


class RaisesOsError(BrokenReporter):
    """Lets the system's error out."""

    def report(self, record: Record) -> None:
        """Unwrap it."""
        try:
            super().report(record)
        except ReporterError as error:
            raise OSError("cannot write") from error


class SwallowsFailure(BrokenReporter):
    """Loses a record without a word."""

    def report(self, record: Record) -> None:
        """Raise nothing."""
        with contextlib.suppress(ReporterError):
            super().report(record)


class GivesUpAfterAFailure(BrokenReporter):
    """Writes nothing any more when the disk was full once."""

    failed = False

    def report(self, record: Record) -> None:
        """Remember the failure."""
        try:
            if not self.failed:
                super().report(record)
        except ReporterError:
            self.failed = True
            raise
        if self.failed:
            raise ReporterError("failed before")


class FindsOutLate(BrokenReporter):
    """Looks at its place with the first record only."""

    def open(self) -> None:
        """Do nothing."""


class LeaksADescriptor(BrokenReporter):
    """Leaves its file open."""

    def close(self) -> None:
        """Forget it."""
        self._file = None


class CloseNeedsOpen(BrokenReporter):
    """Cannot be closed twice."""

    def close(self) -> None:
        """Take the file for granted."""
        assert self._file is not None
        super().close()


class TakesAnySetting(BrokenReporter):
    """Swallows misspelt settings."""

    def __init__(self, **values: Any) -> None:
        super().__init__(**{key: value for key, value in values.items() if key == "directory"})


class HasNoName(BrokenReporter):
    """Cannot be chosen."""

    name = ""
