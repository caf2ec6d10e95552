"""ContainerCallback: the callback contract, with an engine whose client is ``env``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from minionize.callback import Callback, Command, Context, Meaning
from minionize.callbacks.container import ContainerCallback
from minionize.cli.command import CommandLine
from minionize.containers.container import Container
from minionize.containers.kind import Kind
from minionize.errors import CallbackError
from minionize.task import Task
from minionize.testing.callback import CallbackContract, make_task


class Env(Kind):
    """Contains nothing."""

    name = program = package = "env"

    def check(self, environ: Mapping[str, str]) -> None:
        """Miss what is not there."""
        if "PATH" not in environ:
            raise CallbackError("no env here")

    def wrap(self, command: Command, task: Task) -> Command:
        """Put the client before it."""
        return replace(command, argv=("env", *command.argv), env={**self.container.env, **command.env})

    def meaning(self, code: int | None, number: int | None) -> Meaning | None:
        """Know one exit code."""
        return Meaning("the engine could not", True) if code == 125 else None

    def removal(self, minion: str, slot: int | None = None) -> tuple[str, ...]:
        """Remove nothing."""
        return ("true", minion, str(slot))


def contained(*words: str, stdin: bool = False) -> ContainerCallback:
    return ContainerCallback(CommandLine(words, stdin=stdin), Env(Container("image", env={"A": "1"})))


class TestContained(CallbackContract):
    """A command line in a container."""

    good = ("a", "b c", 1, {"field": 2})
    bad = ("\0",)

    def make_callback(self) -> Callback:
        """Make one around ``echo``."""
        return contained("echo", "{}")


def test_the_inner_command_is_wrapped() -> None:
    command = contained("cat", stdin=True).command("x", make_task("x"))
    assert command == Command(("env", "cat"), b"x", {"A": "1"})
    command = contained("{}").command("x", make_task("x"))
    assert command is not None
    # The client is not the param's fault.
    assert (command.program_is_param, command.inner_is_param) == (False, True)


def test_all_else_is_the_engines() -> None:
    callback = contained("echo")
    assert callback.title == "echo in env://image"
    assert (callback.runs_processes, callback.any_thread) == (True, True)
    assert callback.meaning(125, None) == Meaning("the engine could not", True)
    assert callback.removal("m", 2) == ("true", "m", "2")
    callback.check({"PATH": ""})
    with pytest.raises(CallbackError, match="no env here"):
        callback.check({})
    with pytest.raises(NotImplementedError):
        callback.process("x", Context(make_task("x")))
