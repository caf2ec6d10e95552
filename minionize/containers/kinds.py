"""The container engines, an entry each: the scheme of ``--container`` -> what is imported when it is chosen."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from minionize.errors import SettingsError
from minionize.names import did_you_mean

if TYPE_CHECKING:
    from minionize.callback import Callback
    from minionize.containers.kind import Kind

__all__ = ["KINDS", "load_kind"]


class Entry(NamedTuple):
    """Where the two classes of a container engine are, as MODULE:NAME.

    Attributes:
        kind: The engine.
        callback: What runs a callback's commands on it; mostly as processes of its client.
    """

    kind: str
    callback: str = "minionize.callbacks.container:ContainerCallback"


KINDS = {
    "docker": Entry("minionize.containers.docker:Docker", "minionize.callbacks.docker:DockerCommand"),
    "podman": Entry("minionize.containers.podman:Podman"),
    "apptainer": Entry("minionize.containers.apptainer:Apptainer"),
    "singularity": Entry("minionize.containers.apptainer:Singularity"),
    "charliecloud": Entry("minionize.containers.charliecloud:Charliecloud"),
}


def load_kind(scheme: str) -> tuple[type[Kind], Callable[[Callback, Kind], Callback]]:
    """Import a container engine, and the callback that runs commands on it.

    Raises:
        SettingsError: There is none of that name.
    """
    if scheme not in KINDS:
        raise SettingsError(f"--container: no container engine {scheme!r}{did_you_mean(scheme, KINDS)}")
    entry = KINDS[scheme]
    return _load(entry.kind), _load(entry.callback)


def _load(path: str) -> Any:
    from importlib import import_module

    module, _, name = path.partition(":")
    return getattr(import_module(module), name)
