"""What the worker is told by the settings, by name and type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from minionize.settle import Policy


@dataclass(frozen=True, slots=True)
class Options:
    """The worker's part of the settings; the names are their keys, times are seconds."""

    slots: int = 1
    retries: int = 0
    retry_delay: float = 1.0
    timeout: float | None = None
    grace: float = 10.0
    on_stop: str = "abandon"
    on_lease_lost: str = "kill"
    max_crashes: int = 5
    max_params: int | None = None
    exit_when_empty: float | None = None
    exit_retry: frozenset[int] = frozenset({75})
    exit_dead: frozenset[int] = frozenset()
    exit_stop: frozenset[int] = frozenset()
    slow_down: int = 20

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Options:
        """Take the worker's part of all values."""
        return cls(**{field.name: values[field.name] for field in fields(cls) if field.name in values})

    @property
    def policy(self) -> Policy:
        """The part of them that decides how a run is settled."""
        return Policy(**{field.name: getattr(self, field.name) for field in fields(Policy)})
