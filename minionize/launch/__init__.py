"""Starting minions: one file for each scheduler. ``launcher.py`` is the contract."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from minionize.launch.launcher import Launcher

__all__ = ["SCHEDULERS", "load_launcher"]

SCHEDULERS = {
    "oar": "Oar",
    "slurm": "Slurm",
    "k8s": "Kubernetes",
    "ssh": "Ssh",
}
"""Name of each scheduler, which is that of its file, and its class there."""


def load_launcher(name: str) -> type[Launcher]:
    """Return the launcher of a scheduler in ``SCHEDULERS``."""
    found: type[Launcher] = getattr(import_module(f"minionize.launch.{name}"), SCHEDULERS[name])
    return found
