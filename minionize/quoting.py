"""Words for people to read and to paste back into a shell, with nothing in them that a terminal obeys."""

from __future__ import annotations

import os
from collections.abc import Iterable
from shlex import quote

__all__ = ["shell_line", "shell_word"]

_NAMED = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def shell_word(word: str) -> str:
    """Quote a word for a shell: plainly, or as ``$'...'`` where it holds what cannot be shown."""
    return quote(word) if word.isprintable() else f"$'{''.join(map(_escaped, word))}'"


def shell_line(words: Iterable[str]) -> str:
    """Quote several words."""
    return " ".join(map(shell_word, words))


def _escaped(char: str) -> str:
    if char in _NAMED:
        return _NAMED[char]
    if char.isprintable():
        return char
    return "".join(f"\\x{byte:02x}" for byte in char.encode("utf-8", "surrogateescape" if os.name == "posix" else ""))
