"""Memory engines that misbehave in one way."""

from __future__ import annotations

from collections.abc import Callable as Function
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from minionize.engine import Delivery
from minionize.engines.memory import MemoryEngine, MemoryQueue
from minionize.task import Param


class Faulty(MemoryEngine):
    """Calls ``fault`` with the name of the method before each call; it may raise.

    Attributes:
        calls: The names of the methods called, in order.
    """

    def __init__(
        self, params: MemoryQueue | Iterable[Param], fault: Function[[str], None] = lambda _: None, lease: float = 60.0
    ) -> None:
        super().__init__(params, lease)
        self.fault = fault
        self.calls: list[str] = []

    def _call(self, name: str) -> None:
        self.calls.append(name)
        self.fault(name)

    def open(self) -> None:
        self._call("open")
        super().open()

    def close(self) -> None:
        self._call("close")
        super().close()

    def receive(self, max_messages: int, timeout: float) -> list[Delivery]:
        self._call("receive")
        return super().receive(max_messages, timeout)

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        self._call("ack")
        super().ack(deliveries)

    def nack(self, deliveries: Sequence[Delivery], delay: float = 0.0, charge: bool = True) -> None:
        self._call("nack")
        super().nack(deliveries, delay, charge)

    def dead_letter(self, deliveries: Sequence[Delivery], reason: str, evidence: Sequence[Mapping[str, Any]]) -> None:
        self._call("dead_letter")
        super().dead_letter(deliveries, reason, evidence)

    def extend(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        self._call("extend")
        return super().extend(deliveries)


def times(count: int, method: str, error: BaseException) -> Function[[str], None]:
    """Raise ``error`` the first ``count`` times that ``method`` is called."""
    left = [count]

    def fault(name: str) -> None:
        if name == method and left[0]:
            left[0] -= 1
            raise error

    return fault
