"""What mtop needs beyond minionize is an extra; who has not installed it is told so."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from minionize.errors import SettingsError

__all__ = ["needed"]


def needed(module: str) -> Any:
    """Import a part of mtop.

    Raises:
        SettingsError: What it needs is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as missing:
        name = (missing.name or "").partition(".")[0]
        if name in ("", "mtop", "minionize"):
            raise
        raise SettingsError(f"{name} is not installed; pip install 'minionize[mtop]'") from missing
