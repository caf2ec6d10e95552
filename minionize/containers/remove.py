"""Ends and removes the containers of a minion: ``python -m minionize.containers.remove docker MINION [SLOT]``.

A minion runs it where a run was ended, and its guardian where the minion was killed. Exit code 0: none is left.
"""

from __future__ import annotations

import sys

from minionize.console import say
from minionize.errors import CallbackError

__all__ = ["main"]


def main(words: list[str]) -> int:
    """Remove containers; return the exit code.

    Args:
        words: ``docker``, the minion's id, and a slot where only its containers are meant.
    """
    from minionize.containers.dockerclient import remove

    _, minion, *slot = words
    try:
        return 0 if remove(minion, int(slot[0]) if slot else None) else 1
    except CallbackError as error:
        say(str(error))
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
