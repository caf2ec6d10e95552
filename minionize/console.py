"""minionize's own words, with what comes from elsewhere made harmless: messages to stderr, answers to stdout."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from minionize.errors import ExitCode, MinionizeError


class OutputError(MinionizeError):
    """Standard output takes no more, so what was asked for cannot be shown."""

    exit_code = ExitCode.USAGE


def printable(text: str) -> str:
    """Escape control characters and lone surrogates, so that a terminal shows text and obeys nothing."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def say(message: str, who: str = "minionize") -> None:
    """Write one message of a program to stderr. A stderr that is closed or full stops nothing."""
    first, *rest = message.splitlines() or [""]
    lines = [f"{who}: {printable(first)}", *(printable(line) for line in rest)]
    try:
        # One write, so that what several minions say to one terminal does not mix.
        sys.stderr.write("\n".join(lines) + "\n")
        sys.stderr.flush()
    except (OSError, AttributeError, ValueError):
        return


def write(text: str) -> None:
    """Write to stdout at once: what is piped in slowly is answered as it comes.

    Raises:
        BrokenPipeError: Nobody reads any more.
        OutputError: It cannot be written.
    """
    stream = sys.stdout
    if stream is None:
        return
    encoding = stream.encoding or "utf-8"
    try:
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()
    except OSError as error:
        # The flush at exit must not say so again.
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        if isinstance(error, BrokenPipeError):
            raise
        raise OutputError(f"standard output: {error.strerror}") from None
