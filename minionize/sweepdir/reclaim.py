"""Setting free what minions held that are no more."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from minionize.sweepdir.clock import Clock
from minionize.sweepdir.fsio import remove
from minionize.sweepdir.ids import param_id
from minionize.sweepdir.layout import Layout
from minionize.sweepdir.lease import Held, lease_names, read_lease, read_started, remove_lease
from minionize.sweepdir.locks import Files
from minionize.sweepdir.returns import CRASH, RECLAIM
from minionize.sweepdir.view import View


def reclaim(
    layout: Layout, view: View, files: Files, stale: Mapping[str, int], own: frozenset[str], by: str, clock: Clock
) -> None:
    """Make ready again what stale leases hold and no other lease does; under the locks, with the view up to date.

    What a plain ParamSweeper holds is in no lease, so it is never touched.

    Args:
        layout: The directory.
        view: What we know of it.
        files: The locked files.
        stale: Names of the stale leases, and when each was last touched when it was found stale.
        own: What we hold ourselves.
        by: Our minion id.
        clock: The time.

    Raises:
        OSError: It could not be written down; the next one to look does it.
    """
    gone = _still_stale(layout, stale)
    if not gone:
        return
    running = view.inprogress.params
    if any(held.all for held in gone):
        by_id = {param_id(param): param for param in running}
        live = own | _live(layout, {held.name for held in gone})
        view.dead.refresh()
        freed: set[Any] = set()
        for held in gone:
            mine = {id: by_id[id] for id in held.all if id in by_id and id not in live}
            _log(layout, view, files, held, mine, by, clock)
            freed.update(mine.values())
        view.inprogress.write(files.inprogress, running - freed, view.inprogress.marked)
    for held in gone:
        remove_lease(layout, held.name)
    remove(layout.ahead)


def _still_stale(layout: Layout, stale: Mapping[str, int]) -> list[Held]:
    """Read the stale leases; leave out those that are gone or were touched since they were found stale."""
    found = []
    for name, touched in stale.items():
        try:
            if os.stat(os.path.join(layout.leases, f"{name}.json")).st_mtime_ns == touched:
                found.append(read_lease(layout, name))
        except (FileNotFoundError, ValueError):
            continue
    return found


def _live(layout: Layout, gone: set[str]) -> frozenset[str]:
    ids: set[str] = set()
    for name in lease_names(layout):
        if name in gone:
            continue
        try:
            ids |= read_lease(layout, name).all
        except (FileNotFoundError, ValueError):
            continue
    return frozenset(ids)


def _log(layout: Layout, view: View, files: Files, held: Held, mine: Mapping[str, Any], by: str, clock: Clock) -> None:
    """Write down why params come back; finish what the dead minion had begun to settle."""
    back = {id: param for id, param in mine.items() if param not in view.done.params}
    # Its evidence is durable, only the entry in ``done`` is missing.
    buried = {id for id in back if view.dead.written_by(id) == held.minion}
    view.add_done(files, [back[id] for id in buried])
    started = read_started(layout, held)
    for kind, crashed in ((CRASH, True), (RECLAIM, False)):
        some = [(id, param) for id, param in back.items() if id not in buried and (id in started) is crashed]
        view.returns.add(kind, some, clock.now(), by, of=held.minion)
