"""Writes what the code already knows: tables of the documentation, files of deploy/; ``./check fix`` runs it.

A page marks the place::

    <!-- table: exit-codes -->
    ...
    <!-- /table -->

``python -m docs.tables`` brings all pages up to date; ``--check`` only says whether they are. The tests check.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from docs import http_tables, launch_tables, mtop_tables
from minionize.cli.help import help_text
from minionize.errors import ExitCode
from minionize.plugins import engine_names, load_engine, load_reporter, reporter_names
from minionize.setting import Setting
from minionize.settings import SETTINGS

ROOT = Path(__file__).resolve().parent.parent
MARK = re.compile(r"(?P<begin><!-- table: (?P<name>[\w-]+) -->\n).*?(?P<end><!-- /table -->)", re.DOTALL)


def pages() -> list[Path]:
    """Every page that may hold a table."""
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def render(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Write a Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def code(text: object) -> str:
    """Write code; nothing for nothing."""
    return f"`{text}`" if text not in (None, "") else ""


def exit_codes() -> str:
    """What the exit status of minionize means."""
    return render(
        ("exit code", "meaning"),
        ((f"{int(each)}+N" if each is ExitCode.SIGNAL else int(each), each.meaning) for each in ExitCode),
    )


def default_of(setting: Setting) -> str:
    """Write a setting's default as a user would."""
    if setting.default is None or setting.default == "":
        return "must be set" if setting.mandatory else ""
    if isinstance(setting.default, bool):
        return "yes" if setting.default else "no"
    if isinstance(setting.default, frozenset | tuple | list):
        return code(",".join(str(each) for each in sorted(setting.default)))
    return code(f"{setting.default:g}" if isinstance(setting.default, float) else setting.default)


def option(setting: Setting) -> str:
    """Write a setting's options, with the words to choose from."""
    words = " or ".join(map(code, setting.choices))
    return f"{', '.join(map(code, setting.flags))} {words}".strip()


def settings_of(table: Iterable[Setting]) -> str:
    """Write one table of settings."""
    return render(
        ("option", "variable", "key", "default", "meaning"),
        ((option(each), code(each.env), code(each.key), default_of(each), each.help) for each in table),
    )


def settings() -> str:
    """The minion's own settings."""
    return settings_of(SETTINGS)


def engine_settings() -> str:
    """The settings of each engine that has some."""
    return by_owner("engine", ((name, load_engine(name).settings) for name in engine_names()))


def reporter_settings() -> str:
    """The settings of each reporter that has some."""
    return by_owner("reporter", ((name, load_reporter(name).settings) for name in reporter_names()))


def by_owner(kind: str, tables: Iterable[tuple[str, tuple[Setting, ...]]]) -> str:
    """Write the tables of several owners, each under its heading."""
    return "\n".join(f"### {kind} `{name}`\n\n{settings_of(table)}" for name, table in tables if table)


def delivery_contract() -> str:
    """What each engine promises, from its features."""
    features = {name: load_engine(name).features for name in sorted(engine_names())}
    yes: Callable[[bool], str] = {True: "yes", False: "no"}.__getitem__
    columns: list[tuple[str, Callable[[Any], str]]] = [
        ("a param is done when", lambda each: each.ack),
        ("lease", lambda each: each.lease),
        ("a lease is renewed by", lambda each: each.renewal),
        ("after SIGKILL of its minion a param goes to", lambda each: each.redelivery),
        ("counts attempts", lambda each: yes(each.attempts)),
        ("counts runs that died with their minion", lambda each: yes(each.attempts and each.crashes)),
        ("holds a retry back for its delay", lambda each: yes(each.nack_delay)),
        ("keeps dead params", lambda each: yes(each.dead_letter)),
        ("backlog", lambda each: each.backlog),
        ("several minions share it", lambda each: yes(each.shared)),
        (
            "a minion that lost its lease can still settle",
            lambda each: "" if each.lease == "none" else yes(not each.fenced),
        ),
        ("any minion gets any ready param", lambda each: "" if not each.shared else yes(each.spread)),
        ("params come in order", lambda each: yes(each.ordered)),
        ("can end", lambda each: yes(each.finite)),
        ("`peek` leaves no trace", lambda each: yes(each.browse)),
    ]
    rows = ([code(name), *(cell(each) for _, cell in columns)] for name, each in features.items())
    return render(["engine", *(title for title, _ in columns)], rows)


def command_line() -> str:
    """What ``minionize --help`` prints."""
    return f"```text\n{help_text(100).rstrip()}\n```\n"


def example_engine() -> str:
    """The code of the example engine."""
    return f"```python\n{(ROOT / 'examples' / 'sqlite_engine.py').read_text()}```\n"


def mtop_help() -> str:
    """What ``mtop --help`` prints."""
    return f"```text\n{mtop_tables.help_text().rstrip()}\n```\n"


def http(table: Iterator[Sequence[Any]]) -> str:
    """Write one table of the HTTP API, of mtop, or of minion-launch."""
    return render(next(table), table)


TABLES: dict[str, Callable[[], str]] = {
    "command-line": command_line,
    "delivery-contract": delivery_contract,
    "engine-settings": engine_settings,
    "example-engine": example_engine,
    "exit-codes": exit_codes,
    "http-failures": lambda: http(http_tables.fields("Failures")),
    "http-metrics": lambda: http(http_tables.exported()),
    "http-problems": lambda: http(http_tables.problems()),
    "http-routes": lambda: http(http_tables.routes()),
    "http-stats": lambda: http(http_tables.fields("Stats")),
    "http-tasks": lambda: http(http_tables.fields("Task")),
    "launch-common": lambda: http(launch_tables.common()),
    "launch-k8s": lambda: http(launch_tables.of_scheduler("k8s")),
    "launch-oar": lambda: http(launch_tables.of_scheduler("oar")),
    "launch-schedulers": lambda: http(launch_tables.schedulers()),
    "launch-slurm": lambda: http(launch_tables.of_scheduler("slurm")),
    "launch-ssh": lambda: http(launch_tables.of_scheduler("ssh")),
    "launch-triggers": lambda: http(launch_tables.triggers()),
    "mtop-answer": lambda: http(mtop_tables.answer()),
    "mtop-columns": lambda: http(mtop_tables.columns()),
    "mtop-exit-status": lambda: http(mtop_tables.exit_status()),
    "mtop-help": mtop_help,
    "mtop-keys": lambda: http(mtop_tables.keys()),
    "mtop-meters": lambda: http(mtop_tables.meters()),
    "mtop-other-keys": lambda: http(mtop_tables.other_keys()),
    "reporter-settings": reporter_settings,
    "settings": settings,
}


def updated(page: str) -> str:
    """Return a page with its tables as they should be."""
    return MARK.sub(lambda found: f"{found['begin']}\n{TABLES[found['name']]()}\n{found['end']}", page)


def wanted() -> Iterator[tuple[Path, str]]:
    """Every page with its tables, and every file of deploy/ that minion-launch writes, as they should be."""
    yield from ((path, updated(path.read_text())) for path in pages() if path.exists())
    yield from ((ROOT / "deploy" / name, launch_tables.written(line)) for name, line in launch_tables.FILES.items())


def main(arguments: Sequence[str]) -> int:
    """Bring the pages up to date, or tell which are not."""
    stale = [(path, text) for path, text in wanted() if not path.exists() or path.read_text() != text]
    for path, text in stale:
        print(f"{'out of date' if '--check' in arguments else 'updated'}: {path.relative_to(ROOT)}")
        if "--check" not in arguments:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            path.chmod(0o755 if text.startswith("#!") else 0o644)
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
