"""Names: which engines, reporters and registries there are, and what a misspelt one was meant to be. Imports none."""

from __future__ import annotations

import os
from collections.abc import Iterable

__all__ = ["builtin", "did_you_mean", "known", "nearest"]


def builtin(kind: str) -> list[str]:
    """Return the built-in names of a kind ("engines", "reporters", "registries"): one file each."""
    folder = os.path.join(os.path.dirname(__file__), kind)
    return sorted(name[:-3] for name in os.listdir(folder) if name.endswith(".py") and not name.startswith("_"))


def known(kind: str) -> list[str]:
    """Return all names of a kind: the built-in ones, and those that installed packages add by entry points."""
    from importlib.metadata import entry_points

    added = {entry.name for entry in entry_points(group=f"minionize.{kind}")}
    return sorted(added.union(builtin(kind)))


def nearest(word: str, valid: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Return what comes nearest to a misspelt word, or None where nothing is near."""
    from difflib import get_close_matches

    lower = {each.lower(): each for each in valid}
    found = get_close_matches(word.lower(), lower, n=1, cutoff=cutoff)
    return lower[found[0]] if found else None


def did_you_mean(word: str, valid: Iterable[str]) -> str:
    """Return "; did you mean X?", or the valid words where none is near."""
    choices = sorted(valid)
    near = nearest(word, choices)
    return f"; did you mean {near}?" if near else f"; known are {', '.join(choices) or 'none'}"
