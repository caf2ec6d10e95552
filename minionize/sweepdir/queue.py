"""The queue in a sweep directory, for one minion: take, settle, look. One cycle of the locks for each call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from minionize.engine import Backlog, DeadLetter
from minionize.notice import notice
from minionize.sweepdir.clock import Clock
from minionize.sweepdir.counts import Counts
from minionize.sweepdir.layout import Layout
from minionize.sweepdir.locks import Locks
from minionize.sweepdir.mounts import doubtful_locks
from minionize.sweepdir.returns import BACK, RETRY
from minionize.sweepdir.stake import Stake
from minionize.sweepdir.taken import DONE, GIVEN, Taken
from minionize.sweepdir.upkeep import dead_letters, purge, requeue


class SweepQueue:
    """A sweep directory as one minion sees it.

    Attributes:
        stake: What this minion holds.
        view: What it knows of the directory.
    """

    def __init__(self, layout: Layout, locks: Locks, clock: Clock, minion: str, seconds: float) -> None:
        self._layout, self._locks, self._clock = layout, locks, clock
        self.stake = Stake(layout, locks, clock, minion, seconds)
        self.view = self.stake.view
        self._counts = Counts(self.view, clock)
        self._said: str | None = None

    def open(self) -> None:
        """Load the state, join with a lease, and reclaim what dead minions held.

        Raises:
            EngineError: The directory is no queue, or is damaged; nothing was changed.
            OSError: It cannot be used.
        """
        self.view.load_sweeps()
        self._layout.make_side()
        doubt = doubtful_locks(self._layout.folder)
        if doubt and doubt != self._said:
            self._said = doubt
            notice(
                "execo",
                "%s, so locks are seen on this host only: minions of several hosts would disturb each other",
                doubt,
            )
        with self._locks.hold() as files:
            self.stake.refresh(files)
            self.view.dead.refresh()
        self.stake.reclaim(now=True)

    def may_have_more(self) -> bool:
        """Tell whether there may be something to take although nobody has changed anything."""
        return self.view.walks_on() or self.view.until_due() <= 0.0 or self.stake.others.is_due()

    def take(self, most: int) -> list[Taken]:
        """Take up to ``most`` ready params; when there is none, reclaim first what dead minions held.

        Raises:
            NotConnected: The directory cannot be used now; nothing was taken.
        """
        taken = self._take(most)
        if not taken and self.stake.others.is_due() and self.stake.reclaim():
            taken = self._take(most)
        return taken

    def _take(self, most: int) -> list[Taken]:
        with self.stake.locked() as files:
            picked = self.view.pick(most, self.stake.barred)
            if not picked:
                return []
            try:
                return self.stake.hold(files, picked)
            except BaseException:
                self.view.put_again(picked)
                raise

    # Settling. Each of these returns what is not ours any more; nothing is done about that.

    def ack(self, taken: Sequence[Taken]) -> list[Taken]:
        """Settle as done; what we settled so before is passed over.

        Raises:
            NotConnected: The directory cannot be used now; ask again.
        """
        with self.stake.locked() as files:
            mine = self.stake.mine(taken)
            letters = self.view.dead.letters
            if letters and (ids := [each.id for each in mine if each.id in letters]):
                # Somebody started all over by removing ``done``: the old evidence is void.
                self.view.dead.cancel(ids, self._clock.now(), self.stake.minion)
            self.view.add_done(files, [each.param for each in mine])
            if mine:
                self.stake.release(files, mine, DONE, lag=True)
        return [each for each in taken if each.state != DONE]

    def bury(self, taken: Sequence[Taken], reason: str, evidence: Sequence[Mapping[str, object]]) -> list[Taken]:
        """Give up: on the dead list first, then as done, so that plain users pass over it.

        Raises:
            NotConnected: The directory cannot be used now; ask again.
        """
        known = {each.id: proof for each, proof in zip(taken, evidence, strict=True)}
        with self.stake.locked() as files:
            mine = self.stake.mine(taken)
            fresh = [each for each in mine if not each.logged]
            params, proofs = [(each.id, each.param) for each in fresh], [known[each.id] for each in fresh]
            self.view.dead.add(params, reason, proofs, self._clock.now(), self.stake.minion)
            for each in fresh:
                each.logged = True
            self.view.add_done(files, [each.param for each in mine])
            if mine:
                self.stake.release(files, mine, DONE)
        return [each for each in taken if each.state != DONE]

    def give_back(self, taken: Sequence[Taken], delay: float, charge: bool) -> list[Taken]:
        """Give back, to be taken again by anybody.

        Args:
            taken: What.
            delay: Not before so many seconds.
            charge: Whether it counts as an attempt.

        Raises:
            NotConnected: The directory cannot be used now; ask again.
        """
        with self.stake.locked() as files:
            mine, now = self.stake.mine(taken), self._clock.now()
            fresh = [each for each in mine if not each.logged]
            params = [(each.id, each.param) for each in fresh]
            kind, due = RETRY if charge else BACK, now + delay if delay > 0.0 else None
            self.view.returns.add(kind, params, now, self.stake.minion, due)
            for each in fresh:
                each.logged = True
            if mine:
                self.stake.release(files, mine, GIVEN)
        return [each for each in taken if each not in mine]

    # Caring.

    def backlog(self) -> Backlog:
        """Count what there is.

        Raises:
            NotConnected: The directory cannot be used now.
        """
        with self.stake.locked():
            return self._counts.backlog()

    def dead(self) -> list[DeadLetter]:
        """Return the dead params.

        Raises:
            NotConnected: The directory cannot be used now.
        """
        with self.stake.locked():
            self.view.dead.refresh()
            return dead_letters(self.view)

    def requeue(self, ids: Sequence[str]) -> int:
        """Make dead params ready again, with or without having joined; return how many.

        Raises:
            OSError: The directory cannot be used.
        """
        self.view.load_sweeps()
        self._layout.make_side()
        with self._locks.hold() as files:
            self.view.refresh(files)
            return requeue(self.view, files, ids, self.stake.minion, self._clock)

    def purge(self) -> int:
        """Throw away what is ready, with or without having joined; return how much.

        Raises:
            OSError: The directory cannot be used.
        """
        self.view.load_sweeps()
        self._layout.make_side()
        with self._locks.hold() as files:
            self.view.load_sweeps()
            self.view.refresh(files)
            return purge(self.view, files, self._locks, self.stake.minion, self._clock)
