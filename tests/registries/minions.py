"""Many processes that announce themselves in one directory, for ``test_fleet.py``: FOLDER, HOW, FLAG."""

from __future__ import annotations

import sys
from pathlib import Path

from minionize.host import new_minion_id
from minionize.registries.directory import DirectoryRegistry
from minionize.testing.announcements import make_announcement


def main(folder: str, how: str, flag: str) -> None:
    """Announce, send heartbeats as fast as it goes until there is such a file, then leave ("stay": until killed)."""
    registry = DirectoryRegistry(folder, {})
    id = new_minion_id()
    beats = 0
    while how == "stay" or not Path(flag).exists():
        beats += 1
        registry.announce(make_announcement(id, busy=beats, command="x" * (beats % 50 * 100)))
    registry.leave(make_announcement(id, busy=beats))
    print(id, beats)


if __name__ == "__main__":
    main(*sys.argv[1:])
