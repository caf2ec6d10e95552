"""What a user has set up: columns, meters, theme, delay. Kept as TOML under the XDG configuration directory."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from minionize.errors import SettingsError
from minionize.names import did_you_mean
from mtop.columns import COLUMNS, DEFAULT, by_key
from mtop.meters import METERS as _METERS
from mtop.meters import MODES
from mtop.view import TREES

__all__ = ["METERS", "MODES", "SHORTEST", "THEMES", "Config", "changed", "load", "place", "save"]

THEMES = ("htop", "light", "colour-blind", "monochrome")
METERS = tuple(meter.key for meter in _METERS)
SHORTEST, _LONGEST = 0.1, 3600.0
"""Seconds of the delay, at least and at most."""

_VERSION = 1
_HEAD = "# Written by mtop: F2 there changes it.\n"


@dataclass(frozen=True, slots=True)
class Config:
    """The set-up.

    Attributes:
        columns: Names of the columns that are shown, in order.
        meters: How each meter is drawn ("off": not at all), by its name.
        theme: One of THEMES.
        delay: Seconds between two polls of a minion, and between two pictures.
        sort: Name of the column by which is sorted at the start.
        falls: Whether the highest comes first.
        tree: How minions are grouped at the start.
    """

    columns: tuple[str, ...] = DEFAULT
    meters: tuple[tuple[str, str], ...] = ()
    theme: str = "htop"
    delay: float = 1.0
    sort: str = "id"
    falls: bool = False
    tree: str = "flat"


def place(environ: Mapping[str, str]) -> str:
    """Return the path of the file."""
    base = environ.get("XDG_CONFIG_HOME", "")
    if not os.path.isabs(base):
        # The specification has a relative one ignored.
        base = os.path.join(environ.get("HOME") or os.path.expanduser("~"), ".config")
    return os.path.join(base, "mtop", "config.toml")


def load(environ: Mapping[str, str]) -> tuple[Config, list[str]]:
    """Read the set-up.

    Returns:
        The set-up, and in words what of the file is not understood; for that the defaults hold.
    """
    path = place(environ)
    try:
        found = _read(path)
    except FileNotFoundError:
        return Config(), []
    except (OSError, ValueError, RecursionError) as error:
        return Config(), [f"{path}: {_why(error)}; the defaults hold"]
    config, notes = Config(), []
    for key, value in found.items():
        try:
            if key not in _FIELDS:
                raise ValueError(f"unknown key {key!r}{did_you_mean(key, _FIELDS)}")
            kept, faults = _FIELDS[key](value)
            config = replace(config, **{key: kept})
        except ValueError as error:
            faults = [str(error)]
        notes += [f"{path}: {fault}" for fault in faults]
    if "sort" in found and "falls" not in found:
        config = replace(config, falls=by_key()[config.sort].falls)
    return config, notes


def changed(kept: Config, before: Config, after: Config) -> Config:
    """Return what was kept with what a user has changed: what only the command line said is not kept."""
    names = [field.name for field in fields(Config) if getattr(after, field.name) != getattr(before, field.name)]
    return replace(kept, **{name: getattr(after, name) for name in names})


def save(config: Config, environ: Mapping[str, str]) -> list[str]:
    """Write the set-up, whole or not at all.

    Returns:
        In words what else was done: a file that is not understood is kept under another name.

    Raises:
        SettingsError: It cannot be written.
    """
    path = place(environ)
    try:
        import tomli_w
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"the set-up cannot be kept in {path}: tomli-w is not installed; pip install 'minionize[mtop]'"
        ) from error
    # What is kept elsewhere, and only linked here, stays there.
    real = os.path.realpath(path)
    said = {"version": _VERSION, **asdict(config), "meters": dict(config.meters)}
    draft = f"{real}.{os.getpid()}.draft"
    try:
        os.makedirs(os.path.dirname(real), 0o700, exist_ok=True)
        _write(draft, (_HEAD + tomli_w.dumps(said)).encode())
        notes = _put_aside(path, real)
        os.replace(draft, real)
    except OSError as error:
        with suppress(OSError):
            os.unlink(draft)
        raise SettingsError(f"the set-up cannot be kept in {path}: {_why(error)}") from error
    return notes


def _read(path: str) -> dict[str, Any]:
    import tomllib

    with open(path, "rb") as file:
        found = tomllib.load(file)
    version = found.pop("version", _VERSION)
    if version != _VERSION:
        raise ValueError(f"it is of version {version!r}, and this mtop knows {_VERSION}")
    return found


def _put_aside(path: str, real: str) -> list[str]:
    """Move what is not understood out of the way: somebody may have typed it."""
    with suppress(FileNotFoundError):
        try:
            _read(real)
        except (ValueError, RecursionError):
            os.replace(real, f"{real}.bad")
            return [f"what stood in {path} is now in {path}.bad"]
    return []


def _write(path: str, data: bytes) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with open(fd, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(fd)


def _why(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)


# What each key may hold: a value is taken, or refused by a ValueError; parts of one are left out with a note.


def _columns(value: object) -> tuple[Any, list[str]]:
    known = [column.key for column in COLUMNS]
    if not isinstance(value, list):
        raise ValueError("columns must be a list of names")
    faults = [f"no column {each!r}{did_you_mean(str(each), known)}" for each in value if each not in known]
    return tuple(dict.fromkeys(each for each in value if each in known)) or DEFAULT, faults


def _meters(value: object) -> tuple[Any, list[str]]:
    if not isinstance(value, dict):
        raise ValueError("meters must be a table of names and modes")
    faults = [f"no meter {each!r}{did_you_mean(each, METERS)}" for each in value if each not in METERS]
    faults += [
        f"meter {each} is {mode!r}{did_you_mean(str(mode), MODES)}" for each, mode in value.items() if mode not in MODES
    ]
    return tuple((each, value[each]) for each in METERS if value.get(each) in MODES), faults


def _delay(value: object) -> tuple[Any, list[str]]:
    if isinstance(value, bool) or not isinstance(value, int | float) or not SHORTEST <= value <= _LONGEST:
        raise ValueError(f"delay is {value!r}; it must be a number of seconds from {SHORTEST:g} to {_LONGEST:g}")
    return float(value), []


def _switch(value: object) -> tuple[Any, list[str]]:
    if not isinstance(value, bool):
        raise ValueError(f"falls is {value!r}; it must be true or false")
    return value, []


def _one_of(key: str, words: tuple[str, ...]) -> Callable[[object], tuple[Any, list[str]]]:
    def check(value: object) -> tuple[Any, list[str]]:
        if value not in words:
            raise ValueError(f"{key} is {value!r}{did_you_mean(str(value), words)}")
        return value, []

    return check


_FIELDS: dict[str, Callable[[object], tuple[Any, list[str]]]] = {
    "columns": _columns,
    "meters": _meters,
    "theme": _one_of("theme", THEMES),
    "delay": _delay,
    "sort": _one_of("sort", tuple(column.key for column in COLUMNS)),
    "falls": _switch,
    "tree": _one_of("tree", TREES),
}
