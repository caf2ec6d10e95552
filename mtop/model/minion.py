"""One minion, as mtop knows it: what it last said, how that came, and how long ago."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

from minionize.registry import LOST, STALE, Seen
from minionize.stats.wire import StatsWire
from mtop.model.history import CELLS, History

__all__ = ["ENDED", "URL_EVERY", "Minion", "Shown", "Signs", "Via"]

Shown: TypeAlias = Literal[
    "starting", "running", "idle", "paused", "draining", "stopped", "stale", "lost", "unknown"
]  # fmt: skip
"""What is shown as a state: what the minion says of itself, unless it gives no sign of life."""

Via: TypeAlias = Literal["http", "heartbeat", "final", "nothing"]
"""How the numbers came: polled, from the registry's heartbeat, from the tombstone, not at all yet."""

ENDED = ("stopped", "lost")
"""States of minions that are no more: they sort last, fade, and can be purged."""

URL_EVERY = 3.0
"""Stands for the seconds between heartbeats where only an URL is known: an answer is a sign of life."""

APART = "its server listens on its own host only (minionize --host)"
"""Why the server of a minion that announces 127.0.0.1 of another host is not asked: somebody else may listen there."""

_LATE = 3.0
"""Seconds by which a sign of life may be noticed late: a registry is looked at every two. However often a minion gives
one, so much is no reason to take it for stale, and twice as much none to take it for lost."""

_STRAGGLER = 3.0
_ENOUGH = 20


class Signs(NamedTuple):
    """What is known of a minion beside its numbers: with them it can be made again, from a recording.

    Attributes:
        via: How the numbers came.
        every: Seconds between its heartbeats.
        left, gone: Whether it has left; whether its process is known to be gone.
        heard_at, beat_at, answered_at, failing_since: Times by the fleet's clock; None for never.
        trouble: Why its server does not answer.
        took: Seconds that the last poll took.
    """

    via: Via
    every: float
    left: bool
    gone: bool
    heard_at: float
    beat_at: float | None = None
    answered_at: float | None = None
    failing_since: float | None = None
    trouble: str | None = None
    took: float | None = None


