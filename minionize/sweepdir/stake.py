"""What one minion holds in a sweep directory: its lease, the locks, and what happens when the lease is lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from minionize.errors import MinionizeError, NotConnected
from minionize.sweepdir.clock import Clock
from minionize.sweepdir.ids import param_id
from minionize.sweepdir.layout import Layout
from minionize.sweepdir.lease import Lease
from minionize.sweepdir.locks import Files, Locks
from minionize.sweepdir.others import Others
from minionize.sweepdir.reclaim import reclaim
from minionize.sweepdir.returns import CRASH, RECLAIM
from minionize.sweepdir.taken import HELD, LOST, Taken
from minionize.sweepdir.view import View


class Stake:
    """A minion's share of a directory.

    Attributes:
        view: What it knows of the directory.
        others: The other minions' leases.
        barred: Ids that others hold although they are not in progress.
        minion: Id of the minion.
    """

    def __init__(self, layout: Layout, locks: Locks, clock: Clock, minion: str, seconds: float) -> None:
        self._layout, self._locks, self._clock = layout, locks, clock
        self.minion, self._seconds = minion, seconds
        self.view = View(layout, locks, clock)
        self.others = Others(layout, clock)
        self.barred: frozenset[str] = frozenset()
        self._held: dict[str, Taken] = {}
        self._lease: Lease | None = None
        self._covered = True  # all that others hold is in progress
        self._beat = 0.0

    @property
    def count(self) -> int:
        """How many params we hold."""
        return len(self._held)

    def mine(self, taken: Sequence[Taken]) -> list[Taken]:
        """Return which of these we hold."""
        return [each for each in taken if self._held.get(each.id) is each]

    def lost(self, taken: Sequence[Taken]) -> list[Taken]:
        """Return which of these are not ours any more without having been settled by us."""
        mine = self.mine(taken)
        return [each for each in taken if each.state == LOST or (each.state == HELD and each not in mine)]

    # Under the locks.

    @contextmanager
    def locked(self) -> Iterator[Files]:
        """Hold the locks, with everything up to date.

        Raises:
            EngineError: The directory is damaged.
            NotConnected: It cannot be used now.
        """
        try:
            with self._locks.hold() as files:
                self.refresh(files)
                yield files
        except MinionizeError:
            raise
        except OSError as error:
            raise self._unreachable(error) from error

    def _unreachable(self, error: OSError) -> NotConnected:
        return NotConnected(f"{error.filename or self._layout.folder}: {error.strerror or error}")

    def refresh(self, files: Files) -> None:
        """Bring everything up to date: what others did, and whether our lease is still there.

        Raises:
            EngineError: The directory is damaged.
            OSError: It cannot be used now.
        """
        self.view.load_sweeps()
        self.view.refresh(files)
        lease = self._lease
        if lease is None:
            self._join()
        elif not lease.is_ours():
            self._lose_all(files, lease)
        elif lease.dirty:
            lease.write(self._held)
        self.barred, self._covered = frozenset(), True
        if not self.view.inprogress.marked:
            self._ask_leases(files)

    def _join(self) -> Lease:
        self._layout.make_side()
        lease = Lease(self._layout, self._clock, self.minion, self._seconds)
        lease.write(self._held)
        lease.touch()
        self._lease, self._beat = lease, self._clock.monotonic()
        return lease

    def _own(self) -> Lease:
        return self._lease or self._join()

    def _lose_all(self, files: Files, lease: Lease) -> None:
        """Our lease is gone: what we held may be somebody else's. Begin anew with nothing.

        If nobody has reclaimed it, because the side-car was deleted, it is given back here: nobody else would.
        """
        lost = list(self._held.values())
        self._held.clear()
        for taken in lost:
            taken.state = LOST
        self._join()
        view = self.view
        running, counts = view.inprogress.params, view.returns.counts
        orphans = [each for each in lost if each.param in running and counts(each.id)[2] <= each.returned]
        for kind, started in ((CRASH, True), (RECLAIM, False)):
            some = [(each.id, each.param) for each in orphans if lease.has_started(each.id) is started]
            view.returns.add(kind, some, self._clock.now(), self.minion)
        if orphans:
            left = running.difference([each.param for each in orphans])
            view.inprogress.write(files.inprogress, left, view.inprogress.marked)

    def _ask_leases(self, files: Files) -> None:
        """Somebody but a minion has written ``inprogress``, or has removed it: see what the leases say."""
        running = self.view.inprogress.params
        theirs = self.others.held(self._own().name)
        known = frozenset([param_id(param) for param in running])
        self.barred, self._covered = theirs - known, theirs <= known
        mine = {each.param for each in self._held.values() if each.id not in known}
        if mine:
            self._write(files, running | mine)

    def _write(self, files: Files, running: set[Any]) -> None:
        self.view.inprogress.write(files.inprogress, running, self._covered)

    def hold(self, files: Files, picked: list[tuple[str, Any]]) -> list[Taken]:
        """Write down that params are ours: in the lease first, so that a kill in between orphans nothing.

        Raises:
            OSError: It could not be written; nothing is ours.
        """
        lease, file = self._own(), self.view.inprogress
        running = file.params.union([param for _, param in picked])
        raw = file.prepare(files.inprogress, running, self._covered)
        try:
            lease.write([*self._held, *(id for id, _ in picked)])
            file.commit(files.inprogress, running, raw)
        except OSError:
            self.write_lease()
            raise
        self._beat = self._clock.monotonic()
        counts = self.view.returns.counts
        taken = [Taken(id, param, counts(id)[2]) for id, param in picked]
        self._held.update((each.id, each) for each in taken)
        return taken

    def release(self, files: Files, mine: Sequence[Taken], state: str, lag: bool = False) -> None:
        """Write down that params are not in progress any more.

        Args:
            files: The locked files.
            mine: Which.
            state: What became of them.
            lag: Whether the lease may go on naming them: they never come back.

        Raises:
            OSError: It could not be written; they are still ours.
        """
        self._write(files, self.view.inprogress.params.difference([each.param for each in mine]))
        for each in mine:
            each.state = state
            del self._held[each.id]
        if not lag or not self._covered:
            self.write_lease()

    def write_lease(self) -> None:
        """Make the lease say what is held; if that fails, the next operation does it."""
        lease = self._own()
        lease.dirty = True
        try:
            lease.write(self._held)
        except OSError:
            return

    # Without the locks.

    def beat(self, now: bool = False) -> None:
        """Touch the lease, if it is time to.

        Raises:
            NotConnected: The directory cannot be used now.
        """
        if self._lease is None or not (now or self._clock.monotonic() - self._beat >= self._seconds / 6):
            return
        try:
            self._lease.touch()
            self._beat = self._clock.monotonic()
        except FileNotFoundError:
            with self.locked():
                pass  # finds out what is lost
        except OSError as error:
            raise self._unreachable(error) from error

    def start(self, taken: Sequence[Taken]) -> None:
        """Write down that params began to run, so that they are charged if we die.

        Raises:
            NotConnected: The directory cannot be used now.
        """
        mine = self.mine(taken)
        if not mine or self._lease is None:
            return
        try:
            self._lease.start([each.id for each in mine])
        except FileNotFoundError:
            self.beat(now=True)
        except OSError as error:
            raise self._unreachable(error) from error

    def reclaim(self, now: bool = False) -> bool:
        """Set free what minions held whose leases ran out; return whether there were any.

        Args:
            now: Look at the ages of all leases even if somebody has just done so.

        Raises:
            NotConnected: The directory cannot be used now.
        """
        try:
            stale = self.others.look(self._own(), now)
        except FileNotFoundError:
            return False  # our own lease is gone: noticed under the locks
        except OSError as error:
            raise self._unreachable(error) from error
        if stale:
            with self.locked() as files:
                reclaim(self._layout, self.view, files, stale, frozenset(self._held), self.minion, self._clock)
        return bool(stale)

    def leave(self) -> None:
        """Remove the lease, unless something is held: then it is reclaimed later."""
        if self._lease is not None and not self._held:
            self._lease.remove()
            self._lease = None
