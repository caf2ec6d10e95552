"""What the exit status of a look says: whether all is well with the fleet."""

from __future__ import annotations

from enum import IntEnum

from mtop.model.totals import Totals

__all__ = ["Health", "troubles"]


class Health(IntEnum):
    """What the exit status of ``mtop --once``, ``--json`` and ``--csv`` means."""

    WELL = 0
    TROUBLE = 1
    BLIND = 2

    @property
    def meaning(self) -> str:
        """One line for ``--help`` and the reference."""
        return _MEANINGS[self]


_MEANINGS = {
    Health.WELL: "all is well; also where there is no minion at all",
    Health.TROUBLE: "a minion is lost, runs fail now, a queue is stalled, or a host is a black hole",
    Health.BLIND: "the command line is wrong, or a registry cannot be read",
}


def troubles(sums: Totals) -> list[str]:
    """Say what is not well with a fleet."""
    found = {
        "minions are lost": sums.states["lost"] > 0,
        "runs fail": sums.failed > 0,
        "a queue is stalled": sums.stalled,
        "a host is a black hole": sums.suspects > 0,
    }
    return [words for words, holds in found.items() if holds]
