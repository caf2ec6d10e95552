"""``--show-config``: every setting, its value and where it came from. Secrets are masked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from minionize.console import printable
from minionize.errors import MinionizeError
from minionize.plugins import load_engine, load_reporter
from minionize.quoting import shell_line
from minionize.setting import Setting
from minionize.settings import SETTINGS, Settings, masked

__all__ = ["show_config"]


def show_config(settings: Settings, command: Sequence[str]) -> str:
    """Write a table of all settings, the engine's and the reporter's own among them.

    Args:
        settings: What the user set.
        command: COMMAND on the command line; empty if there is none.
    """
    rows = [*_command(settings, command), *_own(settings)]
    rows += _of_owner("engine", settings)
    rows += _of_owner("reporter", settings)
    rows += [(f"env.{name}", "(set)", ".minionize.yml") for name in settings.env]
    first, second = (max(len(row[column]) for row in rows) for column in (0, 1))
    second = min(second, 40)
    return "".join(f"{name:<{first}}  {value:<{second}}  {source}\n" for name, value, source in rows)


def _command(settings: Settings, command: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    if command:
        yield "command", shell_line(command), "command line"
    else:
        yield "command", shell_line(settings.command), ".minionize.yml" if settings.command else "default"


def _own(settings: Settings) -> Iterator[tuple[str, str, str]]:
    for setting in SETTINGS:
        yield setting.key, _shown(setting, settings.values[setting.key]), printable(settings.sources[setting.key])


def _of_owner(kind: str, settings: Settings) -> Iterator[tuple[str, str, str]]:
    name = settings.values[kind]
    if name is None:
        return
    try:
        owner = load_engine(name) if kind == "engine" else load_reporter(name)
        for found in settings.explain(owner.name, owner.settings):
            value = _shown(found.setting, found.value)
            yield f"{name}.{found.setting.key}", value, printable(found.source)
    except MinionizeError as error:
        yield name, "", printable(f"error: {error}")


def _shown(setting: Setting, value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return printable(masked(setting, value)) or "-"
