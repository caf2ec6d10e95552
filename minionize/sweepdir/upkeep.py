"""Looking at a sweep directory and caring for it, as nobody's minion: backlog, dead params, requeue, purge."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from typing import Any

from minionize.engine import Backlog, DeadLetter, Holder
from minionize.host import is_gone
from minionize.sweepdir.clock import Clock
from minionize.sweepdir.ids import param_id
from minionize.sweepdir.inprogress import InProgress
from minionize.sweepdir.layout import Layout
from minionize.sweepdir.lease import idle, lease_names, read_lease
from minionize.sweepdir.locks import Files, Locks
from minionize.sweepdir.others import Others
from minionize.sweepdir.returns import RESET
from minionize.sweepdir.sweeps import remove
from minionize.sweepdir.view import View


def read_only(layout: Layout, locks: Locks, clock: Clock) -> View:
    """Load the state without making or changing anything.

    Raises:
        EngineError: The directory is no queue, or is damaged.
        OSError: It cannot be read.
    """
    view = View(layout, locks, clock)
    view.load_sweeps()
    with locks.look() as files:
        view.refresh(files, heal=False)
    view.dead.refresh()
    return view


def backlog(view: View) -> Backlog:
    """Count what there is."""
    running, done = len(view.running()), view.done_here()
    dead = sum(1 for letter in dead_letters(view) if letter.param in view.sweeps.params)
    return Backlog(
        ready=len(view.sweeps.params) - done - running,
        in_flight=running,
        dead=dead,
        exact=True,
        as_of=time.time(),
        done=done - dead,
        delayed=view.delayed(),
    )


def dead_letters(view: View) -> list[DeadLetter]:
    """Return the dead params: those on the dead list that have left the queue."""
    return [letter for letter in view.dead.letters.values() if letter.param in view.done.params]


def ready_params(view: View, clock: Clock, barred: frozenset[str] = frozenset()) -> Iterator[Any]:
    """Yield the params that could be taken now."""
    delayed = view.returns.delayed(clock.now(), view.is_gone)
    for param in view.sweeps.params - view.done.params - view.inprogress.params:
        if not (delayed or barred) or not ({param_id(param)} & (delayed | barred)):
            yield param


def requeue(view: View, files: Files, ids: Collection[str], by: str, clock: Clock) -> int:
    """Make dead params ready again, as if they were new; under the locks, with the view up to date.

    Others remember how far they have read ``done``, so their records are made holes there; a ParamSweeper that
    is running already does not notice, one that is started later does.

    Args:
        view: What we know of the directory.
        files: The locked files.
        ids: Which; ids that are not dead are passed over.
        by: Who says so.
        clock: The time.

    Returns:
        How many.

    Raises:
        OSError: It could not be written; ask again.
    """
    view.dead.refresh()
    wanted = set(ids)
    chosen = [letter for letter in dead_letters(view) if letter.id in wanted]
    if not chosen:
        return 0
    params = [letter.param for letter in chosen]
    view.done.erase(files.done, set(params))
    view.forget(params)
    now = clock.now()
    view.returns.add(RESET, [(letter.id, letter.param) for letter in chosen], now, by)
    view.dead.cancel([letter.id for letter in chosen], now, by)
    return len(chosen)


def holders(layout: Layout, locks: Locks, clock: Clock) -> list[Holder]:
    """Tell what each lease holds of what is in progress. Plain ParamSweepers have none.

    Raises:
        EngineError: The directory is damaged.
        OSError: It cannot be read.
    """
    found = []
    file = InProgress(layout)
    with locks.look() as files:
        file.read(files.inprogress, heal=False)
        running = {param_id(param) for param in file.params}
        for name in sorted(lease_names(layout)):
            try:
                held = read_lease(layout, name)
            except (FileNotFoundError, ValueError):
                continue
            count = len(held.all & running if file.marked else held.all)
            found.append(Holder(held.minion, count, idle(layout, name, clock.now()), is_gone(held.owner)))
    return found


def purge(view: View, files: Files, locks: Locks, by: str, clock: Clock) -> int:
    """Take out of the queue what is ready; under the locks, with the view up to date.

    Args:
        view: What we know of the directory.
        files: The locked files.
        locks: For the lock of the params.
        by: Who says so.
        clock: The time.

    Returns:
        How many.

    Raises:
        EngineError: The directory is damaged.
        OSError: It could not be written; ask again.
    """
    ready = view.sweeps.params - view.done.params - view.inprogress.params
    if not view.inprogress.marked:
        # Somebody but a minion has written it: a minion may hold what it does not name.
        held = Others(view.layout, clock).held("")
        ready = {param for param in ready if param_id(param) not in held} if held else ready
    if ready:
        remove(view.layout, locks, ready)
        came_back = view.returns.known()
        again = [(id, param) for param in ready if (id := param_id(param)) in came_back] if came_back else []
        # Should they be put again, they are new.
        view.returns.add(RESET, again, clock.now(), by)
        view.load_sweeps()
    return len(ready)
