"""``minion-status``: what the records of minions say, while they run and afterwards."""

from __future__ import annotations

import gc
import os
import sys
import time
from typing import TYPE_CHECKING, Any

import click

from minionize.cli.border import BorderedCommand
from minionize.console import say, write
from minionize.errors import ExitCode, SettingsError
from minionize.task import OutcomeKind

if TYPE_CHECKING:
    from minionize.status.filters import Filter
    from minionize.status.show import Form
    from minionize.status.wire import Status

__all__ = ["main"]

_PROGRAM = "minion-status"
_EVERY = 2.0

_HELP = """\
Sum up the records that minions have written: outcomes, causes of failures, rates, durations, hosts, jobs, minions.

PLACE is a directory of the json reporter, a file of --results (JSON Lines or CSV), or a report of minionize 0.3.4.
Without one it is the directory that REPORTER_JSON_DIRECTORY, .env or .minionize.yml set, or ./minion-report. The
minions may still be running: what they are writing just now is read the next time.

TIME is an age (10m, 2h, 3d), a time of today (14:30), or a date (2026-11-22T14:30).
"""


def _options() -> list[click.Parameter]:
    outcomes = [kind.value for kind in OutcomeKind]
    return [
        click.Argument(["places"], nargs=-1, metavar="[PLACE]...", type=click.Path()),
        click.Option(["--json"], is_flag=True, help="Write the summary as one line of JSON."),
        click.Option(["--csv"], is_flag=True, help="Write a table: a row for each minion."),
        click.Option(["--html"], metavar="FILE", type=click.Path(), help="Write a page with plots; needs no network."),
        click.Option(
            ["--watch"],
            is_flag=False,
            flag_value=str(_EVERY),
            metavar="[SECONDS]",
            help=f"Read what is new every {_EVERY:g} seconds, until Ctrl-C.",
        ),
        click.Option(["--since"], metavar="TIME", help="Count only what ended then or later."),
        click.Option(["--until"], metavar="TIME", help="Count only what ended before."),
        click.Option(["--host"], multiple=True, metavar="NAME", help="Count only this host; * stands for anything."),
        click.Option(["--outcome"], multiple=True, type=click.Choice(outcomes), help="Count only this outcome."),
        click.Option(["--version"], is_flag=True, help="Print the version."),
    ]


def _run(**given: Any) -> int:
    if given["version"]:
        from minionize.version import __version__

        write(f"{_PROGRAM} {__version__}\n")
        return ExitCode.OK
    from minionize.status.show import Form

    form = Form(given["json"], given["csv"], given["html"])
    if sum(map(bool, form)) > 1:
        raise SettingsError("--json, --csv, --html: give one of them")
    places, every = _watch(given["watch"], list(given["places"]))
    if every is not None and form.csv:
        raise SettingsError("--csv is one table; with --watch take --json, a line for each state")
    return _show(places or [_default_place()], _filter(given), form, every)


main = BorderedCommand(
    _PROGRAM,
    params=_options(),
    work=_run,
    help=_HELP,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _watch(words: str | None, places: list[str]) -> tuple[list[str], float | None]:
    """Tell a time from a PLACE that stands behind ``--watch``."""
    from minionize.setting import seconds

    if words is None:
        return places, None
    try:
        every = seconds(words)
    except ValueError:
        if words[:1].isdigit() and not os.path.exists(words):
            raise SettingsError(f"--watch {words}: not a number of seconds, and no such file or directory") from None
        return [words, *places], _EVERY
    return places, max(every, 0.1)


def _default_place() -> str:
    from minionize.reporters.json import JsonReporter
    from minionize.settings import here, load

    settings = load({}, os.environ, here())
    return str(settings.for_owner(JsonReporter.name, JsonReporter.settings)["directory"])


def _filter(given: dict[str, Any]) -> Filter:
    from minionize.status.filters import Filter, moment

    limits: dict[str, float] = {}
    for name in ("since", "until"):
        if given[name] is not None:
            try:
                limits[name] = moment(given[name], time.time())
            except ValueError as error:
                raise SettingsError(f"--{name}: {error}") from None
    return Filter(**limits, hosts=given["host"], outcomes=given["outcome"])


def _show(places: list[str], chosen: Filter, form: Form, every: float | None) -> int:
    from minionize.status.progress import Progress
    from minionize.status.session import Session
    from minionize.status.show import show, show_again

    progress = Progress(sys.stderr, time.monotonic)
    session = Session(places, chosen, _say, progress.tell)
    # What has been imported stays, and runs make no cycles: there is little for the garbage collector to look at.
    gc.freeze()

    def status(steps: int) -> Status:
        try:
            return session.status(time.time(), steps)
        finally:
            progress.end()

    if every is None:
        show(status, form, _say)
    else:
        show_again(status, form, every)
    return ExitCode.OK


def _say(words: str) -> None:
    say(words, _PROGRAM)


if __name__ == "__main__":
    main()
