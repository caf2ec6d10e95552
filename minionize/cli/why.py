"""``--why``: what this minion would find in its queue now. Takes no param."""

from __future__ import annotations

from minionize.cli.engines import opened
from minionize.console import say
from minionize.engine import Backlog
from minionize.settings import Settings

__all__ = ["explain", "why"]


def why(settings: Settings) -> str:
    """Open the queue and say why this minion would be idle, or that it would not.

    Raises:
        MinionizeError: The queue cannot be reached or used.
    """
    late = _too_late(settings)
    if late is not None:
        return f"{late}: this minion would take none"
    with opened(settings) as engine:
        backlog = engine.backlog()
    name = settings.values["engine"]
    if backlog is None or backlog.ready is None:
        return f"engine {name} can be reached; it cannot tell how much its queue holds"
    return f"engine {name}: {explain(backlog)}"


def _too_late(settings: Settings) -> str | None:
    from minionize.stats.histogram import Histogram
    from minionize.worker.lifetime import Lifetime

    return Lifetime(settings.values, settings.environ, Histogram(), say).too_late()


def explain(backlog: Backlog) -> str:
    """Say in words what a backlog means for a minion that starts now."""
    about = "" if backlog.exact else "about "
    ready = max(0, (backlog.ready or 0) - backlog.delayed)
    if ready:
        lines = [f"{about}{ready} ready: this minion would run"]
    elif backlog.delayed:
        lines = [f"nothing ready: {about}{backlog.delayed} delayed, not before their time (retries)"]
    elif backlog.in_flight:
        lines = [f"nothing ready: all that is left, {about}{backlog.in_flight}, is in flight at other minions"]
    else:
        lines = ["the queue is empty"]
    more = []
    if ready and backlog.delayed:
        more.append(f"{backlog.delayed} delayed")
    if backlog.in_flight and (ready or backlog.delayed):
        more.append(f"{backlog.in_flight} in flight")
    if backlog.done is not None:
        more.append(f"{backlog.done} done")
    if backlog.dead is not None:
        more.append(f"{backlog.dead} dead-lettered")
    return "; ".join([*lines, ", ".join(more)]) if more else lines[0]
