"""The callback contract as a test suite."""

from __future__ import annotations

import copy
import json
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, NamedTuple

import pytest

from minionize.callback import Callback, Command, Context, DefaultCallback
from minionize.task import Param, Task, to_json

__all__ = ["CallbackContract", "Ran", "make_task", "run"]


def make_task(param: Param, seq: int = 1) -> Task:
    """Make the task that a worker would."""
    return Task(param=param, id=f"id{seq}", attempt=1, redelivered=False, slot=1, seq=seq, minion="m")


class Ran(NamedTuple):
    """How a run went.

    Attributes:
        result: What ``process`` returned, or the command.
        caught: What was raised.
        context: What the callback was told, with its verdict.
        changes: What the callback left changed in the process.
    """

    result: Any
    caught: BaseException | None
    context: Context
    changes: list[str]


def run(callback: Callback, param: Param, seq: int = 1) -> Ran:
    """Run one param as the worker does.

    An exception of ``teardown`` is not caught: it must not raise.
    """
    context = Context(make_task(param, seq))
    result: Any = None
    caught: BaseException | None = None
    with unchanged() as changes:
        try:
            callback.setup(param, context)
            if callback.runs_processes:
                result = callback.command(param, context.task)
            else:
                result = callback.process(param, context)
        except BaseException as error:
            caught = error
        callback.teardown(param, context, caught)
    return Ran(result, caught, context, changes)


@contextmanager
def unchanged() -> Iterator[list[str]]:
    """Put directory, environment and umask back at the end; the list then tells what was changed."""
    changes: list[str] = []
    before = (os.getcwd(), dict(os.environ), _umask())
    try:
        yield changes
    finally:
        after = (os.getcwd(), dict(os.environ), _umask())
        words = ("directory", "environment", "umask")
        changes += [word for word, old, new in zip(words, before, after, strict=True) if old != new]
        os.chdir(before[0])
        os.umask(before[2])
        if before[1] != after[1]:
            os.environ.clear()
            os.environ.update(before[1])


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


class CallbackContract(ABC):
    """Every rule that a callback must keep. Subclass it as ``Test...``.

    Attributes:
        good: Params that this callback can run; at least one.
        bad: Params that it cannot run; none where it takes any.
    """

    good: ClassVar[tuple[Param, ...]]
    bad: ClassVar[tuple[Param, ...]] = ()

    @abstractmethod
    def make_callback(self) -> Callback:
        """Make a NEW callback."""

    def made(self, processes: bool | None = None) -> Callback:
        """Make a callback; skip the case where it runs its params the other way."""
        callback = self.make_callback()
        if processes is not None and callback.runs_processes != processes:
            pytest.skip(f"the callback declares runs_processes={callback.runs_processes}")
        return callback

    def need_bad(self) -> None:
        """Skip the case where any param can be run."""
        if not self.bad:
            pytest.skip("the callback takes any param")

    # Processes.

    def test_a_command_can_be_started(self) -> None:
        """A program with arguments, all texts that the system can pass on."""
        callback = self.made(processes=True)
        for param in self.good:
            command = callback.command(param, make_task(param))
            assert isinstance(command, Command)
            assert isinstance(command.argv, tuple)
            assert command.argv
            assert command.argv[0]
            for word in (*command.argv, *command.env.keys(), *command.env.values()):
                assert b"\0" not in os.fsencode(word)
            assert not any("=" in name or not name for name in command.env)
            assert command.stdin is None or isinstance(command.stdin, bytes)

    def test_a_command_is_that_of_its_param(self) -> None:
        """The same param makes the same command, whatever came between."""
        callback = self.made(processes=True)
        before = [callback.command(param, make_task(param)) for param in self.good]
        after = [callback.command(param, make_task(param)) for param in reversed(self.good)]
        assert before == list(reversed(after))

    def test_a_param_without_command_is_a_value_error(self) -> None:
        """What cannot be made into a command raises ValueError with a message for the dead letter."""
        callback = self.made(processes=True)
        self.need_bad()
        for param in self.bad:
            with pytest.raises(ValueError, match=r"\w"):
                callback.command(param, make_task(param))

    # Calls.

    def test_a_callable_has_no_command(self) -> None:
        """Where the worker is to call ``process``, ``command`` returns None."""
        callback = self.made(processes=False)
        assert [callback.command(param, make_task(param)) for param in self.good] == [None] * len(self.good)

    def test_a_result_is_a_json_value(self) -> None:
        """What ``process`` returns can be written to the records as it is."""
        callback = self.made(processes=False)
        for param in self.good:
            ran = run(callback, param)
            assert ran.caught is None
            json.dumps(ran.result, allow_nan=False)

    # Both.

    def test_good_params_run_in_turn(self) -> None:
        """One callback runs many params, each again."""
        callback = self.made()
        for seq, param in enumerate(self.good * 3, 1):
            caught = run(callback, param, seq).caught
            assert caught is None, f"{param!r:.80} raised {caught!r}"

    def test_a_bad_param_fails_only_itself(self) -> None:
        """It raises an Exception, no exit and no interrupt, and the next param runs."""
        self.need_bad()
        callback = self.made()
        for param in self.bad:
            caught = run(callback, param).caught
            assert isinstance(caught, Exception), f"{param!r:.80} ended with {caught!r}"
            assert run(callback, self.good[0]).caught is None

    def test_a_param_is_not_changed(self) -> None:
        """The param is the queue's: it may be delivered again."""
        callback = self.made()
        for param in (*self.good, *self.bad):
            before = to_json(copy.deepcopy(param))
            run(callback, param)
            assert to_json(param) == before

    def test_teardown_takes_any_end(self) -> None:
        """It is called with None or with the exception, and raises neither way."""
        callback = self.made()
        param = self.good[0]
        for exception in (None, ValueError("failed"), KeyboardInterrupt()):
            callback.teardown(param, Context(make_task(param)), exception)

    def test_the_hooks_are_called(self) -> None:
        """A DefaultCallback tells ``teardown_ok`` of the good end, and ``teardown_ko`` of the bad one, with why."""
        callback = self.made()
        if not isinstance(callback, DefaultCallback):
            pytest.skip("the callback is no DefaultCallback")
        ends: list[Any] = []
        hooks = {"teardown_ok": lambda *args: ends.append(None), "teardown_ko": lambda *args: ends.append(args[2])}
        vars(callback).update(hooks)
        assert run(callback, self.good[0]).caught is None
        raised = [run(callback, param).caught for param in self.bad]
        assert ends == [None, *raised]

    def test_a_verdict_is_ack_or_nack(self) -> None:
        """What a callback says of the settlement is a word of the contract, or nothing."""
        callback = self.made()
        for param in self.good:
            assert run(callback, param).context.verdict in (None, "ack", "nack")

    def test_the_process_stays_as_it_was(self) -> None:
        """Directory, environment and umask are those of all params: a callback leaves them alone."""
        callback = self.made()
        for param in (*self.good, *self.bad):
            assert run(callback, param).changes == []
