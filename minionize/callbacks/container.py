"""Runs a param in a container, by the command line of a container engine (docker's runs by its library)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from minionize.callback import Callback, Command, Context, DefaultCallback, Meaning
from minionize.containers.kind import Kind
from minionize.task import Param, Task

__all__ = ["ContainerCallback"]


class ContainerCallback(DefaultCallback):
    """Runs the commands of another callback in containers, as processes of the engine's client."""

    def __init__(self, inner: Callback, kind: Kind) -> None:
        """Wrap a callback.

        Args:
            inner: Tells the command that is run inside.
            kind: The container engine, with what the container is like.
        """
        self._inner, self._kind = inner, kind

    @property
    def title(self) -> str:
        """What is run, and in which image."""
        return f"{self._inner.title} in {self._kind.name}://{self._kind.container.image}"

    @property
    def runs_processes(self) -> bool:
        """Always."""
        return True

    @property
    def any_thread(self) -> bool:
        """As the callback within."""
        return self._inner.any_thread

    def check(self, environ: Mapping[str, str]) -> None:
        """See whether the engine and the image are there; the program is the image's.

        Raises:
            CallbackError: They are not.
        """
        self._kind.check(environ)

    def command(self, param: Param, task: Task) -> Command | None:
        """Tell the command of the client.

        Raises:
            ValueError: This param cannot be turned into a command.
        """
        command = self._inner.command(param, task)
        if command is None:
            return None
        # The client itself is not the param's.
        return replace(self._kind.wrap(command, task), program_is_param=False, inner_is_param=command.program_is_param)

    def process(self, param: Param, context: Context) -> Any:
        """Never called: the worker starts ``command``."""
        raise NotImplementedError

    def meaning(self, code: int | None, number: int | None) -> Meaning | None:
        """Tell the client's exit codes from the program's."""
        return self._kind.meaning(code, number)

    def removal(self, minion: str, slot: int | None = None) -> tuple[str, ...]:
        """Tell the command line that removes containers."""
        return self._kind.removal(minion, slot)
