"""``minion-launch``: start minions on a cluster, or show with what they would be started."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

import click

from minionize.cli.border import guarded
from minionize.console import say, write
from minionize.errors import ExitCode, SettingsError
from minionize.launch import SCHEDULERS, load_launcher
from minionize.launch.times import walltime
from minionize.setting import Setting, integer, text

if TYPE_CHECKING:
    from minionize.launch.launcher import Launcher

__all__ = ["COMMON", "main"]

_PROGRAM = "minion-launch"

_HELP = """\
Start minions on a cluster, or write with what to start them.

Without --submit, --list or --stop the script or manifest is printed, and nothing is started. Everything behind -- is
the command line of a minion, and is passed on untouched.

\b
Examples:
  minion-launch oar -n 10 --walltime 2h -- minionize -j auto ./a.out
  minion-launch slurm -n 10 --walltime 2h --submit -- minionize ./a.out
  minion-launch k8s -n 4 --image registry/me/app:1 --env MINION_ENGINE=redis \\
      --env REDIS_URL=redis://db:6379/0 --env REDIS_STREAM=jobs -- minionize ./a.out
  minion-launch ssh --hosts hosts.txt -n 2 --submit -- minionize ./a.out
  minion-launch slurm --list --name minions-a.out
"""

COMMON = (
    Setting("minions", "", integer(1), 1, "How many; on hosts reached by ssh, on each.", ("-n", "--minions"), "N"),
    Setting("name", "", text, None, "What they are called. Default: minions-PROGRAM.", ("--name",), "NAME"),
    Setting("walltime", "", walltime, None, "For how long at most: 2h, 90m, 1:30:00.", ("--walltime",), "TIME"),
    Setting(
        "env",
        "",
        text,
        (),
        "A variable of theirs. NAME alone: as it is set here.",
        ("--env",),
        "NAME[=VALUE]",
        many=True,
    ),
)

_ACTS = {
    "dry-run": "Print the script or manifest, and start nothing: so it is without any of these.",
    "submit": "Start them.",
    "list": "List what there is of them.",
    "stop": "Stop them: they give back what they hold.",
}


class _Program(click.Group):
    """The schedulers. What a command does is done outside of click."""

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any) -> NoReturn:  # type: ignore[override]
        """Parse, run, and exit."""
        extra["standalone_mode"] = False
        words = sys.argv[1:] if args is None else list(args)

        def work() -> int:
            chosen = super(_Program, self).main(words, _PROGRAM, **extra)
            return chosen((_PROGRAM, *words)) if callable(chosen) else chosen or 0

        flags = [flag for name in words[:1] if name in SCHEDULERS for flag in _flags(name)]
        sys.exit(guarded(_PROGRAM, work, flags))

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the schedulers."""
        return list(SCHEDULERS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Make the command of a scheduler; imports only that."""
        return _command(cmd_name) if cmd_name in SCHEDULERS else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command; of a misspelt one say what it was meant to be."""
        if args and args[0] not in SCHEDULERS:
            from minionize.names import did_you_mean

            ctx.fail(f"no scheduler {args[0]!r}{did_you_mean(args[0], SCHEDULERS)}")
        return super().resolve_command(ctx, args)


def _flags(name: str) -> list[str]:
    return [flag for setting in (*COMMON, *load_launcher(name).options) for flag in setting.flags] + [
        f"--{act}" for act in _ACTS
    ]


def _command(name: str) -> click.Command:
    kind = load_launcher(name)
    words = click.Argument(["command"], nargs=-1, type=click.UNPROCESSED, metavar="-- minionize [ARG]...")
    acts = [click.Option([f"--{act}"], is_flag=True, help=help) for act, help in _ACTS.items()]
    return click.Command(
        name,
        callback=lambda **given: partial(_run, kind, given),
        params=[*map(_option, (*COMMON, *kind.options)), *acts, words],
        help=kind.help,
        context_settings={"allow_interspersed_args": False},
    )


def _option(setting: Setting) -> click.Option:
    help, default = setting.help, setting.default
    if default not in (None, "", ()) and not isinstance(default, bool):
        help += f"  [default: {default}]"
    if setting.metavar:
        return click.Option(
            [*setting.flags, setting.key], default=None, multiple=setting.many, metavar=setting.metavar, help=help
        )
    return click.Option(["/".join(setting.flags), setting.key], is_flag=True, default=None, help=help)


def _run(kind: type[Launcher], given: dict[str, Any], line: tuple[str, ...]) -> int:
    """Do what the command line asks for; return the exit code."""
    acts = [act for act in _ACTS if given.pop(act.replace("-", "_"))]
    if len(acts) > 1:
        raise SettingsError(f"--{' and --'.join(acts)}: give one of them")
    act = acts[0] if acts and acts != ["dry-run"] else "render"
    launcher = _launcher(kind, given, line, act in ("render", "submit"))
    if act == "list":
        for each in launcher.started():
            write(f"{each.id}\t{each.state}\t{each.where}\n")
    else:
        write(getattr(launcher, act)())
    return ExitCode.OK


def _launcher(kind: type[Launcher], given: dict[str, Any], line: tuple[str, ...], runs: bool) -> Launcher:
    from minionize.cli.launch_command import program_of, read_options
    from minionize.launch.launcher import Fleet
    from minionize.launch.variables import is_secret, read_variables
    from minionize.settings import here, load

    common = {each.key: _parsed(each, given.pop(each.key)) for each in COMMON}
    words = tuple(given.pop("command"))
    if words[:1] == ("--",):
        raise SettingsError("the command line of a minion begins with --: give -- once, and minionize behind it")
    if not words and (runs or common["name"] is None):
        raise SettingsError(
            "which minions? Put their command line behind --: -- minionize [OPTIONS] COMMAND [ARG]..."
            + ("" if runs else "; or give --name NAME")
        )
    said = read_options(words) if words else {}
    if any(is_secret("", word) for word in words):
        say("note: the command holds a password, and whoever reads the script sees it; --env is for that", _PROGRAM)
    # Standard input is no queue here. The environment is that over .env.
    cwd = here()
    environ = load({}, os.environ, cwd, stdin=-1).environ
    fleet = Fleet(
        name=common["name"] or kind.fit(f"minions-{program_of(said)}"),
        minions=common["minions"],
        command=words,
        said=said,
        env=read_variables(common["env"], environ, elsewhere=bool(given.get("secret"))),
        walltime=common["walltime"],
        line=tuple(word for word in line if word != "--submit"),
        cwd=cwd,
        environ=environ,
    )
    declared = {each.key: each for each in kind.options}
    values = {key: _parsed(declared[key], value) for key, value in given.items() if value not in (None, ())}
    return kind(fleet, **values)


def _parsed(setting: Setting, value: Any) -> Any:
    if value in (None, ()):
        return setting.default
    parsed = []
    for each in value if setting.many else [value]:
        try:
            parsed.append(setting.parse(each))
        except ValueError as error:
            raise SettingsError(f"{max(setting.flags, key=len)} {each!r}: {error}") from None
    return tuple(parsed) if setting.many else parsed[0]


def _version(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value and not context.resilient_parsing:
        from minionize.version import __version__

        write(f"{_PROGRAM} {__version__}\n")
        context.exit()


main = _Program(
    _PROGRAM,
    params=[
        click.Option(
            ["--version"], is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Print the version."
        )
    ],
    help=_HELP,
    no_args_is_help=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
