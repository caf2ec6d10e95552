"""Words for people to read and to paste back into a shell, with nothing in them that a terminal obeys."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from shlex import quote

__all__ = ["MASK", "shell_line", "shell_word", "without_secrets"]

MASK = "********"
"""Stands for what must not be shown."""

_SECRET = re.compile(r"(?i)-{0,2}[\w.-]*(?:passw|secret|token|api-?key|credential|[_.-](?:pass|pwd|pat)$)[\w.-]*")

_NAMED = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def shell_word(word: str) -> str:
    """Quote a word for a shell: plainly, or as ``$'...'`` where it holds what cannot be shown."""
    return quote(word) if word.isprintable() else f"$'{''.join(map(_escaped, word))}'"


def shell_line(words: Iterable[str]) -> str:
    """Quote several words."""
    return " ".join(map(shell_word, words))


def without_secrets(words: Iterable[str]) -> list[str]:
    """Mask what looks like a secret: the value of ``--token=...``, the word after ``--password``, a URL's password."""
    shown: list[str] = []
    follows = False
    for word in words:
        name, equals, _ = word.partition("=")
        is_secret = _SECRET.fullmatch(name) is not None
        if follows and not word.startswith("-"):
            shown.append(MASK)
        elif is_secret and equals:
            shown.append(f"{name}={MASK}")
        else:
            shown.append(re.sub(r"(://[^/@\s:]*:)[^/@\s]*@", rf"\1{MASK}@", word))
        follows = is_secret and not equals and word.startswith("-")
    return shown


def _escaped(char: str) -> str:
    if char in _NAMED:
        return _NAMED[char]
    if char.isprintable():
        return char
    return "".join(f"\\x{byte:02x}" for byte in char.encode("utf-8", "surrogateescape" if os.name == "posix" else ""))
