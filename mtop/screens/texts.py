"""What comes from minions, as words for a screen. Pure."""

from __future__ import annotations

import json
import re
from datetime import datetime
from urllib.parse import urlsplit

from minionize.records import encode
from mtop.format import Glyphs, safe

__all__ = ["block", "clean", "clock_time", "date_time", "param_words", "plural", "without_userinfo"]

_LINES = 5_000
_LONGEST = 2_000
_COLOURS = re.compile(r"\x1b\[[0-9;:]*m")


def clean(text: object, glyphs: Glyphs, most: int = 500) -> str:
    """Make a text that a minion sent one harmless line."""
    return glyphs.text(safe(text, most))


def param_words(param: object, glyphs: Glyphs, most: int = 500) -> str:
    """Write a param as one harmless line: a string as it is, anything else as JSON."""
    if isinstance(param, str):
        return clean(param, glyphs, most)
    try:
        words = json.dumps(param, ensure_ascii=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError):
        words = encode(param)
    return clean(words, glyphs, most)


def block(text: str, glyphs: Glyphs) -> list[str]:
    """Write a text of many lines as harmless lines. Colours are left out; what else a terminal obeys is shown."""
    lines = _COLOURS.sub("", text).splitlines()
    return [clean(line.expandtabs(), glyphs, _LONGEST) for line in lines[-_LINES:]]


def clock_time(at: float) -> str:
    """Write a time of day, as it is here."""
    return _written(at, "%H:%M:%S")


def date_time(at: float) -> str:
    """Write a day and its time, as it is here."""
    return _written(at, "%Y-%m-%d %H:%M:%S")


def _written(at: float, form: str) -> str:
    try:
        return datetime.fromtimestamp(at).strftime(form)
    except (OverflowError, ValueError, OSError):
        return "-"


def plural(count: int, word: str) -> str:
    """Write how many there are of something."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def without_userinfo(url: str) -> str:
    """Write where a server is, without what may be a secret."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "(no URL)"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
