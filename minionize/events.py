"""Waits for many file descriptors at once."""

from __future__ import annotations

import os
import select
import threading
from collections import deque
from collections.abc import Callable

_ONCE = select.EPOLLIN | select.EPOLLONESHOT


class Events:
    """Calls a handler when its file descriptor is readable or its other end has closed.

    Handlers may watch and forget descriptors, their own or others; whoever does so outside a handler has the turn. A
    handler may be called for nothing: for what came on a closed descriptor whose number its own has now.

    Attributes:
        turn: Held while handlers are called, free while there is nothing to do.
    """

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._handlers: dict[int, Callable[[], object]] = {}
        self._last: dict[int, Callable[[], object]] = {}
        self._once: dict[int, Callable[[], object]] = {}
        self._due: deque[Callable[[], object]] = deque()
        self.turn = threading.Lock()

    def watch(self, fd: int, handler: Callable[[], object]) -> None:
        """Call ``handler`` whenever ``fd`` is readable or hung up."""
        self._handlers[fd] = handler
        self._epoll.register(fd, select.EPOLLIN)

    def watch_last(self, fd: int, handler: Callable[[], object]) -> None:
        """Do so after all other handlers of a round: what a process wrote comes before its end."""
        self._last[fd] = handler
        self._epoll.register(fd, select.EPOLLIN)

    def watch_once(self, fd: int, handler: Callable[[], object]) -> None:
        """Do so once, at the end of the round in which ``fd`` is readable; then it may be closed without a word."""
        # One shot: a child that is just being started has a copy of it for a moment, and the kernel would go on to
        # report that, under a number that is another child's by then.
        self._epoll.register(fd, _ONCE)
        self._once[fd] = handler

    def watch_exit(self, pid: int, handler: Callable[[], object]) -> None:
        """Do so when a child has exited.

        Raises:
            OSError: Nothing could tell of its end: out of descriptors, or a kernel before 5.3.
        """
        pidfd = os.pidfd_open(pid)

        def ended() -> None:
            if not _has_exited(pidfd):
                self._once[pidfd] = ended
                self._epoll.modify(pidfd, _ONCE)
                return
            os.close(pidfd)
            handler()

        try:
            self.watch_once(pidfd, ended)
        except OSError:
            os.close(pidfd)
            raise

    def forget(self, fd: int) -> None:
        """Stop watching ``fd``. Idempotent."""
        if self._handlers.pop(fd, None) or self._last.pop(fd, None):
            self._epoll.unregister(fd)

    def close_fd(self, fd: int) -> None:
        """Stop watching ``fd`` and close it.

        Closing alone would not do: a child that is just being started has a copy of it for a moment, the
        kernel goes on to report it, and its number may be another child's by then.
        """
        self.forget(fd)
        os.close(fd)

    def run(self, timeout: float) -> None:
        """Wait up to ``timeout`` seconds and call the handlers of what happened."""
        events = self._epoll.poll(timeout)
        with self.turn:
            self._handle(events)

    def _handle(self, events: list[tuple[int, int]]) -> None:
        once, handlers, due = self._once, self._handlers, self._due
        for fd, _ in events:
            if fd in once:
                due.append(once.pop(fd))
            elif handler := handlers.get(fd):
                handler()
        for fd, _ in events if self._last else ():
            if handler := self._last.get(fd):
                handler()
        # What one of them raises must not take the others' turn: nothing would tell of them again.
        while due:
            due.popleft()()

    def close(self) -> None:
        """Let go of the kernel's side."""
        self._handlers.clear()
        self._last.clear()
        self._once.clear()
        self._due.clear()
        self._epoll.close()


def _has_exited(pidfd: int) -> bool:
    try:
        return os.waitid(os.P_PIDFD, pidfd, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None
    except ChildProcessError:
        # Somebody else has waited for it.
        return True
