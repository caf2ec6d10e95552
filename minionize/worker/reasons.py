"""Says why params are dead: once for each reason, for thousands may have the same."""

from __future__ import annotations

from collections.abc import Callable

from minionize.task import Task, param_text

# So many different reasons are said; all of them are in the dead letters.
_MOST = 10
_PARAM = 80


class Reasons:
    """The reasons that were said."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._said: set[str] = set()

    def tell(self, task: Task, reason: str) -> None:
        """Say why a param is dead, unless others died of the same."""
        if reason not in self._said and len(self._said) < _MOST:
            self._said.add(reason)
            param = param_text(task.param)
            self._say(f"param {param if len(param) <= _PARAM else param[: _PARAM - 3] + '...'} is dead: {reason}")
