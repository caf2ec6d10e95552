"""What the loop hands to the engine thread: deliveries, and how each is to be settled."""

from __future__ import annotations

from collections import deque
from typing import Any, NamedTuple

from minionize.engine import Delivery, Engine
from minionize.settle import Ack, Dead, Nack, Policy, settle
from minionize.task import OutcomeKind
from minionize.worker.dead_file import DeadFile
from minionize.worker.pace import jitter
from minionize.worker.runner import Finished


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


def judge(delivery: Delivery, finished: Finished, policy: Policy, retry_delay: float) -> Ack | Nack | Dead:
    """Decide how to settle a run, by the callback's own word or else by its outcome.

    Args:
        delivery: What was run.
        finished: How it ended.
        policy: What the user wants.
        retry_delay: Seconds that a param waits that the callback gives back.
    """
    if finished.verdict == "ack":
        return Ack()
    if finished.verdict == "nack":
        return Nack(retry_delay)
    spread = 0.0 if finished.outcome.kind is OutcomeKind.SUCCEEDED else jitter()
    return settle(finished.outcome, delivery.attempt, delivery.crashes, policy, spread)


def carry_out(group: list[Settlement], engine: Engine, dead_file: DeadFile | None) -> None:
    """Settle what has the same verdict, by one call to the engine.

    Args:
        group: What to settle.
        engine: The queue.
        dead_file: Where dead params go when the queue keeps none.

    Raises:
        LeaseLost: Some were no longer ours; the rest is settled.
        EngineError: The queue cannot be reached.
    """
    deliveries = [settlement.delivery for settlement in group]
    verdict = group[0].verdict
    if isinstance(verdict, Ack):
        engine.ack(deliveries)
    elif isinstance(verdict, Nack):
        engine.nack(deliveries, verdict.delay, verdict.charge)
    elif dead_file is None:
        engine.dead_letter(deliveries, verdict.reason, [settlement.evidence or {} for settlement in group])
    else:
        for settlement in group:
            dead_file.write(settlement.delivery, verdict.reason, settlement.evidence or {})
        engine.ack(deliveries)
        dead_file.acked()
