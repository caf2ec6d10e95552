"""One child process group: spawned, signalled, waited for; nothing of it is left behind.

The child is spawned by ``posix_spawn`` (vfork: no copy of this process, no code of ours between fork and
exec) into a group of its own. When it has exited, what is left of its group is killed before the child is
reaped: until then its pid, the group's name, cannot be given to others.
"""

from __future__ import annotations

import errno
import os
import signal
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

# Python ignores these two; a program expects them to end it.
_RESTORED = (signal.SIGPIPE, signal.SIGXFSZ)


class Exit(NamedTuple):
    """How a child ended.

    Attributes:
        code: Exit code; None if a signal ended it, or if nobody can tell.
        signal: The signal; None if it exited, or if nobody can tell.
        ended: Unix seconds.
    """

    code: int | None
    signal: int | None
    ended: float


class Child:
    """A running child, in its own process group.

    Attributes:
        pid: Process id, and name of its process group.
        started: Unix seconds.
    """

    __slots__ = ("_on_exit", "pid", "started")

    def __init__(
        self,
        watch: Callable[[int, Callable[[], None]], object],
        path: str,
        argv: tuple[str, ...],
        env: Mapping[bytes, bytes],
        stdin: int,
        stdout: int,
        stderr: int,
        on_exit: Callable[[Exit], None],
    ) -> None:
        """Start a program.

        Args:
            watch: Told its pid, and what to call once when it has exited.
            path: Program, with its directory.
            argv: Its arguments, the name first.
            env: Its whole environment.
            stdin: Descriptor that becomes its standard input.
            stdout: Descriptor that becomes its standard output.
            stderr: Descriptor that becomes its standard error.
            on_exit: Called once, when it has ended.

        Raises:
            OSError: The program cannot be started.
            ValueError: An argument holds a NUL byte.
        """
        self._on_exit = on_exit
        dup2 = os.POSIX_SPAWN_DUP2
        actions = ((dup2, stdin, 0), (dup2, stdout, 1), (dup2, stderr, 2))
        self.started = time.time()
        self.pid = os.posix_spawn(path, argv, env, file_actions=actions, setpgroup=0, setsigdef=_RESTORED)
        try:
            watch(self.pid, self._exited)
        except OSError:
            # Nobody would hear of its end.
            self.send(signal.SIGKILL)
            os.waitpid(self.pid, 0)
            raise

    def send(self, number: int) -> None:
        """Send a signal to the whole group. Harmless when it has ended."""
        try:
            os.killpg(self.pid, number)
        except (ProcessLookupError, PermissionError):
            return

    def _exited(self) -> None:
        ended = time.time()
        self.send(signal.SIGKILL)
        try:
            code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        except ChildProcessError:
            # Somebody else has waited for it: other code in this process, or the kernel because SIGCHLD is ignored.
            self._on_exit(Exit(None, None, ended))
            return
        self._on_exit(Exit(code, None, ended) if code >= 0 else Exit(None, -code, ended))


def find_program(name: str, search: str) -> str:
    """Find a program as a shell does.

    Args:
        name: Its name, or its path if it holds a slash.
        search: The value of PATH.

    Raises:
        FileNotFoundError: There is no such program.
        PermissionError: There is one, but it cannot be executed.
    """
    candidates = [name] if "/" in name else [os.path.join(folder or ".", name) for folder in search.split(":")]
    found = [path for path in candidates if name and os.path.exists(path)]
    for path in found:
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    if found:
        raise PermissionError(errno.EACCES, "is a directory" if os.path.isdir(found[0]) else "is not executable", name)
    raise FileNotFoundError(errno.ENOENT, "no such program", name)
