"""``minion-queue``: fill a queue, look at it, care for it. The same commands for every engine."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from typing import Any, NoReturn, TypeVar

import click
from click.shell_completion import CompletionItem

from minionize.cli.border import guarded
from minionize.cli.completion import names

__all__ = ["main"]

_HELP = """\
Fill a queue of params, look at it, and care for it.

Which queue: as for minionize. What -e or MINION_ENGINE says, .env, .minionize.yml; else the sweep directory
(EXECO_PERSISTENCE_DIR, default ./sweeps), which `fill` makes if need be. A file, by -e file, needs FILE_PATH.

\b
Examples:
  seq 100 | minion-queue fill
  minion-queue fill --sweep x=1:10 --sweep y=a,b --sweep z=log:1e-3:1:7
  minion-queue status
  minion-queue dead --summary
  minion-queue requeue --cause 'exit code 3'
  minion-queue copy --to file FILE_PATH=params.txt
"""

_VALUES = """\
\b
VALUES of --sweep, separated by commas; numbers become numbers:
  1:10  10:1:-3  0:1:0.25   from, to (which belongs to it), and a step
  lin:0:1:5                 5 numbers, evenly spaced
  log:1e-3:1:7              7 numbers, evenly spaced on a logarithmic scale
  a,b,"7"                   texts; in double quotes as in JSON
"""

_F = TypeVar("_F", bound=Callable[..., Any])


class _Program(click.Group):
    """The commands, each of which returns what is to be done, or an exit code."""

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any) -> NoReturn:  # type: ignore[override]
        """Parse, run, and exit."""
        name = self.name or ""
        extra["standalone_mode"] = False
        commands = [self, *self.commands.values()]
        flags = {flag for command in commands for option in command.params for flag in option.opts}

        def work() -> int:
            # Not within click, which has its own idea of what a broken pipe means.
            chosen = super(_Program, self).main(args, name, **extra)
            return chosen() if callable(chosen) else chosen or 0

        sys.exit(guarded(name, work, sorted(flags)))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command; of a misspelt one say what it was meant to be."""
        if args and args[0] not in self.commands:
            from minionize.names import did_you_mean

            ctx.fail(f"no command {args[0]!r}{did_you_mean(args[0], self.commands)}")
        return super().resolve_command(ctx, args)


def _engines(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return names("engines", incomplete)


def _engine_option() -> click.Option:
    return click.Option(["-e", "--engine"], metavar="NAME", help="Which queue.", shell_complete=_engines)


def _command(function: _F) -> _F:
    """Make a command of a function: its name is the command's, its docstring the help; what it does is elsewhere."""
    given: list[click.Parameter] = list(reversed(getattr(function, "__click_params__", [])))
    given += [_engine_option(), click.Option(["--json", "as_json"], is_flag=True, help="Answer in JSON.")]
    name = function.__name__

    def run(engine: str | None, **options: Any) -> Callable[[], int]:
        # Imported when it is needed: --help stays quick.
        module = import_module(f"minionize.cli.queue_{function(**options)}")
        return partial(getattr(module, name), engine or click.get_current_context().obj, **options)

    main.add_command(click.Command(name, callback=run, params=given, help=function.__doc__, no_args_is_help=False))
    return function


def _dead_option() -> Callable[[_F], _F]:
    return click.option("--dead", metavar="PATH", help="File or directory of dead params, where the queue keeps none.")


def _cause_option() -> Callable[[_F], _F]:
    return click.option("--cause", metavar="TEXT", help="Only those in whose cause TEXT stands.")


def _group(engine: str | None) -> None:
    click.get_current_context().obj = engine


main = _Program(
    "minion-queue",
    callback=_group,
    params=[_engine_option()],
    help=_HELP,
    no_args_is_help=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)


def _version(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value and not context.resilient_parsing:
        from minionize.console import write
        from minionize.version import __version__

        write(f"minion-queue {__version__}\n")
        context.exit()


main.params.append(
    click.Option(
        ["--version"], is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Print the version."
    )
)


@_command
@click.argument("files", nargs=-1, metavar="[FILE]...", type=click.Path())
@click.option("--csv", "as_csv", is_flag=True, help="A table: each row is a mapping by the names in its first line.")
@click.option("-0", "--null", is_flag=True, help="Params end with a NUL byte, not a line end.")
@click.option("--sweep", multiple=True, metavar="NAME=VALUES", help="All combinations: x=1:10 y=a,b z=log:1e-3:1:7.")
@click.option("--from", "joblog", metavar="JOBLOG", help="What failed, by a joblog of GNU parallel.")
@click.option("--command", metavar="LINE", help="With --from: what parallel ran, {} for the param; only that is put.")
@click.option("--dry-run", is_flag=True, help="Print what would be put; put nothing.")
def fill(**options: Any) -> str:
    """Put params in: the lines of FILEs, or of standard input.

    With --json a line is a JSON value, and the answer is JSON too. A sweep directory holds each param once: what is
    in it already, done or not, is not put again.
    """
    return "fill"


@_command
@_dead_option()
def status(**options: Any) -> str:
    """Tell how much is ready, in flight, dead and done.

    Where the queue knows, also which minion holds how much.
    """
    return "look"


@_command
@click.option("-n", "count", type=click.IntRange(0), default=10, show_default=True, help="How many; 0: all.")
def peek(**options: Any) -> str:
    """Show ready params without taking them.

    With --json, one on each line, as `fill --json` reads them.
    """
    return "look"


@_command
@_dead_option()
@_cause_option()
@click.option("-n", "count", type=click.IntRange(0), default=0, help="How many; all if it is not given.")
@click.option("--summary", is_flag=True, help="How many of each cause.")
def dead(**options: Any) -> str:
    """Show the dead params with their evidence.

    With --json one on each line: id, param, cause, reason, at, evidence.
    """
    return "look"


@_command
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--all", "everything", is_flag=True, help="All that are dead.")
@_cause_option()
@_dead_option()
def requeue(**options: Any) -> str:
    """Make dead params ready again, by ID, cause, or all."""
    return "change"


@_command
@click.argument("settings", nargs=-1, metavar="[VARIABLE=VALUE]...")
@click.option("--to", required=True, metavar="ENGINE", help="Into which queue.", shell_complete=_engines)
def copy(**options: Any) -> str:
    """Copy the ready params into another queue.

    This one stays as it is.
    VARIABLE=VALUE are settings of the other queue, over what the environment and .minionize.yml say:
    minion-queue copy --to file FILE_PATH=params.txt
    """
    return "change"


@_command
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def purge(**options: Any) -> str:
    """Throw away what is ready.

    What is in flight, done or dead stays.
    """
    return "change"


main.commands["fill"].epilog = _VALUES
