"""Hosts that are black holes: they fail params much faster than the others run them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mtop.model.minion import Minion

__all__ = ["Hosts", "mark_black_holes"]

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


class Hosts:
    """Compares hosts: told of every minion, it points out those on which most runs fail, and fast."""

    def __init__(self) -> None:
        self._hosts: dict[str, _Host] = {}

    def add(self, minion: Minion) -> None:
        """Count a minion."""
        if minion.via != "nothing":
            name = minion.said["host"]
            host = self._hosts.get(name)
            if host is None:
                host = self._hosts[name] = _Host()
            host.add(minion)

    def black_holes(self) -> dict[str, str]:
        """Return the hosts that are to blame, and why.

        A fleet in which runs fail everywhere has none.
        """
        hosts = self._hosts
        whole = _Host(*(sum(getattr(host, name) for host in hosts.values()) for name in _Host.__slots__))
        suspects = {name: host for name, host in hosts.items() if len(hosts) > 1 and host.failed >= _LEAST}
        return {name: words for name, host in suspects.items() if (words := _judge(host, whole))}


def mark_black_holes(minions: Iterable[Minion]) -> None:
    """Point out hosts on which most runs fail, and end much faster than they do elsewhere."""
    everyone, hosts = list(minions), Hosts()
    for minion in everyone:
        hosts.add(minion)
    words = hosts.black_holes()
    for minion in everyone:
        minion.suspect = "" if minion.ended else words.get(minion.said["host"], "")


def _judge(host: _Host, whole: _Host) -> str:
    others = _Host(*(getattr(whole, name) - getattr(host, name) for name in _Host.__slots__))
    if host.share < _FAILED or host.share < _RATIO * others.share:
        return ""
    if others.pace <= 0 or host.pace < _RATIO * others.pace:
        return ""
    return f"{host.share:.0%} of its runs fail ({others.share:.0%} elsewhere), {host.pace / others.pace:.0f} x as fast"
