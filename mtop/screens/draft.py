"""A set-up that is being changed. Pure."""

from __future__ import annotations

from dataclasses import replace

from mtop.columns import COLUMNS, DEFAULT
from mtop.config import Config
from mtop.meters import METERS, MODES

__all__ = ["DELAYS", "Draft"]

DELAYS = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds to choose from."""


class Draft:
    """What the user has chosen until now.

    Args:
        config: What holds at present.

    Attributes:
        order: Names of all columns, as they stand: chosen ones first where nobody has moved them.
        chosen: Those that are shown.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._take(config.columns)

    def _take(self, columns: tuple[str, ...]) -> None:
        known = [column.key for column in COLUMNS]
        self.chosen = {key for key in columns if key in known}
        first = [key for key in dict.fromkeys(columns) if key in known]
        self.order = first + [key for key in known if key not in self.chosen]

    @property
    def config(self) -> Config:
        """The set-up, as it would be kept."""
        return replace(self._config, columns=tuple(key for key in self.order if key in self.chosen))

    def toggle(self, key: str) -> None:
        """Show a column, or do not. The last one stays."""
        if key not in self.chosen:
            self.chosen.add(key)
        elif len(self.chosen) > 1:
            self.chosen.discard(key)

    def move(self, key: str, by: int) -> None:
        """Move a column."""
        at = self.order.index(key)
        to = max(0, min(len(self.order) - 1, at + by))
        self.order.insert(to, self.order.pop(at))

    def reset_columns(self) -> None:
        """Show what is shown where nobody has chosen."""
        self._take(DEFAULT)

    def mode(self, meter: str) -> str:
        """Return how a meter is drawn."""
        usual = next(each.mode for each in METERS if each.key == meter)
        return dict(self._config.meters).get(meter, usual)

    def step_mode(self, meter: str, by: int) -> None:
        """Draw a meter in another way."""
        mode = MODES[(MODES.index(self.mode(meter)) + by) % len(MODES)]
        meters = {**dict(self._config.meters), meter: mode}
        kept = tuple((each.key, meters[each.key]) for each in METERS if each.key in meters)
        self._config = replace(self._config, meters=kept)

    def set_theme(self, theme: str) -> None:
        """Choose the colours."""
        self._config = replace(self._config, theme=theme)

    @property
    def delays(self) -> tuple[float, ...]:
        """Seconds to choose from, the present ones among them."""
        return tuple(sorted({*DELAYS, self._config.delay}))

    def set_delay(self, seconds: float) -> None:
        """Choose how often minions are asked."""
        self._config = replace(self._config, delay=seconds)
