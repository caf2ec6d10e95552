"""What a minion can be told to do: one entry each, over its HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

__all__ = ["DRAIN", "PAUSE", "REQUEUE_DEAD", "RESUME", "Order", "kill", "requeue", "slots", "task_path"]


@dataclass(frozen=True, slots=True)
class Order:
    """One order.

    Attributes:
        name: What it is, for people: "pause".
        path: Where it is posted.
        body: What goes with it, as JSON; None for nothing.
    """

    name: str
    path: str
    body: Mapping[str, object] | None = None


PAUSE = Order("pause", "/pause")
RESUME = Order("resume", "/resume")
DRAIN = Order("drain", "/drain")
REQUEUE_DEAD = Order("requeue dead params", "/dead/requeue")


def slots(number: int) -> Order:
    """Have so many slots."""
    return Order(f"{number} slots", "/slots", {"slots": number})


def kill(task: str) -> Order:
    """End a run, as a failure."""
    return Order("kill", task_path(task, "kill"))


def requeue(task: str) -> Order:
    """End a run and give its param back."""
    return Order("requeue", task_path(task, "requeue"))


def task_path(task: str, what: str) -> str:
    """Return the path of something about one run, whatever its id holds."""
    id = quote(task, safe="", errors="surrogateescape")
    # Dots alone would lead to another place.
    return f"/tasks/{id if id.strip('.') else id.replace('.', '%2E')}/{what}"
