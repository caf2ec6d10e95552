"""One setting, declared once: its key, variable, option, type, default and help.

The tables of settings stand where they are used: the worker's in ``settings.py``, an engine's or a
reporter's in its own file. Command line, environment, ``.minionize.yml``, ``--help``, ``--show-config``,
the JSON Schema and the docs are all made from them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from minionize.errors import SettingsError

_LONGEST = 365 * 86_400.0


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing that a user can set.

    Attributes:
        key: Name in ``.minionize.yml`` and of the Python attribute or keyword, ``snake_case``.
        env: Environment variable, or "" for none.
        parse: Makes the value from the text of a variable or from a YAML value; raises ValueError with
            a message that says what would be right.
        default: Value when nobody sets it.
        help: One sentence for ``--help`` and the docs.
        flags: Option names on the command line, such as ``("-j", "--slots")``; empty for none.
        metavar: What ``--help`` shows for the value; "" makes a switch of it.
        mandatory: Without a value the engine or reporter cannot start.
        secret: Never shown; ``--show-config`` masks it.
        choices: The allowed values, where they are a fixed few.
        many: The option may be given several times.
        schema: JSON Schema of the value in ``.minionize.yml``.
    """

    key: str
    env: str
    parse: Callable[[Any], Any]
    default: Any
    help: str
    flags: tuple[str, ...] = ()
    metavar: str = "TEXT"
    mandatory: bool = False
    secret: bool = False
    choices: tuple[str, ...] = ()
    many: bool = False
    schema: str = "string"


def text(value: Any) -> str:
    """Take any scalar as text."""
    if isinstance(value, (dict, list)):
        raise ValueError("must be a text")
    return str(value)


def integer(minimum: int = 0) -> Callable[[Any], int]:
    """Make a parser of whole numbers, ``minimum`` or more."""

    def parse(value: Any) -> int:
        try:
            number = int(str(value))
        except ValueError:
            number = minimum - 1
        if number < minimum or isinstance(value, bool):
            raise ValueError(f"must be a whole number, {minimum} or more")
        return number

    return parse


def seconds(value: Any) -> float:
    """Parse a duration: seconds, or a number with s, m, h or d behind it (``90``, ``1.5h``)."""
    units = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
    words = str(value).strip()
    factor = units.get(words[-1:].lower(), 0.0)
    try:
        duration = float(words[:-1]) * factor if factor else float(words)
    except ValueError:
        duration = -1.0
    if isinstance(value, bool) or not 0.0 <= duration < float("inf"):
        raise ValueError("must be a time in seconds, or with a unit: 90, 1.5h, 30m, 2d")
    return duration


def clock_time(value: str) -> float:
    """Parse a time as schedulers write it: seconds, ``[[hours:]minutes:]seconds``, or with ``days-`` before it."""
    days, dash, rest = value.strip().rpartition("-")
    parts = rest.split(":")
    digits = all(part.isdecimal() for part in (*parts, days or "0"))
    if not digits or len(value) > 20 or len(parts) > 3 or (dash and not days):
        raise ValueError("is no time")
    total = 0
    for part in parts:
        total = total * 60 + int(part)
    return float(int(days or 0) * 86_400 + total)


def lease(value: Any) -> float:
    """Parse a duration of more than nothing, and less than for ever: servers reckon with it."""
    duration = seconds(value)
    if not 0.0 < duration <= _LONGEST:
        raise ValueError("must be more than 0 seconds, and 365d at most")
    return duration


def switch(value: Any) -> bool:
    """Parse yes or no."""
    words = str(value).strip().lower()
    if words in ("1", "true", "yes", "on"):
        return True
    if words in ("", "0", "false", "no", "off"):
        return False
    raise ValueError("must be yes or no")


def choice(*allowed: str) -> Callable[[Any], str]:
    """Make a parser that takes one of a few words."""

    def parse(value: Any) -> str:
        if str(value) not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return str(value)

    return parse


def from_values(owner: str, declared: tuple[Setting, ...], values: dict[str, Any]) -> dict[str, Any]:
    """Complete ``values`` by the declared defaults, and refuse what is missing or not declared.

    Args:
        owner: Whose settings they are, for the message.
        declared: The table of settings.
        values: Values by key.

    Raises:
        SettingsError: A key is unknown or a mandatory one has no value.
    """
    known = {setting.key for setting in declared}
    for key in values:
        if key not in known:
            raise SettingsError(f"{owner}: unknown setting {key!r}; known are {', '.join(sorted(known)) or 'none'}")
    full = {setting.key: values.get(setting.key, setting.default) for setting in declared}
    for setting in declared:
        if setting.mandatory and full[setting.key] in (None, ""):
            raise SettingsError(f"{owner}: {setting.env or setting.key} must be set ({setting.help})")
    return full
