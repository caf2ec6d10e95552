"""What is heard of the minions of the demo: by polls, and in their registry."""

from __future__ import annotations

from minionize.registry import Announcement, Seen
from mtop.demo.backlogs import Backlogs
from mtop.demo.cast import BEAT, Member
from mtop.demo.numbers import BEGAN, said
from mtop.demo.sweeps import ME

__all__ = ["Registry", "trouble"]

_HEARD, _SILENT, _FIRST = 26.0, 22.0, 12.0
"""Seconds for which a minion that is now and then stale is heard, and is not; and for how long it is not at first."""


def trouble(member: Member, x: float) -> str | None:
    """Say why a minion does not answer a poll; None if it does."""
    if x > member.dies:
        return "connection refused"
    if _silence(member, x):
        return "no answer within 2 s"
    return "no route to host" if member.fate == "unreachable" else None


def _silence(member: Member, x: float) -> float:
    """Return for how long nothing has been heard of a minion, beyond what is usual."""
    if x > member.dies:
        return x - member.dies
    if member.fate == "stale":
        return max(0.0, (x + _HEARD + _FIRST) % (_HEARD + _SILENT) - _HEARD)
    return 0.0


class Registry:
    """Where they are announced. Of a minion that answers polls, its first announcement does: nobody looks at others.

    Args:
        backlogs: What their queues hold.
    """

    def __init__(self, backlogs: Backlogs) -> None:
        self._backlogs = backlogs
        self._kept: dict[int, tuple[str, Announcement]] = {}

    def seen(self, member: Member, x: float) -> Seen:
        """Return what a minion has last announced, and how old that is."""
        silence = _silence(member, x)
        phase = member.turn * BEAT
        beat = (x - silence - phase) // BEAT * BEAT + phase
        left = member.course.left_at()
        kind = "left" if beat >= left else "silent" if silence else "heard"
        if kind == "left":
            beat = left
        known = self._kept.get(member.number)
        if known is None or known[0] != kind or member.fate == "unreachable":
            known = self._kept[member.number] = kind, self._announcement(member, beat, x, kind)
        return Seen(known[1], max(0.0, x - beat))

    def _announcement(self, member: Member, beat: float, x: float, kind: str) -> Announcement:
        there = kind != "left"
        # Whoever is silent does not know what its queue holds now.
        backlog = self._backlogs.of(member, x) if kind == "heard" else None
        return {
            **said(member, beat, backlog),
            "url": f"http://{member.host}:{7_000 + member.pid % 1_000}" if there else None,
            "token": "demo" if there and member.sweep.user == ME else None, "heartbeat": BEGAN + beat, "every": BEAT,
            "process": (member.host, "", "", member.pid, 1), "left": None if there else BEGAN + beat,
        }  # fmt: skip
