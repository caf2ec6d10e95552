"""The table of settings -> click options. Option values go on to the settings as they were written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import click
from click.shell_completion import CompletionItem

from minionize.cli.completion import command_words, names, paths
from minionize.setting import Setting
from minionize.table import GROUPS

__all__ = ["GROUPED", "OPTIONS", "Entry", "parameters"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One option, as ``--help`` shows it.

    Attributes:
        key: What its value is called.
        flags: Its names; a negation of a switch among them.
        help: One sentence.
        metavar: What stands for its value; "" makes a switch of it.
        variable: The environment variable of the same meaning, or "".
        default: What to show as its default, or "".
        choices: The words it takes, where they are few.
        many: It may be given several times.
    """

    key: str
    flags: tuple[str, ...]
    help: str
    metavar: str = ""
    variable: str = ""
    default: str = ""
    choices: tuple[str, ...] = ()
    many: bool = False


def _entry(setting: Setting) -> Entry:
    default = setting.default
    if isinstance(default, frozenset):
        default = ",".join(map(str, sorted(default)))
    hidden = default is None or isinstance(default, bool) or default == ""
    shown = "" if hidden else f"{default:g}" if isinstance(default, float) else str(default)
    return Entry(
        setting.key, setting.flags, setting.help, setting.metavar, setting.env, shown, setting.choices, setting.many
    )


_NULL = Entry("FILE_NULL", ("-0", "--null"), "Params of a file end with a NUL byte, not a line end.", "", "FILE_NULL")

_INSTEAD = (
    Entry("why", ("--why",), "Say why this minion would be idle now; take no param."),
    Entry("healthy", ("--healthy",), "Ask the minion at --host and --port whether it works; 1 if not."),
    Entry("show_config", ("--show-config",), "Print every setting and where it comes from."),
    Entry("version", ("--version",), "Print the version."),
    Entry("help", ("-h", "--help"), "Print this."),
)

GROUPED: tuple[tuple[str, tuple[Entry, ...]], ...] = tuple(
    (
        title,
        (
            *map(_entry, settings),
            *((_NULL,) if any(setting.key == "engine" for setting in settings) else ()),
            *(_INSTEAD if any(setting.key == "dry_run" for setting in settings) else ()),
        ),
    )
    for title, settings in GROUPS
)

OPTIONS: tuple[Entry, ...] = tuple(entry for _, entries in GROUPED for entry in entries)


def parameters() -> list[click.Parameter]:
    """Make click's parameters: all options, and the command with everything behind it."""
    command = click.Argument(
        ["command"], nargs=-1, type=click.UNPROCESSED, metavar="COMMAND [ARG]...", shell_complete=command_words
    )
    return [*map(_option, OPTIONS), command]


def _option(entry: Entry) -> click.Option:
    if entry.metavar:
        complete = _completion(entry)
        return click.Option(
            [*entry.flags, entry.key],
            default=None,
            multiple=entry.many,
            shell_complete=complete,
            metavar=entry.metavar,
        )
    negations = [flag for flag in entry.flags if flag.startswith("--no-")]
    if not negations and entry.variable:
        # Not shown: only to overrule a variable or a file.
        negations = [f"--no-{max(entry.flags, key=len)[2:]}"]
    # The table would have "-0/--no-null" for it, so click gets the negation behind the longest name.
    names = [flag for flag in entry.flags if flag not in negations]
    names[-1] = "/".join([names[-1], *negations])
    return click.Option([*names, entry.key], is_flag=True, default=None)


def _completion(entry: Entry) -> Callable[[click.Context, click.Parameter, str], list[CompletionItem]]:
    def complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
        if entry.key in ("engine", "reporter"):
            return names(f"{entry.key}s", incomplete)
        if entry.metavar == "PATH":
            return paths(incomplete)
        return [CompletionItem(word) for word in entry.choices if word.startswith(incomplete)]

    return complete
