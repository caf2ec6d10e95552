"""Starts the guardian, and dismisses it when the minion ends in good order."""

from __future__ import annotations

import contextlib
import os
import signal
import sys

from minionize import guardian


class Guard:
    """The minion's side of its guardian. Without one (no /proc, no processes left) work goes on."""

    def __init__(self, minion: str) -> None:
        """Start the guardian; it comes up beside the first params."""
        self._pid = 0
        theirs, self._pipe = os.pipe2(os.O_CLOEXEC)
        script = str(guardian.__file__)
        null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        try:
            # Descriptor 3, for the numbers below may be closed here. No environment: a guardian of another
            # minion must not take it for a child.
            self._pid = os.posix_spawn(
                sys.executable or "/usr/bin/python3",
                ["minionize-guardian", "-I", "-S", script, "3", minion, str(os.getpid())],
                {},
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, theirs, 3),
                    *((os.POSIX_SPAWN_DUP2, null, number) for number in (0, 1, 2)),
                ],
                setsid=True,
            )
        except OSError:
            os.close(self._pipe)
        finally:
            os.close(theirs)
            os.close(null)

    def dismiss(self) -> None:
        """Tell it that nothing is left to be killed."""
        if not self._pid:
            return
        # Killed rather than told: it may still be starting up, and there is nothing that it would leave undone.
        os.kill(self._pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._pid, 0)
        os.close(self._pipe)
        self._pid = 0
