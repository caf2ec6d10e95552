"""The border of a command: nothing but an exit code and a message leaves it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import click

from minionize.console import OutputError, say, write
from minionize.errors import ExitCode, MinionizeError

__all__ = ["BorderedCommand", "guarded"]


class BorderedCommand(click.Command):
    """A click command that only parses. What it does is done outside of click, which has its own idea of broken pipes.

    Args:
        name: The program.
        work: Does it; told the values of all parameters, returns the exit code.
        more: What click wants to know.
    """

    def __init__(self, name: str, work: Callable[..., int], **more: Any) -> None:
        super().__init__(name, callback=lambda **given: given, **more)
        self._work = work

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any) -> NoReturn:  # type: ignore[override]
        """Parse, run, and exit."""
        program = self.name or "minionize"
        extra["standalone_mode"] = False

        def run() -> int:
            given = super(BorderedCommand, self).main(args, program, **extra)
            return given if isinstance(given, int) else self._work(**given)

        sys.exit(guarded(program, run, self.flags()))

    def flags(self) -> list[str]:
        """Return the names of all options."""
        return [flag for option in self.params if isinstance(option, click.Option) for flag in option.opts]


def guarded(
    program: str,
    work: Callable[[], int],
    flags: Sequence[str] = (),
    hint: str = "",
    foreign: Callable[[str], str | None] | None = None,
) -> int:
    """Run something; turn whatever ends it into a message and an exit code.

    Args:
        program: What the messages begin with.
        work: What is run; returns the exit code.
        flags: Options that a misspelt one may have meant.
        hint: What else to say to who has typed what cannot be read.
        foreign: Tells of an option of another program what to do here instead.
    """
    try:
        code = work()
        try:
            write("")
        except (OutputError, BrokenPipeError):
            # Who could not show anything has said so by its code.
            if not code:
                raise
        return code
    except click.UsageError as error:
        say(f"error: {_usage(error, flags, foreign)}\nTry '{program} --help'.{hint}", program)
        return ExitCode.USAGE
    except MinionizeError as error:
        say(f"error: {error}", program)
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        return ExitCode.SIGNAL + 2
    except BrokenPipeError:
        return ExitCode.SIGNAL + 13


def _usage(error: click.UsageError, flags: Sequence[str], foreign: Callable[[str], str | None] | None) -> str:
    if isinstance(error, click.NoSuchOption):
        words = foreign(error.option_name) if foreign else None
        if words:
            return f"no such option {error.option_name}: {words}"
        from minionize.names import nearest

        near = nearest(error.option_name, list(flags))
        return f"no such option {error.option_name}{f'; did you mean {near}?' if near else ''}"
    message = error.format_message().rstrip(".")
    return message[:1].lower() + message[1:]
