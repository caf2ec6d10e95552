"""Broken engines: visiting, telling who holds what, throwing away."""

from __future__ import annotations

from contextlib import suppress

from minionize.engine import EndOfQueue, Holder
from minionize.testing.doubles.engines import BrokenEngine


class HoldersAreItself(BrokenEngine):
    """Knows of its own share only."""

    def holders(self) -> list[Holder] | None:
        """Leave out the others."""
        return [each for each in super().holders() or () if each.minion == self.minion]


class HoldersRemember(BrokenEngine):
    """Counts what was delivered, settled or not."""

    def holders(self) -> list[Holder] | None:
        """Never count less than before."""
        before: dict[str, int] = self.queue.__dict__.setdefault("most", {})
        for each in super().holders() or ():
            before[each.minion] = max(each.in_flight, before.get(each.minion, 0))
        return [Holder(minion, count) for minion, count in before.items()]


class VisitTakes(BrokenEngine):
    """Who visits takes a param along."""

    def visit(self) -> None:
        """Take one."""
        super().visit()
        with suppress(EndOfQueue):
            self.receive(1, 0.0)


class PurgeForgetsTheDelayed(BrokenEngine):
    """Throws away what could be taken now only."""

    def purge(self) -> int:
        """Leave what waits."""
        back = list(self.queue._back)
        count = super().purge()
        self.queue._back.extend(back)
        return count


class PurgeTakesTheHeld(BrokenEngine):
    """Throws away everything: the queue is made anew."""

    def purge(self) -> int:
        """Let go of what is held, too."""
        count = super().purge()
        self.queue._held.clear()
        return count


class PurgeTakesTheDead(BrokenEngine):
    """Throws the evidence away with the params."""

    def purge(self) -> int:
        """Forget the dead."""
        self.queue._dead.clear()
        return super().purge()


class PurgeMiscounts(BrokenEngine):
    """Counts what is in flight too."""

    def purge(self) -> int:
        """Add it."""
        return super().purge() + len(self.queue._held)


class PurgeDoesNothing(BrokenEngine):
    """Says that it threw away what there was."""

    def purge(self) -> int:
        """Count only."""
        return len(self.queue._ready) + len(self.queue._back)
