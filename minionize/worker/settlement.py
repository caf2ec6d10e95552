"""What the loop hands to the engine thread: deliveries, and how each is to be settled."""

from __future__ import annotations

from collections import deque
from typing import Any, NamedTuple

from minionize.engine import Delivery
from minionize.settle import Ack, Dead, Nack
from minionize.task import OutcomeKind


class Settlement(NamedTuple):
    """One delivery to settle.

    Attributes:
        delivery: What.
        verdict: How.
        kind: How its run ended.
        evidence: What is known of the run; for dead ones.
    """

    delivery: Delivery
    verdict: Ack | Nack | Dead
    kind: OutcomeKind
    evidence: dict[str, Any] | None = None


def drain(items: deque[Any]) -> list[Any]:
    """Take all that is there now; others may add meanwhile."""
    return [items.popleft() for _ in range(len(items))]


def groups(batch: list[Settlement]) -> list[list[Settlement]]:
    """Put together what one call to the engine settles: acks first, they must not be lost."""
    groups: dict[Ack | Nack | Dead, list[Settlement]] = {}
    for settlement in batch:
        groups.setdefault(settlement.verdict, []).append(settlement)
    return sorted(groups.values(), key=lambda group: not isinstance(group[0].verdict, Ack))
