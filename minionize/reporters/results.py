"""``--results PATH``: records as JSON Lines or CSV, or a file for each param in a directory."""

from __future__ import annotations

import contextlib
import errno
import os
from typing import Any

from minionize.errors import ReporterError, SettingsError
from minionize.records import AppendFile, encode, line_end, make_directory, record_line, strict
from minionize.reporter import Reporter
from minionize.task import RECORD_FIELDS, Record

_REMEDY = "check --results"
_PIECE = 1 << 20
_SAFE = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")
_NAME = 150  # bytes of an id that are kept in a file name


class ResultsReporter(Reporter):
    """Writes to ``path``: a table (``.csv``), a directory (``/`` at the end, or there already), else JSON Lines.

    A file belongs to one minion. While another one holds it, the name gets the id of the minion.

    Attributes:
        path: Where the records go; known after ``open``.
        note: What the user should be told about it; "" for nothing.
    """

    name = "results"

    def __init__(self, path: str | os.PathLike[str] | None = None, **values: Any) -> None:
        super().__init__(**values)
        if not path:
            raise SettingsError("the results need a place: --results PATH")
        if path == "-":
            raise SettingsError("--results -: results go to files; --reporter stdout writes records to stdout")
        self.path = os.fspath(path)
        self.note = ""
        self._table = self.path.lower().endswith(".csv")
        self._directory = False
        self._file: AppendFile | None = None

    @property
    def place(self) -> str:
        """The file or the directory."""
        return self.path

    def open(self) -> None:
        """Make the directory, or lock the file: an existing one is appended to."""
        self._directory = self.path.endswith("/") or os.path.isdir(self.path)
        make_directory(self.path if self._directory else os.path.dirname(self.path) or ".", _REMEDY)
        if self._directory or self._file is not None:
            return
        self._file = self._locked(self.path)
        if self._file is None:
            stem, suffix = os.path.splitext(self.path)
            own = f"{stem}.{self.minion or os.getpid()}{suffix}"
            self.note = f"{self.path} is another minion's: the records of this one go to {own}"
            self.path = own
            self._file = self._locked(own) or AppendFile(own, self._mend)

    def _mend(self, fd: int) -> bytes:
        return table_mend(fd) if self._table else line_end(fd)

    def _locked(self, path: str) -> AppendFile | None:
        """Open a file and lock it; None if another minion has it, or may have it (a file system without locks)."""
        import fcntl

        file = AppendFile(path, self._mend)
        try:
            fd = file.open()
            self._mend(fd)
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.close()
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES, errno.ENOLCK, errno.EOPNOTSUPP) and os.access(
                path, os.W_OK
            ):
                return None
            raise ReporterError(f"cannot write records to {path}: {error.strerror or error}; {_REMEDY}") from error
        except ReporterError:
            file.close()
            raise
        return file

    def report(self, record: Record) -> None:
        """Append one line or row, or write the files of one param."""
        if self._file is None and not self._directory:
            self.open()
        if self._file is None:
            self._write_files(record)
        else:
            self._file.write(row(record) if self._table else record_line(record, self.labels))

    def _write_files(self, record: Record) -> None:
        name = file_name(record.task.id, record.task.attempt)
        outcome = record.outcome
        for suffix, content in (("stdout", outcome.stdout), ("stderr", outcome.stderr)):
            if content is not None:
                self._replace(f"{name}.{suffix}", to_bytes(content))
        self._replace(f"{name}.json", record_line(record, self.labels))

    def _replace(self, name: str, data: bytes) -> None:
        target = os.path.join(self.path, name)
        draft = os.path.join(self.path, f".{self.minion or os.getpid()}.draft")
        try:
            with open(draft, "wb") as file:
                file.write(data)
            os.replace(draft, target)
        except OSError as error:
            with contextlib.suppress(OSError):
                os.unlink(draft)
            raise ReporterError(f"cannot write {target}: {error.strerror or error}") from error

    def close(self) -> None:
        """Close the file, which unlocks it."""
        if self._file is not None:
            self._file.close()
            self._file = None


def file_name(id: str, attempt: int | None) -> str:
    """Make a file name of a param's id: safe, and different for different ids and attempts."""
    raw = id.encode("utf-8", "surrogatepass")
    name = "".join(chr(byte) if byte in _SAFE else f"%{byte:02X}" for byte in raw)
    if not name or name.startswith("."):
        name = f"%2E{name[1:]}" if name else "%"
    if len(name) > _NAME:
        from hashlib import blake2b

        name = f"{name[:_NAME]}+{blake2b(raw, digest_size=8).hexdigest()}"
    return f"{name}@{attempt}" if attempt is not None and attempt > 1 else name


def to_bytes(text: str) -> bytes:
    """Return captured output as the bytes that it was."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace")


def row(record: Record) -> bytes:
    """Write a record as one row of CSV: texts as they are, nothing for null, anything else as JSON."""
    return _row([_cell(value) for value in record.fields().values()])


def _cell(value: Any) -> str:
    value = strict(value)
    if value is None:
        return ""
    return value if isinstance(value, str) else encode(value)


def _row(cells: list[str]) -> bytes:
    import csv
    import io

    line = io.StringIO()
    # Cells are quoted for what ends a line, and readers take a lone CR for an end too.
    csv.writer(line, lineterminator="\r\n").writerow(cells)
    return line.getvalue()[:-2].encode("utf-8", "backslashreplace") + b"\n"


def table_mend(fd: int) -> bytes:
    """Return what a table needs before its next row: the header, or the end of a torn row.

    Raises:
        ReporterError: It is another table.
    """
    header = _row(list(RECORD_FIELDS))
    start = os.pread(fd, len(header), 0)
    if header.startswith(start):
        torn = header[len(start) :]
        if torn:
            return torn
    else:
        raise ReporterError(f"the file holds another table, no records of minionize; {_REMEDY}")
    quotes, offset, last = 0, 0, b""
    while piece := os.pread(fd, _PIECE, offset):
        quotes += piece.count(b'"')
        offset += len(piece)
        last = piece[-1:]
    if quotes % 2:
        return b'"\n'
    return b"" if last == b"\n" else b"\n"
