"""The container engines, an entry each: the scheme of ``--container`` -> module and class, imported when chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minionize.errors import SettingsError
from minionize.names import did_you_mean

if TYPE_CHECKING:
    from minionize.containers.kind import Kind

__all__ = ["KINDS", "load_kind"]

KINDS = {
    "docker": "minionize.containers.docker:Docker",
    "podman": "minionize.containers.podman:Podman",
    "apptainer": "minionize.containers.apptainer:Apptainer",
    "singularity": "minionize.containers.apptainer:Singularity",
    "charliecloud": "minionize.containers.charliecloud:Charliecloud",
}


def load_kind(scheme: str) -> type[Kind]:
    """Import a container engine.

    Raises:
        SettingsError: There is none of that name.
    """
    from importlib import import_module

    if scheme not in KINDS:
        raise SettingsError(f"--container: no container engine {scheme!r}{did_you_mean(scheme, KINDS)}")
    module, _, name = KINDS[scheme].partition(":")
    found: type[Kind] = getattr(import_module(module), name)
    return found
