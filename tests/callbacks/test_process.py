"""ProcessCallback: ``to_cmd`` as a string and as a list, and the callback contract."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from minionize.callback import Callback, Context
from minionize.callbacks.process import ProcessCallback
from minionize.task import Param
from minionize.testing.callback import CallbackContract, make_task


class Listed(ProcessCallback):
    """Runs a list of words."""

    def to_cmd(self, param: Param) -> Sequence[str]:
        """Make the words."""
        return ["echo", param["word"], str(7)]


class TestShellLine(CallbackContract):
    """The default command, a shell line."""

    good = ("a", 1, "-n", "a b")

    def make_callback(self) -> Callback:
        """Make the plain callback."""
        return ProcessCallback()


class TestWords(CallbackContract):
    """A list of words made from fields."""

    good = ({"word": "a b"}, {"word": "*"})
    bad = ({"other": 1}, "text")

    def make_callback(self) -> Callback:
        """Make one with a ``to_cmd`` of its own."""
        return Listed()


def argv(callback: ProcessCallback, param: Param) -> tuple[str, ...]:
    command = callback.command(param, make_task(param))
    assert command is not None
    return command.argv


def test_a_string_goes_to_a_shell_and_a_list_does_not() -> None:
    assert argv(ProcessCallback(), "x; y") == ("/bin/sh", "-c", "echo x; y")
    assert argv(Listed(), {"word": "x; y"}) == ("echo", "x; y", "7")


def test_a_return_that_was_forgotten_is_named() -> None:
    class Forgets(ProcessCallback):
        def to_cmd(self, param: Param) -> Any:
            pass

    with pytest.raises(ValueError, match="to_cmd gave None: it must return a text, or a list of words"):
        argv(Forgets(), "x")


def test_to_cmd_may_be_written_without_self() -> None:
    """The page of 0.3.4 shows it so."""

    class Page(ProcessCallback):
        def to_cmd(param: Param) -> str:  # type: ignore[override]  # noqa: N805
            return f"a.out --arg1 {param['arg1']} {param['arg2']}"

    assert argv(Page(), {"arg1": 1, "arg2": 2})[2] == "a.out --arg1 1 2"


def test_no_words_are_no_command() -> None:
    class Empty(ProcessCallback):
        def to_cmd(self, param: Param) -> Sequence[str]:
            return []

    with pytest.raises(ValueError, match="no command"):
        argv(Empty(), 1)


def test_its_own_process_is_called_instead() -> None:
    class Own(ProcessCallback):
        def to_cmd(self, param: Param) -> str:
            return f"exit {param}"

        def process(self, param: Param, context: Context) -> Any:
            super().process(param, context)
            return "ran"

    callback = Own()
    assert not callback.runs_processes
    assert callback.process(0, Context(make_task(0))) == "ran"
    with pytest.raises(Exception, match="exit status 3"):
        callback.process(3, Context(make_task(3)))
