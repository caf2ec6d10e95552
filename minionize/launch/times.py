"""Walltimes, as schedulers want them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from minionize.errors import SettingsError
from minionize.setting import Setting, integer, seconds
from minionize.table import SETTINGS

if TYPE_CHECKING:
    from minionize.launch.launcher import Fleet

__all__ = ["CHECKPOINT", "check_fits", "check_walltime", "clock", "leave_early", "time_of", "walltime"]

CHECKPOINT = Setting(
    "checkpoint",
    "",
    integer(1),
    60,
    "How long before the walltime minions are told to give back and leave.",
    ("--checkpoint",),
    "SECONDS",
)
"""For schedulers that can send a signal before the walltime."""

_CLOCK = re.compile(r"(?:(\d+)-)?(\d+):([0-5]?\d)(?::([0-5]?\d))?")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def walltime(value: Any) -> int:
    """Parse a walltime into seconds: ``2h``, ``90m``, ``1:30:00``, ``1:30`` (hours, minutes), ``2-12:00:00``.

    A bare number is refused: it means hours to OAR and minutes to Slurm.
    """
    words = str(value).strip()
    if found := _CLOCK.fullmatch(words):
        days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
        total = days * 86400 + hours * 3600 + minutes * 60 + seconds
    elif found := re.fullmatch(r"(\d+)([smhd])", words.lower()):
        total = int(found[1]) * _UNITS[found[2]]
    else:
        total = 0
    if total <= 0:
        raise ValueError("must be a time with its unit, or hours, minutes and seconds: 2h, 90m, 1:30:00")
    return total


def clock(length: int) -> str:
    """Write seconds as hours:minutes:seconds."""
    return f"{length // 3600}:{length % 3600 // 60:02d}:{length % 60:02d}"


def check_walltime(fleet: Fleet, checkpoint: int) -> None:
    """Refuse a walltime in which no param can be run.

    Args:
        fleet: Has the walltime, if there is one.
        checkpoint: So many seconds before its end minions are told.

    Raises:
        SettingsError: It is too short.
    """
    if fleet.walltime is None:
        return
    if fleet.walltime <= checkpoint:
        raise SettingsError(f"--checkpoint {checkpoint}: must be less than --walltime")
    check_fits(fleet, fleet.walltime, f"--walltime {clock(fleet.walltime)}", 0 if _finishes(fleet) else checkpoint)


def check_fits(fleet: Fleet, length: float, limit: str, checkpoint: int = 0) -> None:
    """Refuse a fleet that would be started again and again for params that take too long.

    Args:
        fleet: Its minions may know how long a param takes.
        length: Seconds that each of them has.
        limit: What says so, for the message.
        checkpoint: So many seconds before the end what runs is cut off.

    Raises:
        SettingsError: A param takes longer than what grace, margin and checkpoint leave.
    """
    expected, grace, margin = (time_of(fleet, key) or 0.0 for key in ("expect", "grace", "margin"))
    if checkpoint and fleet.setting("margin") is None:
        margin = checkpoint
    # Of a short time they take half at most.
    left = min(length - min(grace + margin, length / 2), length - checkpoint)
    if expected >= left:
        words = fleet.setting("expect")
        raise SettingsError(
            f"--expect {words}: no param would ever fit into {limit}: {left:.0f} s of it are left for one"
        )


def time_of(fleet: Fleet, key: str) -> float | None:
    """Return a setting of the minions that is a time, in seconds: what is said of it, else its default.

    Raises:
        SettingsError: It is none.
    """
    words = fleet.setting(key)
    try:
        return seconds(words) if words is not None else next(each.default for each in SETTINGS if each.key == key)
    except ValueError as error:
        raise SettingsError(f"--{key.replace('_', '-')} of minionize: {error}") from None


def leave_early(fleet: Fleet, checkpoint: int) -> list[str]:
    """Return the lines that have minions be gone when they would be told.

    Args:
        fleet: Its minions may have been told otherwise, or to finish what runs when they are told.
        checkpoint: Seconds before the walltime.
    """
    said = fleet.setting("margin") is not None or _finishes(fleet)
    why = "# Minions leave before they would be told to: no param begins that would be cut off then."
    return [] if said else [why, f"export MINION_MARGIN={checkpoint}"]


def _finishes(fleet: Fleet) -> bool:
    return fleet.setting("on_stop") == "finish"
