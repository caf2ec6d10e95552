"""How a minion is seen: it announces itself in the registry, and answers whoever asks its stats server.

One thread does both, beside the params. The socket of the server is open from the start, so its URL is known; the
server itself is imported when the first client comes, for most of thousands of minions are never asked.
"""

from __future__ import annotations

import errno
import select
import socket
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from minionize.host import identity
from minionize.worker.signals import Waker

if TYPE_CHECKING:
    from minionize.registry import Announcement, Registry
    from minionize.server.serve import Server
    from minionize.stats.wire import StatsWire
    from minionize.worker.served import ServedMinion

# Later than that the first param has started, mostly: nothing here is to delay it.
_FIRST = 0.25
_TICK = 1.0
_LEAVING = 5.0
_TAKEN = (errno.EADDRINUSE, errno.EACCES)


class Presence:
    """Announces a minion while it lives, and serves it.

    Args:
        minion: Its id.
        values: The settings ``server``, ``port``, ``host``, ``registry``, ``heartbeat``.
        environ: The environment.
        make: Makes what is announced and served; called in the thread, for it takes a while.
        say: Tells the user what does not work. Params run on all the same.
    """

    def __init__(
        self,
        minion: str,
        values: Mapping[str, Any],
        environ: Mapping[str, str],
        make: Callable[[], ServedMinion],
        say: Callable[[str], None],
    ) -> None:
        self._id, self._values, self._environ = minion, values, environ
        self._make, self._say = make, say
        self._served: ServedMinion
        self._every = float(values["heartbeat"])
        self._waker = Waker()
        self._leaves = False
        self._fully = self._failing = False
        self._registry: Registry | None = None
        self._listener: socket.socket | None = None
        self._url: str | None = None
        self._server: Server | None = None
        self._serving: threading.Thread | None = None
        self._thread = threading.Thread(target=self._run, name="presence", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        if self._values["server"] or self._values["registry"] != "none":
            self._thread.start()

    def close(self) -> None:
        """Leave the registry with the final numbers, and end the server. No registry that hangs is waited for long."""
        self._leaves = True
        self._waker.wake()
        if self._thread.ident is not None:
            self._thread.join(_LEAVING)
        if not self._thread.is_alive():
            self._waker.close()

    # The thread.

    def _run(self) -> None:
        try:
            self._wait(_FIRST)
            self._served = self._make()
            self._registry = self._opened_registry()
            if self._values["server"] and not self._leaves:
                self._listen()
            self._live()
            self._end()
        except Exception as error:  # the border of the thread: what is only there to be seen must not stop work
            self._say(f"this minion cannot be watched any more, params run on: {type(error).__name__}: {error}")

    def _opened_registry(self) -> Registry | None:
        from minionize.errors import MinionizeError
        from minionize.plugins import load_registry

        try:
            return load_registry(self._values["registry"], self._environ)
        except MinionizeError as error:
            self._say(f"{error}; this minion announces itself nowhere, params run on")
            return None

    def _listen(self) -> None:
        from minionize.worker.listening import listen, url_of

        host, port = self._values["host"], self._values["port"]
        where = f"{host}, port {port}" if host else f"port {port}"
        try:
            try:
                self._listener = listen(host, port, self._environ)
            except OSError as error:
                if error.errno not in _TAKEN:
                    raise
                self._listener = listen(host, 0, self._environ)
                why = f"{where}: {error.strerror}"
                self._say(f"{why}; the stats server is at {url_of(self._listener, self._environ)} instead")
        except OSError as error:
            self._say(f"{where}: {error.strerror or error}; there is no stats server, params run on")
            return
        self._url = url_of(self._listener, self._environ)

    def _live(self) -> None:
        due = time.monotonic()
        while not self._leaves:
            self._served.numbers.tick()
            if time.monotonic() >= due:
                self._beat()
                due = time.monotonic() + self._every
            self._wait(min(_TICK, max(0.0, due - time.monotonic())))

    def _wait(self, seconds: float) -> None:
        """Wait, but begin to serve when the first client comes, and wake up to leave."""
        waits = [self._waker.fd]
        if self._listener is not None and self._serving is None:
            waits.append(self._listener.fileno())
        ready, _, _ = select.select(waits, (), (), 0.0 if self._leaves else seconds)
        if len(ready) > (self._waker.fd in ready) and not self._leaves:
            self._serving = threading.Thread(target=self._serve, name="server", daemon=True)
            self._serving.start()

    def _beat(self) -> None:
        """Announce this minion, and its numbers: the first time, and then as a sign of life."""
        # The first time is at the start, where looking at all children would cost more than it tells.
        stats, self._fully = self._served.numbers.wire(fully=self._fully), True
        if self._registry is not None:
            self._write(self._registry.announce, self._announcement(stats))

    def _end(self) -> None:
        if self._server is not None:
            self._server.stop()
        elif self._listener is not None and self._serving is None:
            self._listener.close()
        if self._registry is not None:
            self._write(self._registry.leave, self._announcement(self._served.numbers.wire(fully=False)))
            self._registry.close()
        if self._serving is not None:
            self._serving.join(_LEAVING / 2)

    def _announcement(self, stats: StatsWire) -> Announcement:
        from minionize.registry import SCHEMA

        return {
            "schema": SCHEMA,
            "id": self._id,
            "url": self._url,
            "token": self._served.token if self._url else None,
            "every": self._every,
            "process": identity(),
            "left": None,
            "stats": stats,
        }

    def _write(self, write: Callable[[Announcement], None], announcement: Announcement) -> None:
        from minionize.errors import MinionizeError

        try:
            write(announcement)
            self._fully = self._failing = False
        except MinionizeError as error:
            if not self._failing:
                self._failing = True
                self._say(f"{error}; this minion may not be seen, params run on")

    def _serve(self) -> None:
        """Serve until the minion leaves. Whatever goes wrong is said once."""
        assert self._listener is not None
        try:
            from minionize.server.serve import Server

            self._server = Server(self._served, self._listener)
            if not self._leaves:
                self._server.run()
        except Exception as error:  # the border of the thread, as above
            self._say(f"the stats server has failed, params run on: {error}")
        finally:
            self._listener.close()
