"""How often an idle minion looks at the directory."""

from __future__ import annotations

_FIRST = 0.02
_FACTOR = 1.5
_MOST = 0.5
_PER_MINION = 0.002
_HURRY = 0.1
_BLIND = 2.0


class Pace:
    """Looks come soon at first and less and less often then; with many minions less often still."""

    def __init__(self) -> None:
        self._apart = 0.0
        self._last = self._full = float("-inf")

    def reset(self) -> None:
        """Hear that something was found: look again at once."""
        self._apart = 0.0

    def looked(self, now: float, minions: int) -> None:
        """Hear that a look found nothing."""
        most = max(_MOST, minions * _PER_MINION)
        self._apart = min(self._apart * _FACTOR, most) if self._apart else _FIRST
        self._last = self._full = now

    def passed(self, now: float) -> None:
        """Hear that a look was not worth it, because no file has changed."""
        self._apart = min(self._apart * _FACTOR, _MOST) if self._apart else _FIRST
        self._last = now

    def wait(self, now: float) -> float:
        """Return for how many seconds to wait until the next look."""
        return max(0.0, self._last + self._apart - now)

    def may_look(self, now: float, hurry: bool) -> bool:
        """Tell whether to look now.

        Args:
            now: Seconds, monotonic.
            hurry: It is the last chance before a time-out: look early, unless we have been idle for long.
        """
        return self.wait(now) <= 0.0 or (hurry and self._apart <= _HURRY)

    def must_look(self, now: float) -> bool:
        """Tell whether to look although no file seems to have changed; a file system may tell so late."""
        return now - self._full >= max(_BLIND, 4.0 * self._apart)
