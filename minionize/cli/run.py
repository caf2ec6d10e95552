"""``minionize``: run a command for each param of a queue."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click
from click.shell_completion import CompletionItem

from minionize.cli.border import guarded
from minionize.cli.completion import paths
from minionize.cli.init import be_init
from minionize.cli.options import OPTIONS, parameters
from minionize.console import say, write
from minionize.errors import ExitCode, SettingsError

if TYPE_CHECKING:
    from minionize.callback import Callback
    from minionize.settings import Settings

__all__ = ["main"]

_HINT = " What is meant for the program goes behind its name."


class _Minionize(click.Command):
    """The command line and its border: nothing but an exit code and a message leaves it."""

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any) -> NoReturn:  # type: ignore[override]
        """Parse, run, and exit."""
        if args is None:
            be_init()
        width = extra.pop("terminal_width", None)
        extra["standalone_mode"] = False

        def run() -> int:
            return _dispatch(super(_Minionize, self).main(args, "minionize", **extra), width)

        sys.exit(guarded("minionize", run, [flag for entry in OPTIONS for flag in entry.flags], _HINT, _foreign))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete our own options in front of COMMAND only: what begins with a dash behind it is the program's."""
        return paths(incomplete) if ctx.params.get("command") else super().shell_complete(ctx, incomplete)


def _foreign(option: str) -> str | None:
    from minionize.cli.foreign import FOREIGN

    return FOREIGN.get(option)


def _command_line() -> _Minionize:
    return _Minionize(
        "minionize",
        params=parameters(),
        callback=lambda **given: given,
        add_help_option=False,
        context_settings={"allow_interspersed_args": False},
    )


main = _command_line()


def _dispatch(given: Mapping[str, Any] | int, width: int | None) -> int:
    """Do what the command line asks for; return the exit code."""
    if isinstance(given, int):
        return given
    cli = {key: value for key, value in given.items() if value not in (None, ()) and key != "command"}
    instead = {key: cli.pop(key, False) for key in ("help", "version", "show_config", "why", "healthy")}
    if instead["help"]:
        from shutil import get_terminal_size

        from minionize.cli.help import help_text

        write(help_text(width or get_terminal_size((100, 24)).columns))
        return ExitCode.OK
    if instead["version"]:
        from minionize.version import __version__

        write(f"minionize {__version__}\n")
        return ExitCode.OK
    return _with_settings(cli, tuple(given["command"]), instead)


def _with_settings(cli: dict[str, Any], command: tuple[str, ...], instead: Mapping[str, bool]) -> int:
    from minionize.settings import here, load

    cwd = here()
    settings = load(cli, os.environ, cwd)
    if instead["show_config"]:
        from minionize.cli.show import show_config

        write(show_config(settings, command))
        return ExitCode.OK
    if instead["healthy"]:
        from minionize.cli.healthy import is_healthy

        works, words = is_healthy(settings)
        write(f"{words}\n")
        return 0 if works else 1
    if cli.get("FILE_NULL") and settings.values["engine"] not in ("file", None):
        raise SettingsError(f"-0/--null is for params from a file; the engine is {settings.values['engine']}")
    if instead["why"]:
        from minionize.cli.why import why

        write(f"{why(settings)}\n")
        return ExitCode.OK
    callback, wanted = _callback(settings, command, cwd)
    if wanted:
        # What stands at the function itself; the command line overrules it.
        settings = load({**wanted, **cli}, os.environ, cwd)
    _tell_unread_stdin(settings)
    from minionize.worker.minion import Minion

    minion = Minion(callback, settings)
    # What has been imported stays: the garbage collector need not look at it again for every fiftieth param.
    gc.freeze()
    return minion.run()


def _tell_unread_stdin(settings: Settings) -> None:
    """Say so where somebody pipes params in, and a sweep directory that happens to be here is taken instead."""
    from minionize.settings import SWEEPS_FOUND, is_piped

    source = settings.sources["engine"]
    if source.endswith(SWEEPS_FOUND) and is_piped(0):
        say(f"engine execo, for {source}; standard input is not read (-e file reads it)")


def _callback(settings: Settings, command: tuple[str, ...], cwd: Path) -> tuple[Callback, Mapping[str, Any]]:
    values = settings.values
    function = values["function"]
    if command and settings.sources["function"] == "--function":
        raise SettingsError(f"--function {function} and COMMAND {command[0]}: give one of them")
    if settings.sources["container"] == "default":
        _refuse_without_container(settings)
    elif function and not command:
        raise SettingsError(f"--function {function}: a function cannot run in a container; give a COMMAND")
    if function and not command:
        from minionize.cli.function import load_function
        from minionize.worker.environment import lent

        with lent({**settings.env, **settings.environ}):
            return load_function(function, cwd)
    words = command or settings.command
    if not words:
        raise SettingsError(
            f"no COMMAND to run\nUsage: minionize [OPTIONS] COMMAND [ARG]...\nTry 'minionize --help'.{_HINT}"
        )
    from minionize.cli.command import CommandLine

    callback = CommandLine(words, shell=values["shell"], stdin=values["stdin"], literal=values["literal"])
    if values["container"] is None:
        return callback, {}
    from minionize.cli.container import in_container

    return in_container(callback, settings), {}


def _refuse_without_container(settings: Settings) -> None:
    """Refuse options that would have no effect. Variables and files may hold them for other commands, too."""
    for key in ("pull", "volumes", "container_env", "user", "workdir", "network", "cpus", "memory", "gpus"):
        if settings.sources[key].startswith("--"):
            raise SettingsError(f"{settings.sources[key]} is for containers; name one by --container ENGINE://IMAGE")
