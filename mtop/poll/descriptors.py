"""How many connections may be open at the same time."""

from __future__ import annotations

import os
import resource

__all__ = ["room_for"]

_OTHERS = 64
"""Files that the rest of mtop may open beside them."""

_LEAST = 8


def room_for(connections: int, open_now: int = 0) -> int:
    """Raise the soft limit of open files to what so many connections need, if the hard one lets us.

    Args:
        connections: How many there may be.
        open_now: How many of them are open already.

    Returns:
        How many connections may be open: as many, or fewer.
    """
    others = max(0, _files() - open_now) + _OTHERS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return connections
    if soft < connections + others:
        wanted = connections + others if hard == resource.RLIM_INFINITY else min(connections + others, hard)
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
        except (OSError, ValueError):
            # Some systems have a limit beside the limit.
            pass
    return min(connections, max(_LEAST, soft - others))


def _files() -> int:
    try:
        return len(os.listdir("/dev/fd"))
    except OSError:
        return _OTHERS
