"""Runs a param as a process: subclass ProcessCallback and write ``to_cmd``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import FunctionType
from typing import Any

from minionize.callback import Command, Context, DefaultCallback
from minionize.errors import CallbackError
from minionize.task import Param, Task


class ProcessCallback(DefaultCallback):
    """Starts a process for each param; exit code 0 is success."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Take a ``to_cmd(param)`` that was written without ``self``, as the page of 0.3.4 shows it."""
        super().__init_subclass__(**kwargs)
        own = cls.__dict__.get("to_cmd")
        if isinstance(own, FunctionType) and own.__code__.co_argcount == 1:
            cls.to_cmd = staticmethod(own)  # type: ignore[method-assign]

    def to_cmd(self, param: Param) -> str | Sequence[str]:
        """Tell the command for a param.

        Returns:
            A string, which a shell runs (quote what comes from the param: ``shlex.quote``), or a list of
            words, which is run directly.
        """
        return f"echo {param}"

    def command(self, param: Param, task: Task) -> Command | None:
        """Make the process to start from ``to_cmd``."""
        return Command(self._argv(param))

    @property
    def runs_processes(self) -> bool:
        """Whether the worker starts the process: unless a subclass has a ``process`` of its own."""
        return type(self).process is ProcessCallback.process

    def process(self, param: Param, context: Context) -> Any:
        """Run the process and wait for it. Only called where a subclass overrides it.

        Raises:
            subprocess.CalledProcessError: It did not succeed.
        """
        import subprocess

        subprocess.run(self._argv(param), check=True, stdin=subprocess.DEVNULL)

    def _argv(self, param: Param) -> tuple[str, ...]:
        try:
            cmd = self.to_cmd(param)
        except (ValueError, CallbackError):
            raise
        except Exception as error:  # the user's code: by the contract, what it cannot turn into a command is unfit
            raise ValueError(f"to_cmd: {type(error).__name__}: {error}") from error
        if isinstance(cmd, str):
            return ("/bin/sh", "-c", cmd)
        if not isinstance(cmd, Iterable):
            raise ValueError(f"to_cmd gave {cmd!r}: it must return a text, or a list of words")
        words = tuple(str(word) for word in cmd)
        if not words:
            raise ValueError("to_cmd gave no command")
        return words
