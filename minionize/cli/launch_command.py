"""What the command line of a minion that is to be launched says. It is only read: it goes on as it was given."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

import click

from minionize.cli.options import parameters
from minionize.errors import SettingsError

__all__ = ["program_of", "read_options"]


def read_options(words: Sequence[str]) -> dict[str, Any]:
    """Return the options of ``minionize`` in a command line, by key, and its ``command``.

    In front of ``minionize`` there may be anything that starts it: ``srun``, ``apptainer exec IMAGE``, ``python -m``.

    Raises:
        SettingsError: No word of it is minionize, or an option of minionize is wrong.
    """
    at = next((place for place, word in enumerate(words) if PurePath(word).name == "minionize"), None)
    if at is None:
        raise SettingsError(f"-- {words[0]} ...: it does not call minionize; put minionize in front of it")
    command = click.Command(
        "minionize", params=parameters(), add_help_option=False, context_settings={"allow_interspersed_args": False}
    )
    try:
        given = command.make_context("minionize", list(words[at + 1 :])).params
    except click.UsageError as error:
        message = error.format_message().rstrip(".")
        raise SettingsError(f"-- minionize: {message[:1].lower()}{message[1:]}") from None
    return {key: value for key, value in given.items() if value not in (None, ())}


def program_of(said: Mapping[str, Any]) -> str:
    """Return the name of what a minion runs, or nothing where that stands elsewhere."""
    if said.get("command"):
        return re.split(r"\s", PurePath(said["command"][0]).name.strip() or "run")[0]
    return str(said.get("function", ""))
