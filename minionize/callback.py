"""CONTRACT: a callback says how a param is run.

There are two ways. A callback with a ``command`` is run as a process by the worker's child supervisor.
Any other callback is called: ``setup``, ``process``, ``teardown``, in this minion's process with one slot,
in child processes with several.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from minionize.task import Param, Task

__all__ = ["Callback", "Command", "Context", "DefaultCallback", "Meaning", "ProgramError"]


@dataclass(frozen=True, slots=True)
class Command:
    """One process to start.

    Attributes:
        argv: Program and arguments.
        stdin: Bytes for its standard input; None: /dev/null.
        env: Variables beside those of the minion.
        program_is_param: The program itself was made from the param, so that it is the param's fault
            when it cannot be started, not this minion's.
        inner_is_param: So was the program that this one is to run: exit codes 126 and 127, by which it says that
            it cannot, are the param's fault.
    """

    argv: tuple[str, ...]
    stdin: bytes | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    program_is_param: bool = False
    inner_is_param: bool = False


LONGEST_VARIABLE = 100_000
"""Bytes of a param that a run is told by MINION_PARAM; a longer one is not: the kernel takes 128 KiB for a variable."""


class Meaning(NamedTuple):
    """What the end of a process says, where it is not the program's own word.

    Attributes:
        reason: Why the run did not succeed, in words.
        fault: No fault of the param: it goes back uncharged, and the minion stops.
    """

    reason: str
    fault: bool


class ProgramError(Exception):
    """Raise it in ``process`` where a program that it ran has failed: the words say why, and no traceback is shown."""


class Context:
    """What ``setup``, ``process`` and ``teardown`` are told beside the param.

    It stands where minionize 0.3.4 passed the engine: ``ack`` and ``nack`` still say how the param
    is to be settled; without a word the worker decides by the outcome.

    Attributes:
        task: Id, attempt, slot and minion of the run.
        verdict: "ack" or "nack" where the callback said so; else None.
        argv: Command line of a program that ``process`` runs, for the evidence; None where there is none.
        exit_code: Exit code of that program, with its usual meaning for the settlement; None where there is none.
    """

    __slots__ = ("argv", "exit_code", "task", "verdict")

    def __init__(self, task: Task) -> None:
        self.task = task
        self.verdict: str | None = None
        self.argv: tuple[str, ...] | None = None
        self.exit_code: int | None = None

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

    def dry_mode(self) -> bool:
        """Tell whether nothing is to be done: never, for ``--dry-run`` calls no ``process``. For callbacks of 0.3.4."""
        return False

    def command(self, param: Param, task: Task) -> Command | None:
        """Tell the process to start for a param; None if ``process`` is to be called instead.

        With ``runs_processes`` false it is only shown, by ``--dry-run``.

        Raises:
            ValueError: This param cannot be turned into a command; it is dead-lettered with the message.
            CallbackError: No param can be run here; the minion stops.
        """
        return None

    def check(self, environ: Mapping[str, str]) -> None:
        """See whether params can be run here at all; called once, before any is taken.

        Args:
            environ: The variables that each run will see.

        Raises:
            CallbackError: They cannot. The message names the thing and the remedy.
        """

    def meaning(self, code: int | None, number: int | None) -> Meaning | None:
        """Tell what the end of a run's process means, where that is not what it means for any program.

        Args:
            code: Its exit code, not 0 (for a process that was to call ``process``, any); None if a signal ended it.
            number: The signal; None if it exited.
        """
        return None

    def removal(self, minion: str, slot: int | None = None) -> tuple[str, ...]:
        """Tell the command line that ends what runs have outside their processes, such as a container.

        It is run where a run was ended from here, before its param is settled, and for all slots when the
        minion has died.

        Args:
            minion: Id of the minion.
            slot: Whose run; None: all runs of the minion.

        Returns:
            Program and arguments; empty where runs are processes and nothing else.
        """
        return ()

    @property
    def title(self) -> str:
        """What is run, for people who look at the minion."""
        return type(self).__name__

    @property
    def runs_processes(self) -> bool:
        """Whether the worker starts a process by ``command`` for each param."""
        return False

    @property
    def in_child(self) -> bool:
        """Whether ``process`` must be called in a child process, which can be ended, also with one slot."""
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
