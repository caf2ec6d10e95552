"""COMMAND as a callback: a process per param, its words made by a template."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

from minionize.callback import Command, Context, DefaultCallback
from minionize.errors import CallbackError, SettingsError
from minionize.task import Param, Task, param_text
from minionize.template import Template

__all__ = ["CommandLine"]

_SHELLISH = r"""[\s|&;<>()$`"'*?=]"""


class CommandLine(DefaultCallback):
    """Starts COMMAND for each param.

    Args:
        words: The command's words.
        shell: They are one line for ``/bin/sh``.
        stdin: The param goes to standard input, and is not appended.
        literal: Nothing in them is a placeholder.

    Raises:
        SettingsError: In a shell line a placeholder stands where nothing can be quoted safely.
    """

    def __init__(
        self, words: Sequence[str], *, shell: bool = False, stdin: bool = False, literal: bool = False
    ) -> None:
        self._words = tuple(words)
        self._shell = shell
        self._stdin = stdin
        try:
            self._template = Template(words, literal=literal, shell=shell, append=not stdin)
        except ValueError as error:
            raise SettingsError(str(error)) from None
        self._varies = self._template.program_varies

    @property
    def title(self) -> str:
        """The command line; what looks like a secret is masked."""
        from minionize.quoting import shell_line, without_secrets

        return shell_line(without_secrets(self._words))

    @property
    def runs_processes(self) -> bool:
        """Always."""
        return True

    @property
    def any_thread(self) -> bool:
        """It holds nothing that changes."""
        return True

    def command(self, param: Param, task: Task) -> Command:
        """Fill in a param.

        Raises:
            ValueError: It cannot be filled in.
        """
        argv = self._template.render(param, slot=task.slot, seq=task.seq)
        return Command(argv, _fed(param) if self._stdin else None, program_is_param=self._varies)

    def process(self, param: Param, context: Context) -> Any:
        """Never called: the worker starts ``command``."""
        raise NotImplementedError

    def check(self, environ: Mapping[str, str]) -> None:
        """Look for the program before any param is taken.

        Args:
            environ: The variables that the program will see.

        Raises:
            CallbackError: It is not there, or cannot be executed.
        """
        if self._shell or self._varies:
            return
        from minionize.child import find_program

        program = self._words[0]
        try:
            find_program(program, environ.get("PATH", os.defpath))
        except OSError as error:
            raise CallbackError(f"`{program}`: {error.strerror}{self._remedy(error)}") from None

    def _remedy(self, error: OSError) -> str:
        program = self._words[0]
        if isinstance(error, PermissionError):
            return "" if os.path.isdir(program) else f"; chmod +x {program}"
        if re.search(_SHELLISH, program):
            from minionize.quoting import shell_word

            line = shell_word(" ".join(self._words))
            return f"; it looks like a line for the shell: minionize --shell {line}"
        if "/" not in program and os.path.isfile(program):
            return f" in PATH; did you mean ./{program}?"
        return ""


def _fed(param: Param) -> bytes:
    if isinstance(param, bytes):
        return param
    return param_text(param).encode("utf-8", "surrogateescape")
