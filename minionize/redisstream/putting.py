"""Params by batches: large while they come quickly, one by one while they come slowly."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

__all__ = ["batches"]

_LARGEST, _BYTES = 1000, 4_000_000
_QUICK = 0.05

Item = TypeVar("Item")


def batches(
    items: Iterable[Item], size: Callable[[Item], int], clock: Callable[[], float] = time.monotonic
) -> Iterator[list[Item]]:
    """Yield all items in batches; what comes slowly does not wait for more.

    Args:
        items: They may come at any pace.
        size: How many bytes an item has.
        clock: The time, in seconds.
    """
    batch: list[Item] = []
    limit, weight, began = 1, 0, clock()
    for item in items:
        batch.append(item)
        weight += size(item)
        if len(batch) >= limit or weight >= _BYTES:
            limit = min(2 * limit, _LARGEST) if clock() - began < _QUICK else 1
            yield batch
            batch, weight, began = [], 0, clock()
    if batch:
        yield batch
