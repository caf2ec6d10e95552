"""Many processes that announce themselves in one directory, for ``test_fleet.py``: FOLDER, HOW, SECONDS."""

from __future__ import annotations

import sys
import time

from minionize.host import new_minion_id
from minionize.registries.directory import DirectoryRegistry
from minionize.testing.announcements import make_announcement


def main(folder: str, how: str, seconds: str) -> None:
    """Announce, then send heartbeats as fast as it goes, then leave (or, for "stay", go on until killed)."""
    registry = DirectoryRegistry(folder, {})
    id = new_minion_id()
    until = time.monotonic() + float(seconds)
    beats = 0
    while how == "stay" or time.monotonic() < until:
        beats += 1
        registry.announce(make_announcement(id, busy=beats, command="x" * (beats % 50 * 100)))
    registry.leave(make_announcement(id, busy=beats))
    print(id, beats)


if __name__ == "__main__":
    main(*sys.argv[1:])
