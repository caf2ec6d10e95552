"""Completion in the shell: ``eval "$(_MINIONIZE_COMPLETE=bash_source minionize)"``."""

from __future__ import annotations

import os

import click
from click.shell_completion import CompletionItem

__all__ = ["command_words", "names", "paths"]


def paths(incomplete: str) -> list[CompletionItem]:
    """Leave it to the shell to complete a path."""
    return [CompletionItem(incomplete, type="file")]


def names(kind: str, incomplete: str) -> list[CompletionItem]:
    """Complete the name of an engine or a reporter."""
    from minionize.names import known

    return [CompletionItem(name) for name in known(kind) if name.startswith(incomplete)]


def command_words(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete COMMAND by the programs of PATH and by paths; what is behind it, the program's own, by paths."""
    found: set[str] = set()
    if incomplete and "/" not in incomplete and not context.params.get("command"):
        for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
            try:
                found.update(name for name in os.listdir(folder or ".") if name.startswith(incomplete))
            except OSError:
                continue
    return [*map(CompletionItem, sorted(found)), *paths(incomplete)]
