"""The last line of a minion: what it did, and where that can be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def summary(counters: Mapping[str, int], elapsed: float, records: Sequence[str], dead: str) -> str:
    """Say in one line what a minion did.

    Args:
        counters: What it counted.
        elapsed: Seconds that it ran.
        records: Where its records are.
        dead: Where its dead params are, in words.
    """
    done = counters["succeeded"]
    words = [f"{done} done", f"{counters['failed'] + counters['timed_out']} failed", f"{counters['retried']} retried"]
    words.append(f"{counters['dead']} dead")
    for name, word in (("preempted", "given back"), ("could_not_start", "not started"), ("lease_lost", "lost")):
        if counters[name]:
            words.append(f"{counters[name]} {word}")
    said = f"{', '.join(words)} in {elapsed:.1f} s ({done / max(elapsed, 1e-3):.1f}/s)"
    places = [f"records in {place}" for place in records if counters["received"]]
    return "; ".join([said, *places, *([dead] if counters["dead"] else [])])
