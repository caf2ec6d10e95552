"""``--dry-run``: the command line of each ready param, to read and to paste into a shell. Takes none."""

from __future__ import annotations

from collections.abc import Callable

from minionize.callback import Callback
from minionize.cli.engines import opened
from minionize.cli.quoting import shell_line, shell_word
from minionize.console import printable
from minionize.engine import Undecodable
from minionize.settings import Settings
from minionize.task import Param, Task, param_text

__all__ = ["dry_run"]


def dry_run(callback: Callback, settings: Settings, out: Callable[[str], None], err: Callable[[str], None]) -> int:
    """Print what would be run for each ready param; return the exit code.

    Args:
        callback: How a param would be run.
        settings: What the user set.
        out: Takes each line.
        err: Takes what is wrong with a param.

    Raises:
        MinionizeError: The queue cannot be used, or cannot show params without taking them.
    """
    limit = settings.values["max_params"]
    with opened(settings) as engine:
        for seq, param in enumerate(engine.peek(limit), 1):
            try:
                out(_line(callback, param, seq, settings))
            except ValueError as error:
                err(f"param {_short(param)}: {error}")
    return 0


def _line(callback: Callback, param: Param, seq: int, settings: Settings) -> str:
    if isinstance(param, Undecodable):
        raise ValueError(param.why)
    task = Task(param=param, id=str(seq), attempt=None, redelivered=None, slot=1, seq=seq, minion="")
    command = callback.command(param, task) if callback.runs_processes else None
    if command is None:
        name = settings.values["function"] or type(callback).__name__
        return printable(f"{name}({param_text(param)})")
    if command.stdin is None:
        return shell_line(command.argv)
    return f"printf %s {shell_word(command.stdin.decode('utf-8', 'surrogateescape'))} | {shell_line(command.argv)}"


def _short(param: Param) -> str:
    text = param.raw if isinstance(param, Undecodable) else param_text(param)
    return printable(text if len(text) <= 80 else f"{text[:77]}...")
