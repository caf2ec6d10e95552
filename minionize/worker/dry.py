"""``--dry-run``: the command line of each ready param, to read and to paste into a shell. Takes none."""

from __future__ import annotations

from minionize.callback import Callback
from minionize.console import printable, say, write
from minionize.engine import Engine, Undecodable
from minionize.quoting import shell_line, shell_word
from minionize.settings import Settings
from minionize.task import Param, Task, param_text

__all__ = ["dry_run"]


def dry_run(callback: Callback, engine: Engine, settings: Settings) -> int:
    """Print what would be run for each ready param; return the exit code.

    Args:
        callback: How a param would be run.
        engine: The queue.
        settings: What the user set.

    Raises:
        MinionizeError: The queue cannot be used, or cannot show params without taking them.
    """
    try:
        engine.visit()
        for seq, param in enumerate(engine.peek(settings.values.get("max_params")), 1):
            try:
                write(_line(callback, param, seq, settings) + "\n")
            except ValueError as error:
                say(f"param {_short(param)}: {error}")
    finally:
        engine.close()
    return 0


def _line(callback: Callback, param: Param, seq: int, settings: Settings) -> str:
    if isinstance(param, Undecodable):
        raise ValueError(param.why)
    task = Task(param=param, id=str(seq), attempt=None, redelivered=None, slot=1, seq=seq, minion="")
    command = callback.command(param, task)
    if command is None:
        name = settings.values.get("function") or type(callback).__name__
        return printable(f"{name}({param_text(param)})")
    if command.stdin is None:
        return shell_line(command.argv)
    return f"printf %s {shell_word(command.stdin.decode('utf-8', 'surrogateescape'))} | {shell_line(command.argv)}"


def _short(param: Param) -> str:
    text = param.raw if isinstance(param, Undecodable) else param_text(param)
    return printable(text if len(text) <= 80 else f"{text[:77]}...")
