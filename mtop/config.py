"""What a user has set up: columns, meters, theme, delay. Kept as TOML under the XDG configuration directory."""

from __future__ import annotations

from dataclasses import dataclass

from mtop.columns import DEFAULT
from mtop.meters import METERS as _METERS
from mtop.meters import MODES

__all__ = ["METERS", "MODES", "THEMES", "Config"]

THEMES = ("htop", "light", "colour-blind", "monochrome")
METERS = tuple(meter.key for meter in _METERS)


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
