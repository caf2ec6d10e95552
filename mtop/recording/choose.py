"""Finds out what ``--replay`` was given: a recording of mtop's, or records of minions."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable

from minionize.errors import SettingsError
from mtop.recording.played import Played

__all__ = ["replay_of"]

_RECORDINGS = (b"\x1f\x8b", b"\x28\xb5")


def replay_of(path: str, clock: Callable[[], float] = time.monotonic) -> Played:
    """Return what plays a recording, a directory of the json reporter, or what ``--results`` has written.

    Args:
        path: The file, or the directory.
        clock: The time of now.

    Raises:
        SettingsError: It is none of these, or cannot be read.
    """
    if _is_recording(path):
        from mtop.recording.replay import ReplayFeed

        return ReplayFeed(path, clock)
    from mtop.recording.report import ReportFeed

    return ReportFeed(path, clock)


def _is_recording(path: str) -> bool:
    """Tell by the beginning of a file whether it is compressed: records never are.

    Raises:
        SettingsError: It cannot be read.
    """
    try:
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            return False
        if not stat.S_ISREG(status.st_mode):
            raise SettingsError(f"--replay {path}: that is neither a file nor a directory")
        with open(path, "rb") as file:
            return file.read(2) in _RECORDINGS
    except (OSError, ValueError) as error:
        raise SettingsError(f"--replay {path}: {getattr(error, 'strerror', None) or error}") from None
