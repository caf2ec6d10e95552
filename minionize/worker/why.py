"""Says why a minion is in its state, in one sentence for people."""

from __future__ import annotations

from minionize.engine import Backlog

__all__ = ["why"]


def why(
    state: str, *, busy: int, slots: int, signal: str | None, fault: str | None, trouble: str | None, slowed: bool,
    expired: str | None = None, ended: bool, backlog: Backlog | None,
) -> str:  # fmt: skip
    """Say it.

    Args:
        state: The state.
        busy: Slots that are running a param.
        slots: All slots.
        signal: Name of the signal that stopped it.
        fault: Why it can run no more params.
        trouble: Why the queue cannot be reached now.
        slowed: Whether it is being slowed down, for all runs failed at once.
        expired: Why it has no time for more params.
        ended: Whether the queue has nothing more for it.
        backlog: What the queue last said.
    """
    if state in ("draining", "stopped"):
        return _leaving(fault, expired, signal, ended)
    if trouble:
        return f"the queue cannot be reached: {trouble}"
    if state == "paused":
        return f"it was asked to pause; {busy} still running" if busy else "it was asked to pause"
    if state == "starting":
        return "it is connecting to its queue"
    if slowed:
        return "all of the last runs failed at once: it slows down, so that it does not burn the queue"
    if busy >= slots:
        return "all slots are busy"
    words = f"{busy} of {slots} slots busy: " if busy else ""
    return words + _nothing_ready(backlog)


def _leaving(fault: str | None, expired: str | None, signal: str | None, ended: bool) -> str:
    if fault:
        return f"it can run no more params: {fault}"
    if expired:
        return expired
    if signal:
        return f"it was stopped by {signal}"
    return "the queue has ended" if ended else "it was asked to drain"


def _nothing_ready(backlog: Backlog | None) -> str:
    if backlog is None or backlog.ready is None:
        return "nothing has come from the queue"
    if backlog.ready > backlog.delayed:
        return "params are ready and will be taken"
    if backlog.delayed:
        return f"all that is ready, {backlog.delayed}, is delayed: not before its time (retries)"
    if backlog.in_flight:
        return "nothing is ready; all that is left is in flight"
    return "the queue is empty"
