"""Numbers and texts as cells of a terminal. Pure; what comes from a minion is made harmless here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from minionize.console import printable

__all__ = ["Glyphs", "age", "bar", "count", "duration", "fit", "percent", "rate", "safe", "size", "sparkline", "width"]

_BLOCKS = " ▁▂▃▄▅▆▇█"
_ASCII = " .:-=+*%#"
_UNITS = "KMGTPE"


@dataclass(frozen=True, slots=True)
class Glyphs:
    """What a terminal can draw.

    Attributes:
        ascii: Whether it shows nothing but ASCII.
    """

    ascii: bool = False

    @property
    def levels(self) -> str:
        """Nine characters, from nothing to full."""
        return _ASCII if self.ascii else _BLOCKS

    def __call__(self, nice: str, plain: str) -> str:
        """Choose a sign."""
        return plain if self.ascii else nice

    def text(self, text: str) -> str:
        """Write a text with what the terminal has."""
        return text.encode("ascii", "backslashreplace").decode() if self.ascii else text


def safe(text: object, most: int = 500) -> str:
    """Make a text that a minion sent harmless: one line, nothing that a terminal obeys, of bounded length."""
    words = str(text)
    return printable(words[:most]) + ("..." if len(words) > most else "")


def width(text: str) -> int:
    """Return how many cells a text takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def fit(text: str, cells: int, right: bool = False, ellipsis: str = "…") -> str:
    """Make a text exactly so wide; what is too long is cut, and shows it."""
    taken = width(text)
    if taken <= cells:
        return " " * (cells - taken) + text if right else text + " " * (cells - taken)
    if cells <= len(ellipsis):
        return _cut(text, cells)
    return _cut(text, cells - len(ellipsis)) + ellipsis


def _cut(text: str, cells: int) -> str:
    if text.isascii():
        return text[:cells]
    from rich.cells import set_cell_size

    return set_cell_size(text, cells)


def count(number: float | None) -> str:
    """Write a whole number in at most six cells; "-" for none."""
    if number is None:
        return "-"
    if abs(number) < 99_999.5:
        return f"{number:.0f}"
    rest = float(number)
    for unit in "kMGTPE":
        rest /= 1000
        if abs(rest) < 999.5:
            return f"{rest:.0f}{unit}" if abs(rest) >= 99.95 else f"{rest:.3g}{unit}"
    return f"{number:.0e}"


def rate(number: float | None) -> str:
    """Write a number per second in at most five cells."""
    if number is None:
        return "-"
    if number <= 0:
        return "0"
    if number < 0.01:
        return "<.01"
    if number < 9.995:
        return f"{number:.2f}"
    if number < 99.95:
        return f"{number:.1f}"
    if number < 9999.5:
        return f"{number:.0f}"
    return f"{number / 1000:.0f}k" if number < 999_500 else count(max(number, 1e6))


def duration(seconds: float | None) -> str:
    """Write a time in at most six cells: 950us, 12.3ms, 4.56s, 1m05s, 3h07m, 12d04h."""
    if seconds is None or seconds != seconds:
        return "-"
    if seconds < 0:
        return "0s"
    if seconds < 0.9995:
        return _brief(seconds)
    if seconds < 59.95:
        return f"{seconds:.3g}s" if seconds < 9.995 else f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}m{rest:02}s"
    hours, minutes = divmod(minutes, 60)
    if hours < 100:
        return f"{hours}h{minutes:02}m"
    days, hours = divmod(hours, 24)
    return f"{days}d{hours:02}h" if days < 100 else f"{days}d" if days < 100_000 else ">270y"


def _brief(seconds: float) -> str:
    if seconds < 1e-6:
        return "0s"
    if seconds < 0.0009995:
        return f"{seconds * 1e6:.0f}us"
    return f"{seconds * 1e3:.3g}ms"


def age(seconds: float | None) -> str:
    """Write an age, for which tenths of a second do not matter: 4s, 1m05s, 3h07m."""
    if seconds is None or seconds != seconds:
        return "-"
    return f"{max(0.0, seconds):.0f}s" if seconds < 59.5 else duration(seconds)


def size(number: float | None) -> str:
    """Write bytes in at most five cells: 512, 12.3M."""
    if number is None:
        return "-"
    if number < 1000:
        return f"{number:.0f}"
    for unit in _UNITS:
        number /= 1024
        if number < 999.5:
            return f"{number:.1f}{unit}" if number < 99.95 else f"{number:.0f}{unit}"
    return ">999E"


def percent(share: float | None) -> str:
    """Write a share of one."""
    return "-" if share is None else f"{share * 100:.0f}%"


def sparkline(values: Sequence[float], cells: int, glyphs: Glyphs, top: float | None = None) -> str:
    """Draw values, the newest at the right; blank where there is none yet.

    Args:
        values: The oldest first.
        cells: How wide.
        glyphs: What to draw with.
        top: What is drawn as full; the highest value where it is not given.
    """
    shown = list(values)[-cells:] if cells > 0 else []
    highest = top or max(shown, default=0.0)
    levels = glyphs.levels
    if highest <= 0:
        return (levels[1] * len(shown)).rjust(cells)
    # What is not nothing shows.
    steps = (min(8, max(2, round(value / highest * 8))) if value > 0 else 1 for value in shown)
    return "".join(levels[step] for step in steps).rjust(cells)


def bar(share: float, cells: int, glyphs: Glyphs) -> str:
    """Draw a bar that is full at 1."""
    full = max(0.0, min(1.0, share)) * cells
    if glyphs.ascii:
        return ("|" * round(full)).ljust(cells)
    whole, rest = divmod(full, 1)
    partial = " ▏▎▍▌▋▊▉"[int(rest * 8)] if whole < cells else ""
    return ("█" * int(whole) + partial).ljust(cells)
