"""Descriptors for many slots."""

from __future__ import annotations

from minionize.errors import SettingsError

# A run takes two pipes and a descriptor of its process; the queue, the reporters and Python want some, too.
_EACH = 5
_OTHERS = 100


def make_room(slots: int) -> None:
    """Raise the soft limit of open files where so many slots need that, and no further: programs inherit it.

    Raises:
        SettingsError: The hard limit does not allow it.
    """
    if slots == 1:
        return  # what has room for nothing else has room for that
    import resource

    need = slots * _EACH + _OTHERS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= need:
        return
    if hard != resource.RLIM_INFINITY and hard < need:
        raise SettingsError(
            f"{slots} slots need {need} open files, and {hard} are allowed here: at most "
            f"{max(1, (hard - _OTHERS) // _EACH)} slots, or ulimit -Hn {need}"
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (need, hard))
