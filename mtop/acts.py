"""Orders to many minions at once, each answered for itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypeVar

from mtop.feed import Feed, Unanswered
from mtop.model.fleet import Fleet
from mtop.model.minion import Minion
from mtop.orders import Order, slots

__all__ = ["AT_ONCE", "Answer", "Orders", "Verdict", "at_once", "change_slots", "give", "within"]

AT_ONCE = 32
"""How many minions are asked, or told something, at the same time."""

_PATIENCE = 30.0
"""Seconds for an answer. A minion may take 20 for dead params; the feed mostly gives up earlier."""

_MOST_SLOTS = 10_000

T = TypeVar("T")
Verdict = Literal["done", "failed", "not sent"]
Orders: TypeAlias = Order | Callable[[Minion], Order | None]
"""The same for all, or what each of them is told; None: nothing."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of an order to one minion.

    Attributes:
        minion: Whose.
        verdict: "done"; "failed": the minion refused, or did not answer; "not sent": it was never asked.
        words: What it answered, or why it was not done.
    """

    minion: Minion
    verdict: Verdict
    words: str


async def within(seconds: float, answer: Awaitable[T]) -> T:
    """Wait for an answer, but not for ever.

    Raises:
        Unanswered: There is none, or it takes too long.
    """
    try:
        async with asyncio.timeout(seconds):
            return await answer
    except TimeoutError:
        raise Unanswered(f"no answer within {seconds:g} s") from None


async def at_once(minions: Iterable[Minion], do: Callable[[Minion], Awaitable[None]], most: int = AT_ONCE) -> None:
    """Do something with each of many minions, with no more than ``most`` at the same time."""
    waiting = iter(minions)

    async def work() -> None:
        for minion in waiting:
            await do(minion)

    async with asyncio.TaskGroup() as group:
        for _ in range(most):
            group.create_task(work())


async def give(
    feed: Feed,
    fleet: Fleet,
    orders: Orders,
    minions: Iterable[Minion],
    on_answer: Callable[[Answer], None],
    *,
    most: int = AT_ONCE,
    patience: float = _PATIENCE,
) -> None:
    """Give an order to minions. Whether each one may be told is looked at again when its turn comes.

    Args:
        feed: Carries the orders.
        fleet: Knows who can be controlled.
        orders: What they are told.
        minions: Who is meant.
        on_answer: Told each answer as it comes.
        most: So many at the same time.
        patience: Seconds that each may take.
    """

    async def tell(minion: Minion) -> None:
        on_answer(await _tell(feed, fleet, orders, minion, patience))

    await at_once(minions, tell, most)


async def _tell(feed: Feed, fleet: Fleet, orders: Orders, minion: Minion, patience: float) -> Answer:
    present = fleet.minions.get(minion.key)
    if present is None:
        return Answer(minion, "not sent", "it is no more in the fleet")
    why = fleet.why_not(present) if feed.live else "this is no live fleet"
    if why is not None:
        return Answer(present, "not sent", why)
    order = orders if isinstance(orders, Order) else orders(present)
    if order is None:
        return Answer(present, "not sent", "there is nothing to change")
    try:
        return Answer(present, "done", await within(patience, feed.order(present, order)))
    except Unanswered as error:
        return Answer(present, "failed", str(error))


def change_slots(by: int) -> Callable[[Minion], Order | None]:
    """Make an order that adds slots to each minion, or takes some away; one is left at least."""

    def order(minion: Minion) -> Order | None:
        before = minion.said["slots"]
        after = max(1, min(_MOST_SLOTS, before + by))
        return None if after == before else slots(after)

    return order
