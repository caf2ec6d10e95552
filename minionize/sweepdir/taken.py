"""One param that this minion took, and what became of it."""

from __future__ import annotations

from typing import Any

HELD, DONE, GIVEN, LOST = "held", "done", "given", "lost"
"""What became of a param: still held, done (or dead), given back, reclaimed by somebody else."""


class Taken:
    """One param that this minion took.

    Attributes:
        id: Its id.
        param: The param.
        state: HELD, DONE, GIVEN or LOST.
        returned: How often it had come back when it was taken.
        logged: Why it is settled is written down already; only the rest is to be done.
    """

    __slots__ = ("id", "logged", "param", "returned", "state")

    def __init__(self, id: str, param: Any, returned: int) -> None:
        self.id, self.param, self.returned = id, param, returned
        self.state = HELD
        self.logged = False
