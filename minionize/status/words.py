"""Numbers, durations and times as people read them. Pure."""

from __future__ import annotations

from datetime import datetime

__all__ = ["count", "date", "duration", "per_second", "percent", "plural", "short"]

_UNITS = ((86400.0, "d", 3600.0, "h"), (3600.0, "h", 60.0, "min"), (60.0, "min", 1.0, "s"))


def count(number: float) -> str:
    """Write a whole number: ``1,234``."""
    return f"{number:,.0f}"


def plural(number: int, word: str) -> str:
    """Write how many there are of something."""
    return f"{number:,} {word}" + ("" if number == 1 else "s")


def percent(share: float | None) -> str:
    """Write a share; what is there is never shown as nothing, nor what is missing as all."""
    if share is None:
        return "-"
    value = 100.0 * share
    if 0.0 < value < 0.1:
        return "<0.1 %"
    return ">99.9 %" if 99.9 < value < 100.0 else f"{value:.1f} %"


def duration(seconds: float | None) -> str:
    """Write a duration in one or two units."""
    if seconds is None:
        return "-"
    if 0.0 < seconds < 0.0009995:
        return f"{seconds * 1e6:.3g} µs"
    if seconds < 0.9995:
        return f"{seconds * 1e3:.3g} ms" if seconds else "0 s"
    if seconds < 59.95:
        return f"{seconds:.3g} s"
    for big, name, small, part in _UNITS:
        # Rounded first, so that nothing has 60 seconds.
        whole = round(seconds / small)
        if whole * small >= big:
            first, second = divmod(whole, round(big / small))
            return f"{first:,} {name} {second} {part}" if second else f"{first:,} {name}"
    return f"{seconds:.0f} s"


def per_second(rate: float | None) -> str:
    """Write a rate in the unit that gives it a number one can read."""
    if not rate:
        return "0 per second" if rate == 0 else "-"
    if rate >= 1.0:
        return f"{rate:,.1f} per second" if rate < 100 else f"{rate:,.0f} per second"
    return f"{rate * 60:.1f} per minute" if rate * 60 >= 1.0 else f"{rate * 3600:.3g} per hour"


def date(moment: float, day: bool = True) -> str:
    """Write a time in the local time zone, with or without its day."""
    return datetime.fromtimestamp(moment).strftime("%Y-%m-%d %H:%M:%S" if day else "%H:%M:%S")


def short(text: str, width: int) -> str:
    """Cut a text in the middle, so that both ends are seen."""
    if len(text) <= width:
        return text
    if width < 5:
        return text[: max(0, width)]
    tail = (width - 1) // 2
    return f"{text[: width - 1 - tail]}…{text[-tail:]}"
