"""Questions to single minions, asked again and again, while the screen goes on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from textual.widget import Widget
from textual.worker import Worker

from mtop.acts import within
from mtop.feed import Unanswered
from mtop.format import duration
from mtop.model.minion import Minion
from mtop.session import Session

__all__ = ["Asking", "is_here", "why_silent"]

T = TypeVar("T")
_PATIENCE = 60.0
"""Seconds for an answer. The feed mostly gives up earlier."""

_SLOW = 2.0
"""Seconds after which it is said that there is no answer yet."""


def is_here(widget: Widget) -> bool:
    """Tell whether a widget is still part of a screen that the user can come back to: else parts of it are gone."""
    return widget.is_attached and widget.screen in widget.app.screen_stack


def why_silent(session: Session, minion: Minion) -> str | None:
    """Say why there is no use in asking a minion; None if there is. A recording may know also of those that ended."""
    return session.fleet.why_not(minion) if session.feed.live else None


class Asking(Generic[T]):
    """One kind of question. There is never more than one on its way.

    Args:
        owner: When it goes, so does the question.
        session: Has the clock.
        then: Called when an answer has come.

    Attributes:
        answer: The last one; None before the first.
        trouble: Why the last question was not answered, in words; None if it was.
    """

    def __init__(self, owner: Widget, session: Session, then: Callable[[], None]) -> None:
        self._owner, self._clock, self._then = owner, session.feed.clock, then
        self._worker: Worker[None] | None = None
        self._asked_at = self._answered_at = 0.0
        self.answer: T | None = None
        self.trouble: str | None = None

    @property
    def age(self) -> float:
        """Seconds since the last answer."""
        return max(0.0, self._clock() - self._answered_at)

    @property
    def notice(self) -> str:
        """What must be said of it: why there is no answer; "" if there is one."""
        old = f" (what stands here is {duration(self.age)} old)" if self.answer is not None else ""
        if self._worker is not None and not self._worker.is_finished:
            waited = self._clock() - self._asked_at
            if waited > _SLOW:
                return f"no answer yet, after {duration(waited)}{old}"
            return self.trouble + old if self.trouble else "" if self.answer is not None else "asking ..."
        return self.trouble + old if self.trouble else ""

    def ask(self, question: Callable[[], Awaitable[T]]) -> None:
        """Ask, unless the last question is still on its way."""
        if self._worker is not None and not self._worker.is_finished:
            return
        self._asked_at = self._clock()
        self._worker = self._owner.run_worker(self._ask(question), group=f"asking {id(self)}", exclusive=True)

    def drop(self) -> None:
        """Forget question and answer."""
        if self._worker is not None:
            self._worker.cancel()
        self._worker = self.answer = self.trouble = None

    async def _ask(self, question: Callable[[], Awaitable[T]]) -> None:
        try:
            self.answer, self.trouble = await within(_PATIENCE, question()), None
            self._answered_at = self._clock()
        except Unanswered as error:
            self.trouble = str(error)
        # By the next turn of the loop this worker has finished, and may be followed by another.
        self._owner.call_next(self._tell)

    def _tell(self) -> None:
        if is_here(self._owner):
            self._then()
