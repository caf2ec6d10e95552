"""``--container ENGINE://IMAGE`` -> a callback that runs COMMAND in containers."""

from __future__ import annotations

import os

from minionize.callback import Callback
from minionize.containers.container import Container
from minionize.containers.kinds import load_kind
from minionize.containers.parse import Volume, environment
from minionize.settings import Settings

__all__ = ["in_container"]


def in_container(callback: Callback, settings: Settings) -> Callback:
    """Wrap a callback that tells commands into one that runs them in containers.

    Args:
        callback: Tells the command.
        settings: What the user set.

    Raises:
        SettingsError: There is no such container engine, or it cannot do what is asked for.
        CallbackError: What it needs is not installed.
    """
    values = settings.values
    scheme, image = values["container"]
    container = Container(
        image,
        pull=values["pull"],
        volumes=tuple(map(_located, values["volumes"] or ())),
        # What ``env`` of .minionize.yml sets is for each run, wherever that is.
        env={**settings.env, **environment(values["container_env"] or {}, settings.environ)},
        user=values["user"],
        workdir=values["workdir"],
        network=values["network"],
        cpus=values["cpus"],
        memory=values["memory"],
        gpus=values["gpus"],
    )
    kind, runs = load_kind(scheme)
    return runs(callback, kind(container))


def _located(volume: Volume) -> Volume:
    """Make a path of the host absolute; a name without a slash is a named volume."""
    source = os.path.expanduser(volume.source)
    if "/" in source or source.startswith("."):
        source = os.path.abspath(source)
    return volume._replace(source=source)
