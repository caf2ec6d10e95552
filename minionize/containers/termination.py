"""Passes TERM on to a run that is no process of ours, while this process waits for the end of that run."""

from __future__ import annotations

import os
import select
import signal
import threading
from collections.abc import Callable
from types import TracebackType

__all__ = ["Termination"]

_TERM, _LEAVE = b"t", b"q"


class Termination:
    """Catches TERM from ``with`` on; a small thread passes it on from ``begun`` on. None is lost in between.

    A signal handler may interrupt any code of the docker library, so it only writes to a pipe.
    """

    def __init__(self) -> None:
        self._wake, self._waker = os.pipe2(os.O_CLOEXEC)
        self._thread: threading.Thread | None = None
        self._before: object = None
        self._caught = threading.current_thread() is threading.main_thread()

    def __enter__(self) -> Termination:
        """Begin to catch it, where a signal can be caught: in the main thread."""
        if self._caught:
            self._before = signal.signal(signal.SIGTERM, lambda *_: os.write(self._waker, _TERM) and None)
        return self

    @property
    def wanted(self) -> bool:
        """Whether a TERM waits to be passed on."""
        return bool(select.select([self._wake], [], [], 0)[0])

    def begun(self, pass_on: Callable[[], None]) -> None:
        """Pass on what came and what comes.

        Args:
            pass_on: Called for each TERM, in a thread of its own.
        """

        def serve() -> None:
            while os.read(self._wake, 1) == _TERM:
                pass_on()

        self._thread = threading.Thread(target=serve, name="termination", daemon=True)
        self._thread.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let TERM do what it did before."""
        if self._caught:
            signal.signal(signal.SIGTERM, self._before)  # type: ignore[arg-type]
        os.write(self._waker, _LEAVE)
        if self._thread is not None:
            self._thread.join()
        os.close(self._wake)
        os.close(self._waker)
