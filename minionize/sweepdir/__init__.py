"""A directory of an execo ParamSweeper, spoken to file by file, and what minions keep beside it.

    DIR/sweeps          one pickled set: all params
    DIR/done            one pickle after the other: the params that are done; only ever grows
    DIR/inprogress      one pickled set: the params that somebody works on; rewritten by each operation
    DIR/minionize/      the side-car: what ParamSweeper has no place for
        leases/MINION.json   what a minion holds; touched as a heartbeat
        started/MINION       which of these began to run; appended to
        returns.jsonl        each param that was given back, reclaimed or made ready again, and why
        dead.jsonl           the params that were given up, with their evidence
        inprogress.ahead     the next ``inprogress``, while it is being written in several pages
        scan                 touched by who looked last for leases that ran out

Whoever changes anything holds the POSIX lock of ``done`` and then that of ``inprogress``, as ParamSweeper
does, so scripts with a plain ParamSweeper may work in the same directory at the same time.

execo itself is never imported: that starts a thread and a process, takes the signals' wake-up descriptor for
itself, and fails outside the main thread.
"""

from __future__ import annotations

from minionize.sweepdir.hashable import HashableDict

__all__ = ["HashableDict"]
