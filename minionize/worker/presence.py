"""How a minion is seen: it announces itself in the registry, and answers whoever asks its stats server.

Both beside the params, in threads of their own: a registry that hangs keeps nobody from being answered.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from minionize.host import identity

if TYPE_CHECKING:
    from minionize.registry import Announcement, Registry
    from minionize.stats.wire import StatsWire
    from minionize.worker.door import Door
    from minionize.worker.served import ServedMinion

# Later than that the first param has started, mostly: nothing here is to delay it.
_FIRST = 0.25
_TICK = 1.0
_LEAVING = 5.0


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
        self._leaves = threading.Event()
        self._fully = self._failing = False
        self._registry: Registry | None = None
        self._door: Door | None = None
        self._thread = threading.Thread(target=self._run, name="presence", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def close(self) -> None:
        """Leave the registry with the final numbers, and end the server. No registry that hangs is waited for long."""
        self._leaves.set()
        self._thread.join(_LEAVING)

    # The thread.

    def _run(self) -> None:
        try:
            self._leaves.wait(_FIRST)
            self._served = self._make()
            self._registry = self._opened_registry()
            if self._values["server"] and not self._leaves.is_set():
                self._door = self._opened_door()
            self._live()
            self._leave()
        except Exception as error:  # the border of the thread: what is only there to be seen must not stop work
            self._say(f"this minion cannot be watched any more, params run on: {type(error).__name__}: {error}")
        finally:
            if self._door is not None:
                self._door.close()

    def _opened_registry(self) -> Registry | None:
        from minionize.errors import MinionizeError
        from minionize.plugins import load_registry

        try:
            return load_registry(self._values["registry"], self._environ)
        except MinionizeError as error:
            self._say(f"{error}; this minion announces itself nowhere, params run on")
            return None

    def _opened_door(self) -> Door:
        from minionize.worker.door import Door

        return Door(self._values["host"], self._values["port"], self._environ, self._served, self._say)

    def _live(self) -> None:
        due = time.monotonic()
        while not self._leaves.is_set():
            self._served.numbers.tick()
            if time.monotonic() >= due:
                self._beat()
                due = time.monotonic() + self._every
            self._leaves.wait(min(_TICK, max(0.0, due - time.monotonic())))

    def _beat(self) -> None:
        """Announce this minion, and its numbers: the first time, and then as a sign of life."""
        # The first time is at the start, where looking at all children would cost more than it tells.
        stats, self._fully = self._served.numbers.wire(fully=self._fully), True
        if self._registry is not None:
            self._write(self._registry.announce, self._announcement(stats))

    def _leave(self) -> None:
        if self._registry is not None:
            self._write(self._registry.leave, self._announcement(self._served.numbers.wire(fully=False)))
            self._registry.close()

    def _announcement(self, stats: StatsWire) -> Announcement:
        url = self._door.url if self._door is not None else None
        return {
            **stats,
            "url": url,
            "token": self._served.token if url else None,
            "heartbeat": time.time(),
            "every": self._every,
            "process": identity(),
            "left": None,
        }

    def _write(self, write: Callable[[Announcement], None], announcement: Announcement) -> None:
        from minionize.errors import MinionizeError

        try:
            write(announcement)
            self._failing = False
        except MinionizeError as error:
            if not self._failing:
                self._failing = True
                self._say(f"{error}; this minion may not be seen, params run on")
