"""Records go to standard output, a line of JSON each."""

from __future__ import annotations

import io
import os
import select
import sys

from minionize.errors import ReporterError
from minionize.records import record_line
from minionize.reporter import Reporter
from minionize.task import Record


class StdoutReporter(Reporter):
    """Writes each record at once, whole, beside what the programs write there themselves."""

    name = "stdout"

    def open(self) -> None:
        """Look whether there is a standard output."""
        if sys.stdout is None or sys.stdout.closed:
            raise ReporterError("standard output is closed: records cannot go there; choose another reporter")

    def report(self, record: Record) -> None:
        """Write one line."""
        line = record_line(record)
        try:
            sys.stdout.flush()
            try:
                fd = sys.stdout.fileno()
            except io.UnsupportedOperation:  # a notebook's
                sys.stdout.write(line.decode())
            else:
                _write(fd, line)
        except (OSError, ValueError, AttributeError) as error:
            raise ReporterError(f"cannot write a record to standard output: {error}") from error


def _write(fd: int, line: bytes) -> None:
    while line:
        try:
            line = line[os.write(fd, line) :]
        except BlockingIOError:  # someone made the terminal or pipe non-blocking
            poll = select.poll()
            poll.register(fd, select.POLLOUT)
            poll.poll()
