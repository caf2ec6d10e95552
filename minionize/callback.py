"""CONTRACT: a callback says how a param is run.

There are two ways. A callback with a ``command`` is run as a process by the worker's child supervisor.
Any other callback is called: ``setup``, ``process``, ``teardown``, in this minion's process with one slot,
in child processes with several.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from minionize.task import Param, Task

__all__ = ["Callback", "Command", "Context", "DefaultCallback"]


@dataclass(frozen=True, slots=True)
class Command:
    """One process to start.

    Attributes:
        argv: Program and arguments.
        stdin: Bytes for its standard input; None: /dev/null.
        env: Variables beside those of the minion.
        program_is_param: The program itself was made from the param, so that it is the param's fault
            when it cannot be started, not this minion's.
    """

    argv: tuple[str, ...]
    stdin: bytes | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    program_is_param: bool = False


class Context:
    """What ``setup``, ``process`` and ``teardown`` are told beside the param.

    It stands where minionize 0.3.4 passed the engine: ``ack`` and ``nack`` still say how the param
    is to be settled; without a word the worker decides by the outcome.

    Attributes:
        task: Id, attempt, slot and minion of the run.
        verdict: "ack" or "nack" where the callback said so; else None.
    """

    __slots__ = ("task", "verdict")

    def __init__(self, task: Task) -> None:
        self.task = task
        self.verdict: str | None = None

    def ack(self, param: Param = None) -> None:
        """Settle this param as done, whatever the outcome."""
        self.verdict = "ack"

    def nack(self, param: Param = None) -> None:
        """Give this param back, whatever the outcome."""
        self.verdict = "nack"


class Callback(ABC):
    """How a param is run. ``process`` returns the param's result (a JSON value), or raises."""

    def setup(self, param: Param, context: Context) -> Any:
        """Run before ``process``; an exception fails the param."""

    @abstractmethod
    def process(self, param: Param, context: Context) -> Any:
        """Run the param. What it returns is the param's result."""

    def teardown(self, param: Param, context: Context, exception: BaseException | None) -> Any:
        """Run after ``process``, with the exception that ended it, or None."""

    def command(self, param: Param, task: Task) -> Command | None:
        """Tell the process to start for a param; None if ``process`` is to be called instead.

        Raises:
            ValueError: This param cannot be turned into a command; it is dead-lettered with the message.
            CallbackError: No param can be run here; the minion stops.
        """
        return None

    @property
    def title(self) -> str:
        """What is run, for people who look at the minion."""
        return type(self).__name__

    @property
    def runs_processes(self) -> bool:
        """Whether the worker starts a process by ``command`` for each param."""
        return False

    @property
    def any_thread(self) -> bool:
        """Whether ``command`` may be called in any thread, one call at a time; else it is called in the main one."""
        return False


class DefaultCallback(Callback):
    """A callback with hooks for the good and the bad end; subclass it and write ``process``."""

    def teardown(self, param: Param, context: Context, exception: BaseException | None) -> Any:
        """Call ``teardown_ok`` or ``teardown_ko``."""
        if exception is None:
            self.teardown_ok(param, context)
        else:
            self.teardown_ko(param, context, exception)

    def teardown_ok(self, param: Param, context: Context) -> Any:
        """Run after a success."""

    def teardown_ko(self, param: Param, context: Context, exception: BaseException) -> Any:
        """Run after a failure."""
