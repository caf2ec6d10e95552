"""A param in a slot."""

from __future__ import annotations

from typing import NamedTuple

from minionize.engine import Delivery
from minionize.task import Task


class Run(NamedTuple):
    """One of them, from its start to its end.

    Attributes:
        delivery: Where it came from.
        task: What the runner has.
        began: When, by the monotonic clock.
    """

    delivery: Delivery
    task: Task
    began: float
