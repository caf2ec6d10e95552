"""Starts the guardian, and dismisses it when the minion ends in good order."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Mapping, Sequence

from minionize import guardian


class Guard:
    """The minion's side of its guardian. Without one (no /proc, no processes left) work goes on."""

    def __init__(self, minion: str, last: Sequence[str] = (), environ: Mapping[str, str] | None = None) -> None:
        """Start the guardian; it comes up beside the first params.

        Args:
            minion: Id of the minion.
            last: Command line that it runs at the end, if the minion has died; empty for none.
            environ: The variables for that.
        """
        self._pid = 0
        theirs, self._pipe = os.pipe2(os.O_CLOEXEC)
        script = str(guardian.__file__)
        python = sys.executable or "/usr/bin/python3"
        null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        try:
            # Descriptor 3, for the numbers below may be closed here. Nothing of a minion in its environment: a
            # guardian of another one must not take it for a child.
            self._pid = os.posix_spawn(
                python,
                # By its path: a Python that was moved from where it was built finds its library so only.
                [python, "-I", "-S", script, "3", minion, str(os.getpid()), *last],
                _without_minion(environ or {}) if last else {},
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


def _without_minion(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if not name.startswith("MINION_")}
