"""What the user's terminal can draw."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TextIO

from mtop.format import Glyphs

__all__ = ["glyphs_of"]

_UTF8 = ("utf-8", "utf8")
_COERCED = ("C.UTF-8", "C.utf8", "UTF-8")
"""What Python sets LC_CTYPE to where the locale is C (PEP 538)."""

_PLAIN = ("linux", "dumb")


def glyphs_of(ascii: bool, environ: Mapping[str, str], stream: TextIO | None) -> Glyphs:
    """Find out what can be drawn.

    Args:
        ascii: Whether the user wants ASCII only.
        environ: Locale and TERM are looked at.
        stream: Standard output.
    """
    # Python says UTF-8 also where the locale is C, in LC_CTYPE too; the terminal may be of another opinion.
    python = sys.flags.utf8_mode and environ.get("LC_CTYPE") in _COERCED
    named = ("LC_ALL", "LANG") if python else ("LC_ALL", "LC_CTYPE", "LANG")
    said = next(filter(None, map(environ.get, named)), "utf-8").lower()
    encoding = str(getattr(stream, "encoding", None) or "utf-8").lower()
    narrow = not any(name in said for name in _UTF8) or encoding not in _UTF8
    return Glyphs(ascii or narrow or environ.get("TERM", "") in _PLAIN)
