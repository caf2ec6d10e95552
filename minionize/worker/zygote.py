"""Forks child processes for functions, from a process that was forked before any thread was started.

A process with threads cannot be forked safely: a lock that another thread holds stays locked in the child.
So the minion forks the zygote first, and the zygote, which has one thread, forks a child whenever it is
asked for one. It reports how each child ended. When the minion dies, it kills them all.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import struct
import warnings
from collections.abc import Callable
from typing import NoReturn

_PACKET = struct.Struct("!cii")
_FDS = 4
_LEAVE = b"q"
_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER


class Zygote:
    """The minion's side: asks for children and hears of their ends."""

    def __init__(self, child: Callable[[int], None]) -> None:
        """Fork the zygote. Call before any thread is started.

        Args:
            child: What a child does, given the descriptor of its control socket.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with warnings.catch_warnings():
            # A notebook has threads of its own; none of them is ours, nor holds a lock that the zygote needs.
            warnings.simplefilter("ignore", DeprecationWarning)
            self._pid = os.fork()
        if self._pid == 0:
            ours.close()
            _serve(theirs, child)
        theirs.close()
        self._socket = ours
        self._ends: list[tuple[int, int]] = []
        self._closed = False

    def fileno(self) -> int:
        """Return the descriptor that is readable when a child has ended."""
        return self._socket.fileno()

    def spawn(self, control: int, stdin: int, stdout: int, stderr: int) -> int:
        """Fork a child with these descriptors; return its pid.

        Raises:
            OSError: The zygote is gone, or cannot fork.
        """
        socket.send_fds(self._socket, [b"s"], [control, stdin, stdout, stderr])
        while True:
            kind, pid, status = self._receive()
            if kind == b"p":
                if pid < 0:
                    raise OSError(status, os.strerror(status))
                return pid
            self._ends.append((pid, status))

    @property
    def knows_of_ends(self) -> bool:
        """Whether ends were told while a child was asked for: the descriptor is not readable for these any more."""
        return bool(self._ends)

    def ends(self) -> list[tuple[int, int]]:
        """Return the children that have ended since the last call: pid and wait status.

        Raises:
            OSError: The zygote is gone.
        """
        while select.select([self._socket], [], [], 0)[0]:
            _, pid, status = self._receive()
            self._ends.append((pid, status))
        ends, self._ends = self._ends, []
        return ends

    def _receive(self) -> tuple[bytes, int, int]:
        data = self._socket.recv(_PACKET.size)
        if not data:
            raise ConnectionResetError("the process that forks the children is gone")
        kind, pid, status = _PACKET.unpack(data)
        return kind, pid, status

    def close(self) -> None:
        """End the zygote, and with it all children. Idempotent."""
        if self._closed:
            return
        self._closed = True
        with contextlib.suppress(OSError):
            self._socket.send(_LEAVE)
        self._socket.close()
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._pid, 0)


def _serve(control: socket.socket, child: Callable[[int], None]) -> NoReturn:
    """Be the zygote."""
    try:
        os.setsid()
        wake, waker = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        # Held back rather than ignored: a child that is just being started must not miss one that is meant for it.
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        _adopt_orphans()
        children: set[int] = set()
        while (told := _turn(control, wake, children, child)) is None:
            pass
        for pid in children:
            with contextlib.suppress(OSError):
                os.killpg(pid, signal.SIGKILL)
        if told != _LEAVE:
            # The minion was killed: neither may stay what has left its group.
            _end_descendants()
    except BaseException:  # nothing of the minion's code above this fork may go on here
        os._exit(1)
    os._exit(0)


def _adopt_orphans() -> None:
    """Become the parent of what the children leave behind: so a daemon forked twice is still found."""
    with contextlib.suppress(Exception):  # without it the rest works as well
        import ctypes

        ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)


def _end_descendants() -> None:
    """Kill the children, then theirs, which become ours by that, and so on."""
    me = os.getpid()
    with contextlib.suppress(OSError):  # no child is left, or the system does not tell which there are
        while True:
            with open(f"/proc/{me}/task/{me}/children", encoding="ascii") as file:
                for pid in file.read().split():
                    with contextlib.suppress(OSError):
                        os.kill(int(pid), signal.SIGKILL)
            os.waitpid(-1, 0)


def _turn(control: socket.socket, wake: int, children: set[int], child: Callable[[int], None]) -> bytes | None:
    """Wait for something to do, and do it; return what the minion said at the end (nothing if it was killed)."""
    ready = select.select([control.fileno(), wake], [], [])[0]
    if wake in ready:
        with contextlib.suppress(BlockingIOError):
            os.read(wake, 4096)
        _reap(control, children)
    if control.fileno() in ready:
        data, fds, _, _ = socket.recv_fds(control, 16, _FDS)
        if not data or data == _LEAVE:
            return data
        try:
            pid = os.fork()
        except OSError as error:
            control.send(_PACKET.pack(b"p", -1, error.errno or 0))
        else:
            if pid == 0:
                control.close()
                _become(fds, child)
            with contextlib.suppress(OSError):
                os.setpgid(pid, pid)
            children.add(pid)
            control.send(_PACKET.pack(b"p", pid, 0))
        for fd in fds:
            os.close(fd)
    return None


def _reap(control: socket.socket, children: set[int]) -> None:
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            if ended[0] not in children:
                continue  # an orphan
            children.discard(ended[0])
            # What is left of its group must not outlive it.
            with contextlib.suppress(OSError):
                os.killpg(ended[0], signal.SIGKILL)
            with contextlib.suppress(OSError):
                control.send(_PACKET.pack(b"e", *ended))


def _become(fds: list[int], child: Callable[[int], None]) -> NoReturn:
    """Be a child."""
    code = 1
    try:
        os.setpgid(0, 0)
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, *_STOPPING):
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
        for target, fd in enumerate(fds[1:]):
            os.dup2(fd, target)
            os.close(fd)
        os.set_inheritable(fds[0], False)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)
        child(fds[0])
        code = 0
    finally:
        os._exit(code)
