"""minionize's own words: on stderr, a line each, with what comes from elsewhere made harmless."""

from __future__ import annotations

import os


def printable(text: str) -> str:
    """Escape control characters and lone surrogates, so that a terminal shows text and obeys nothing."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def say(message: str) -> None:
    """Write one message to stderr. A stderr that is closed or full stops nothing."""
    lines = "\n  ".join(printable(line) for line in message.splitlines())
    data = f"minionize: {lines}\n".encode("utf-8", "backslashreplace")
    try:
        os.write(2, data)
    except OSError:
        return