class Minion:
    """A row of the fleet. The fleet changes it; all others only look.

    Attributes:
        key: By which polls know it: its id, or its URL where no registry announces it.
        said: The numbers that it last sent, whole.
        via: How they came.
        state: The state that is shown.
        ended: Whether it is no more.
        age: Seconds since its last sign of life, a heartbeat or an answer; None before the first.
        beat: Seconds since its last heartbeat; None where no registry announces it.
        trouble: Why its server does not answer, in words, with texts of minions as they came; None if it does, or was
            not asked.
        url: Where its server is, if it has one.
        token: What the server at ``url`` asks for; never shown, and sent nowhere else.
        apart: Whether its server can only be reached from its own host, which is not this one.
        usurped: Whether another minion answers where its server was.
        by: The key of the poll that it answered last: its own, or an URL that leads to it too; None for none.
        rate: Runs that succeeded per second; failed and redelivered likewise. 0 when it is no more.
        uptime: Seconds, until now or until its end.
        oldest: Age of the oldest run under way, in seconds.
        took: Seconds that the last poll took.
        straggles: Whether its oldest run has taken far longer than nearly all before.
        suspect: Why its host looks like a black hole, in words; "" if it does not.
        history: Its rate of late.
    """

    __slots__ = (
        "_answered_at", "_beat_at", "_failing_since", "_gone", "_heard_at", "_left", "age", "apart", "beat", "by",
        "ended", "every", "failed_rate", "history", "key", "oldest", "place", "rate", "redelivered_rate", "said",
        "state", "straggles", "suspect", "token", "took", "trouble", "uptime", "url", "usurped", "via",
    )  # fmt: skip

    def __init__(self, key: str, said: StatsWire, now: float, place: str = "") -> None:
        self.key, self.said, self.place = key, said, place
        self.via: Via = "nothing"
        self.state: Shown = "unknown"
        self.ended = self.straggles = self.apart = self.usurped = self._gone = self._left = False
        self.url: str | None = None
        self.token: str | None = None
        self.by: str | None = None
        self.trouble: str | None = None
        self.suspect = ""
        self.every = URL_EVERY
        self.age: float | None = None
        self.beat: float | None = None
        self.oldest: float | None = None
        self.took: float | None = None
        self.rate = self.failed_rate = self.redelivered_rate = self.uptime = 0.0
        self.history = History(CELLS, now)
        self._heard_at = now
        self._beat_at: float | None = None
        self._answered_at: float | None = None
        self._failing_since: float | None = None

    def __repr__(self) -> str:
        return f"Minion({self.key!r}, {self.state!r})"

    @property
    def id(self) -> str:
        """Its id; where it was never reached, the place where it should be."""
        return self.said["id"]

    @property
    def reachable(self) -> bool:
        """Whether its last poll was answered, so that its numbers come by HTTP."""
        return self._answered_at is not None and self._failing_since is None

    @property
    def patience(self) -> float | None:
        """How old a run may become, in seconds, before it is a straggler; None where too few have ended to tell."""
        latency = self.said["latency"]
        return None if latency["p95"] is None or latency["count"] < _ENOUGH else _STRAGGLER * latency["p95"]

    @property
    def pollable(self) -> bool:
        """Whether there is somebody to ask."""
        return self.url is not None and not (self.apart or self._left or self._gone)

    def why_not(self, user: str) -> str | None:
        """Say why a user cannot control it, or see its params; None if that user can."""
        if self.ended:
            return f"it is {self.state}"
        # Who gives mtop the token of an URL may control what answers there, whatever that is called.
        given = self.token is not None and self.key == self.url
        if self.said["user"] and self.said["user"] != user and not given:
            return f"it belongs to {self.said['user']}"
        if self.url is None:
            return "it has no stats server (--no-server)"
        if self.apart:
            return APART
        if self.usurped:
            return "another minion answers at its place"
        return None if self.token else "its token is not known"

    # What the fleet hears.

    def announced(self, seen: Seen, now: float, gone: bool = False, apart: bool = False) -> None:
        """Take what the registry holds of it.

        Args:
            seen: What it says, and how old that is.
            now: The time.
            gone: Whether its process is known to have ended.
            apart: Whether its server can only be reached from another host.
        """
        announcement, age = seen
        if announcement["url"] != self.url:
            # Nobody has answered there yet.
            self.by = self._answered_at = self._failing_since = self.trouble = None
            self.usurped = False
        # Always both: a token is good for the place that it was announced with, and for no other.
        self.url, self.token, self.every = announcement["url"], announcement["token"], announcement["every"]
        self._beat_at = now - age
        self._left = announcement["left"] is not None
        self._gone = gone and not self._left
        self.apart = apart
        if apart and not self.reachable:
            self.trouble = APART
        # A minion that answers tells more, and later, than its heartbeats do.
        if self._left or (not self.reachable and (self.via == "nothing" or self._heard_at <= self._beat_at)):
            self.said, self._heard_at = announcement, self._beat_at
            self.via = "final" if self._left else "heartbeat"

    def answered(self, said: StatsWire | None, now: float, took: float, by: str, since: float) -> None:
        """Take the answer to a poll.

        Args:
            said: Its numbers; None: nothing is known of them.
            now: The time.
            took: Seconds that the poll took.
            by: The key of the poll.
            since: The time when these numbers came for the first time.
        """
        if self._left:
            # Its last words are in the registry; this was on its way before.
            return
        if said is not None:
            self.said, self._heard_at, self.via = said, since, "http"
        self._answered_at, self._failing_since, self.trouble, self.took, self.by = now, None, None, took, by
        if by == self.key:
            self.usurped = False

    def unanswered(self, trouble: str, now: float) -> None:
        """Hear that a poll failed."""
        self.trouble = trouble
        if self._failing_since is None:
            self._failing_since = now

    def signs(self) -> Signs:
        """Return what is known of it beside its numbers."""
        return Signs(
            self.via, self.every, self._left, self._gone, self._heard_at, self._beat_at, self._answered_at,
            self._failing_since, self.trouble, self.took,
        )  # fmt: skip

    def recall(self, said: StatsWire, signs: Signs) -> None:
        """Take what was known of it at some time."""
        self.said = said
        (
            self.via, self.every, self._left, self._gone, self._heard_at, self._beat_at, self._answered_at,
            self._failing_since, self.trouble, self.took,
        ) = signs  # fmt: skip

    # What follows from it.

    def advance(self, now: float) -> None:
        """Bring to the present what changes by time alone."""
        signs = [at for at in (self._beat_at, self._answered_at) if at is not None]
        self.age = max(0.0, now - max(signs)) if signs else None
        self.beat = None if self._beat_at is None else max(0.0, now - self._beat_at)
        self.state = self._shown(self.age)
        self.ended = self.state in ENDED
        since = 0.0 if self.ended else max(0.0, now - self._heard_at)
        said = self.said
        self.uptime = said["uptime"] + since
        oldest = said["in_flight"]["oldest"]
        self.oldest = None if oldest is None or self._left else self._aged(oldest, since)
        rates = said["rates"]
        alive = not self.ended
        self.rate = rates["succeeded"] if alive else 0.0
        self.failed_rate = rates["failed"] if alive else 0.0
        self.redelivered_rate = rates["redelivered"] if alive else 0.0
        limit = self.patience
        self.straggles = bool(alive and self.oldest and limit and self.oldest > limit)
        self.history.note(self.rate, now)

    def _aged(self, oldest: float, since: float) -> float:
        """Return how old the oldest run is by now; when it should have ended long ago, another one has begun."""
        usual = self.said["latency"]["p95"]
        return oldest + since if usual is None else max(oldest, min(oldest + since, usual))

    def _shown(self, age: float | None) -> Shown:
        if self._left:
            return "stopped"
        if self._gone:
            return "lost"
        if age is None:
            return "unknown" if self._failing_since is None else "lost"
        if age > max(LOST * self.every, self.every + 2 * _LATE):
            return "lost"
        if age > max(STALE * self.every, self.every + _LATE):
            return "stale"
        return "unknown" if self.via == "nothing" else self.said["state"]
