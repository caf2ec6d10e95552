"""Which runs are counted: by time, host and outcome. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import translate
from typing import NamedTuple

from minionize.setting import seconds
from minionize.status.run import Run

__all__ = ["Filter", "moment"]

_UNIX = 1e8  # a plain number beyond is no age but a time


class Filter(NamedTuple):
    """What a run must be, to be counted.

    Attributes:
        since, until: Unix seconds between which it ended.
        hosts: Patterns, of which its host matches one; none for all hosts.
        outcomes: Of which its outcome is one; none for all.
    """

    since: float = 0.0
    until: float = float("inf")
    hosts: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()

    def kept(self, runs: Sequence[Run]) -> Sequence[Run]:
        """Return those that are counted."""
        if self == Filter():
            return runs
        matches = re.compile("|".join(map(translate, self.hosts)) or "").match
        outcomes, since, until = self.outcomes, self.since, self.until
        return [
            run
            for run in runs
            if since <= run.ended < until and matches(run.host) and (not outcomes or run.outcome in outcomes)
        ]


def moment(words: str, now: float) -> float:
    """Parse a time: an age (``10m``, ``1.5h``, ``2d``), a date, a time of today, or Unix seconds.

    Args:
        words: What the user wrote.
        now: Unix seconds.

    Raises:
        ValueError: It is none of these.
    """
    from datetime import datetime, time

    try:
        age = seconds(words)
        return age if age > _UNIX else now - age
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(words).timestamp()
    except (ValueError, OverflowError, OSError):
        pass
    try:
        return datetime.combine(datetime.fromtimestamp(now), time.fromisoformat(words)).timestamp()
    except ValueError:
        raise ValueError(f"{words!r} is no time; write 10m, 2h or 3d ago, 14:30, or 2026-11-22T14:30") from None
