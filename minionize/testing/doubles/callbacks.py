"""Broken callbacks. Each runs the param "good" and fails "bad", and has one fault."""

from __future__ import annotations

import os
import sys
from typing import Any

from minionize.callback import Callback, Command, Context, DefaultCallback
from minionize.task import Param, Task
from minionize.testing.callback import CallbackContract


class BrokenCall(DefaultCallback):
    """A call without a fault; each subclass has one."""

    def process(self, param: Param, context: Context) -> Any:
        """Run "good" and what is like it."""
        if "bad" in param:
            raise RuntimeError("a bad param")
        return {"length": len(param)}


class BrokenProcess(DefaultCallback):
    """A process without a fault; each subclass has one."""

    runs_processes = True

    def process(self, param: Param, context: Context) -> Any:
        """Is never called."""

    def command(self, param: Param, task: Task) -> Command | None:
        """Make a command of "good"."""
        if "bad" in param:
            raise ValueError("a bad param")
        return Command(("echo", str(param)))


class BrokenCallbackSuite(CallbackContract):
    """The contract for one of these."""

    good = ("good", ["good", "too"])
    bad = ("bad", ["bad"])

    def __init__(self, kind: type[Callback]) -> None:
        self.kind = kind

    def make_callback(self) -> Callback:
        """Make the broken callback."""
        return self.kind()


class ExitsOnABadParam(BrokenCall):
    """Ends the process instead of the param."""

    def process(self, param: Param, context: Context) -> Any:
        """Exit."""
        return sys.exit("bad") if "bad" in param else 0


class SwallowsFailures(BrokenCall):
    """Calls a failure a success."""

    def process(self, param: Param, context: Context) -> Any:
        """Raise nothing."""
        return None


class IsSpoiltByABadParam(BrokenCall):
    """Fails every param after the first failure."""

    spoilt = False

    def process(self, param: Param, context: Context) -> Any:
        """Remember failures."""
        if self.spoilt:
            raise RuntimeError("spoilt")
        self.spoilt = "bad" in param
        return super().process(param, context)


class RunsOnce(BrokenCall):
    """Fails every param after the first."""

    used = False

    def process(self, param: Param, context: Context) -> Any:
        """Remember use."""
        if self.used and "bad" not in param:
            raise RuntimeError("used up")
        self.used = True
        return super().process(param, context)


class ReturnsAnObject(BrokenCall):
    """Returns what no record can hold."""

    def process(self, param: Param, context: Context) -> Any:
        """Return a set."""
        super().process(param, context)
        return {1, 2}


class ReturnsNan(BrokenCall):
    """Returns a number that JSON does not have."""

    def process(self, param: Param, context: Context) -> Any:
        """Return NaN."""
        super().process(param, context)
        return float("nan")


class ChangesItsParam(BrokenCall):
    """Works in place."""

    def process(self, param: Param, context: Context) -> Any:
        """Add to the list."""
        if isinstance(param, list) and param[-1] != "mark":
            param.append("mark")
        return super().process(param, context)


class TeardownRaises(BrokenCall):
    """Fails when it should clean up after a failure."""

    def teardown(self, param: Param, context: Context, exception: BaseException | None) -> Any:
        """Raise once more."""
        super().teardown(param, context, exception)
        if isinstance(exception, ValueError):
            raise RuntimeError("cannot clean up")


class TeardownTellsNoFailure(BrokenCall):
    """Takes every end for a good one."""

    def teardown(self, param: Param, context: Context, exception: BaseException | None) -> Any:
        """Call the wrong hook."""
        self.teardown_ok(param, context)


class TeardownHidesWhy(BrokenCall):
    """Tells of a failure, and not which."""

    def teardown(self, param: Param, context: Context, exception: BaseException | None) -> Any:
        """Make another exception."""
        super().teardown(param, context, exception and RuntimeError("it failed"))


class SaysMaybe(BrokenCall):
    """Gives a verdict that is none."""

    def process(self, param: Param, context: Context) -> Any:
        """Set another word."""
        context.verdict = "maybe"
        return super().process(param, context)


class ChangesTheDirectory(BrokenCall):
    """Goes elsewhere and stays there."""

    def process(self, param: Param, context: Context) -> Any:
        """Change the directory."""
        os.chdir("/")
        return super().process(param, context)


class LeavesAVariable(BrokenCall):
    """Sets a variable for all params after it."""

    def process(self, param: Param, context: Context) -> Any:
        """Set it."""
        os.environ["LEFT_BEHIND"] = "1"
        return super().process(param, context)


class HasACommandThatNobodyRuns(BrokenCall):
    """Has a command, and says that it runs no processes."""

    def command(self, param: Param, task: Task) -> Command | None:
        """Return one."""
        return Command(("true",))


class EmptyCommand(BrokenProcess):
    """Makes a command of no words."""

    def command(self, param: Param, task: Task) -> Command | None:
        """Return nothing to start."""
        super().command(param, task)
        return Command(())


class OneTextForArgv(BrokenProcess):
    """Takes a text for the words of a command."""

    def command(self, param: Param, task: Task) -> Command | None:
        """Return letters."""
        super().command(param, task)
        return Command("echo")  # type: ignore[arg-type]


class NulInAWord(BrokenProcess):
    """Makes words that no system can pass on."""

    def command(self, param: Param, task: Task) -> Command | None:
        """Add a NUL."""
        super().command(param, task)
        return Command(("echo", "a\0b"))


class NoCommand(BrokenProcess):
    """Says that it runs processes, and has no command."""

    def command(self, param: Param, task: Task) -> Command | None:
        """Return None."""
        super().command(param, task)
        return None


class CommandsChange(BrokenProcess):
    """Counts in the command, so that a retry runs something else."""

    count = 0

    def command(self, param: Param, task: Task) -> Command | None:
        """Count."""
        super().command(param, task)
        self.count += 1
        return Command(("echo", str(self.count)))


class LooksUpABadParam(BrokenProcess):
    """Raises KeyError for a param without a field."""

    def command(self, param: Param, task: Task) -> Command | None:
        """Look it up."""
        return Command(("echo", {"good": "g", "['good', 'too']": "t"}[str(param)]))
