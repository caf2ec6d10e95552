"""Hosts that are black holes: they fail params much faster than the others run them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mtop.model.minion import Minion

__all__ = ["mark_black_holes"]

_FAILED = 0.5
_RATIO = 3.0
_LEAST = 5


@dataclass(slots=True)
class _Host:
    ended: int = 0
    failed: int = 0
    slot_seconds: float = 0.0

    def add(self, minion: Minion) -> None:
        counters = minion.said["counters"]
        failed = counters["failed"] + counters["timed_out"] + counters["could_not_start"]
        self.failed += failed
        self.ended += failed + counters["succeeded"]
        self.slot_seconds += max(1.0, minion.said["slots"] * minion.uptime)

    @property
    def share(self) -> float:
        return self.failed / self.ended if self.ended else 0.0

    @property
    def pace(self) -> float:
        """Runs that end, per second and slot."""
        return self.ended / self.slot_seconds if self.slot_seconds else 0.0


def mark_black_holes(minions: Iterable[Minion]) -> None:
    """Point out hosts on which most runs fail, and end much faster than they do elsewhere.

    A fleet in which runs fail everywhere has none: then the host is not to blame.
    """
    hosts: dict[str, _Host] = {}
    everyone = list(minions)
    for minion in everyone:
        if minion.via != "nothing":
            hosts.setdefault(minion.said["host"], _Host()).add(minion)
    whole = _Host(*(sum(getattr(host, name) for host in hosts.values()) for name in _Host.__slots__))
    words = {name: _judge(host, whole) for name, host in hosts.items() if len(hosts) > 1 and host.failed >= _LEAST}
    for minion in everyone:
        minion.suspect = "" if minion.ended else words.get(minion.said["host"], "")


def _judge(host: _Host, whole: _Host) -> str:
    others = _Host(*(getattr(whole, name) - getattr(host, name) for name in _Host.__slots__))
    if host.share < _FAILED or host.share < _RATIO * others.share:
        return ""
    if others.pace <= 0 or host.pace < _RATIO * others.pace:
        return ""
    return f"{host.share:.0%} of its runs fail ({others.share:.0%} elsewhere), {host.pace / others.pace:.0f} x as fast"
