"""The leases of the other minions: what they hold, and which of them hold no longer."""

from __future__ import annotations

import os
import random
from contextlib import suppress

from minionize.guardian import kill_marked
from minionize.host import is_gone
from minionize.notice import notice
from minionize.sweepdir.clock import Clock
from minionize.sweepdir.fsio import open_for_change, remove
from minionize.sweepdir.layout import Layout
from minionize.sweepdir.lease import Held, Lease, lease_names, read_lease

# With many minions each looks less often, so that all of them together look about as often as a few.
_PER_LEASE = 0.02
_MOST_APART = 60.0


class Others:
    """Sees other minions' leases.

    Attributes:
        count: How many there were at the last look.
    """

    def __init__(self, layout: Layout, clock: Clock) -> None:
        self._layout, self._clock = layout, clock
        self._known: dict[str, Held] = {}
        self._damaged: set[str] = set()
        self._next = 0.0
        self.count = 0

    def held(self, own: str) -> frozenset[str]:
        """Return the ids of all that others hold; under the locks.

        Args:
            own: Name of our own lease.
        """
        ids: set[str] = set()
        for name in lease_names(self._layout):
            held = self._read(name) if name != own else None
            if held is not None:
                ids |= held.all
        return frozenset(ids)

    def is_due(self) -> bool:
        """Tell whether it is time to look for leases that ran out."""
        return self._clock.monotonic() >= self._next

    def look(self, own: Lease, now: bool = False) -> dict[str, int]:
        """Find the leases that ran out, and kill what is left of dead minions on this host.

        Args:
            own: Our own lease; touched to learn the file system's time.
            now: Look at the ages even if somebody has just done so.

        Returns:
            Their names, and when each was last touched, in nanoseconds.
        """
        names = [name for name in lease_names(self._layout) if name != own.name]
        self.count = len(names)
        apart = min(max(1.0, len(names) * _PER_LEASE), _MOST_APART, own.seconds / 2)
        self._next = self._clock.monotonic() + apart * (0.75 + random.random() / 2)
        self._known = {name: held for name, held in self._known.items() if name in names}
        self._damaged &= set(names)
        time = own.touch() if names or now else 0.0
        ages = now or (bool(names) and self._may_look_at_ages(time, own.seconds))
        if ages:
            self._sweep_up(time - own.seconds)
        stale = {}
        for name in names:
            held = self._known.get(name) or self._read(name)
            # A damaged lease never runs out: nobody knows what it holds.
            if held is None:
                continue
            gone = is_gone(held.owner)
            if gone:
                kill_marked("MINION_ID", held.minion)
            touched = self._touched(name) if gone or ages else None
            if touched is not None and (gone or time - touched / 1e9 > held.seconds):
                stale[name] = touched
        return stale

    def _sweep_up(self, before: float) -> None:
        """Remove what minions left that were killed while making their lease."""
        for name in os.listdir(self._layout.leases):
            path = os.path.join(self._layout.leases, name)
            with suppress(FileNotFoundError):
                if name.endswith(".tmp") and os.stat(path).st_mtime < before:
                    remove(path)

    def _touched(self, name: str) -> int | None:
        try:
            return os.stat(os.path.join(self._layout.leases, f"{name}.json")).st_mtime_ns
        except FileNotFoundError:
            return None

    def _may_look_at_ages(self, time: float, seconds: float) -> bool:
        """Tell whether it is our turn: on a shared file system each age is a request to the server."""
        try:
            if 0.0 <= time - os.stat(self._layout.scan).st_mtime < seconds / 24:
                return False
        except FileNotFoundError:
            os.close(open_for_change(self._layout.scan))
        self._clock.touch(self._layout.scan)
        return True

    def _read(self, name: str) -> Held | None:
        try:
            held = read_lease(self._layout, name)
        except FileNotFoundError:
            return None
        except ValueError:
            if name not in self._damaged:
                self._damaged.add(name)
                notice(
                    "execo",
                    "the lease %s is damaged, so nobody can tell what that minion holds: if it is dead, remove the "
                    "file; what it held stays in progress until you remove %s",
                    os.path.join(self._layout.leases, f"{name}.json"),
                    self._layout.inprogress,
                )
            return None
        self._known[name] = held
        return held
