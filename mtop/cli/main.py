"""``mtop``: the command, and who does what it asks for. Nothing is imported before it is needed."""

from __future__ import annotations

import gc
from typing import Any

import click

from minionize.cli.border import BorderedCommand
from minionize.errors import SettingsError
from mtop.cli.help import EXAMPLES, FILTERS, HEAD
from mtop.cli.options import SECTIONS, parameters

__all__ = ["main"]

_PROGRAM = "mtop"
_FORMS = ("once", "json", "csv")


class _Command(BorderedCommand):
    """A command whose options stand under headings."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, and what else is to be known."""
        from mtop.columns import COLUMNS
        from mtop.once.health import Health

        sections = [(title, [option.get_help_record(ctx) for option in options]) for title, options in SECTIONS]
        sections[-1][1].append(self.get_help_option(ctx).get_help_record(ctx))  # type: ignore[union-attr]
        for title, records in sections:
            _section(formatter, title, [record for record in records if record])
        _section(formatter, "Filters", FILTERS)
        with formatter.section("Columns"):
            formatter.write_text(" ".join(column.key for column in COLUMNS))
        _section(formatter, "Exit status of --once, --json, --csv", [(str(int(each)), each.meaning) for each in Health])
        with formatter.section("Examples"):
            formatter.write("".join(f"  {line}\n" for line in EXAMPLES.splitlines()))


def _section(formatter: click.HelpFormatter, title: str, rows: Any) -> None:
    with formatter.section(title):
        formatter.write_dl(list(rows))


def _run(**given: Any) -> int:
    if given["version"]:
        from minionize.console import write
        from minionize.version import __version__

        write(f"{_PROGRAM} {__version__}\n")
        return 0
    _check(given)
    if any(given[form] for form in _FORMS):
        return _without_screen(given)
    if given["serve"]:
        from mtop.cli.browser import browser

        return browser(given, main.params)
    from mtop.cli.screen import screen

    return screen(given)


def _without_screen(given: dict[str, Any]) -> int:
    # What is imported is no garbage, and looking for it takes a tenth of the start.
    gc.disable()
    try:
        from mtop.cli.plain import plain

        return plain(given)
    finally:
        gc.enable()


main = _Command(
    _PROGRAM,
    params=parameters(),
    work=_run,
    help=HEAD,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)


def _check(given: dict[str, Any]) -> None:
    """Refuse what does not go together.

    Raises:
        SettingsError: It does not; the message says what to leave out.
    """
    forms = [f"--{form}" for form in _FORMS if given[form]]
    sources = [f"--{name}" for name in ("demo", "replay") if given[name] is not None]
    real = ["-r"] * bool(given["registries"]) + ["URL"] * bool(given["urls"])
    if given["json"] and given["csv"]:
        raise SettingsError("--json, --csv: give one of them")
    if given["delay"] is not None and forms and (given["csv"] or given["once"] or not given["json"]):
        raise SettingsError(f"-d: {forms[0]} looks once; --json -d {given['delay']:g} writes a line each time")
    if given["delay"] is not None and forms and given["replay"] is not None:
        raise SettingsError("-d: --replay looks at the end; leave it out")
    if sources and sources + real != sources[:1]:
        raise SettingsError(f"{', '.join(sources + real)}: give one of them")
    if given["token_file"] is not None and not given["urls"]:
        raise SettingsError("--token-file is for minions at URLs; those in a registry have their tokens there")
    for name in ("record", "serve"):
        if given[name] is not None and forms:
            raise SettingsError(f"--{name} is for the screen; leave out {forms[0]}")
    if given["record"] is not None and (given["serve"] or given["replay"]):
        other = "--serve" if given["serve"] else "--replay"
        raise SettingsError(f"--record, {other}: give one of them")
