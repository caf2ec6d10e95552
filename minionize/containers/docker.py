"""Docker: what a container is like, as keyword arguments of the docker library and as a command line."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from minionize.callback import LONGEST_VARIABLE, Command
from minionize.containers import dockerclient
from minionize.containers.container import container_name, labels
from minionize.containers.kind import Kind
from minionize.containers.runline import gpu_option, run_line
from minionize.task import Task, param_text

__all__ = ["Docker", "completed", "is_text", "line_of", "removal", "variables"]

_OURS = ("detach", "stream", "stdout", "stderr", "remove", "auto_remove")
"""Keyword arguments of ``containers.run`` that say how it is called, not what is run."""


class Docker(Kind):
    """Docker, by its library; the command line is for people."""

    name = "docker"
    program = "docker"
    package = "docker.io"

    def check(self, environ: Mapping[str, str]) -> None:
        """See whether engine and image are there; remove containers that dead minions have left here.

        Raises:
            CallbackError: They are not.
        """
        dockerclient.check(self.container.image, self.container.pull, environ)

    def wrap(self, command: Command, task: Task) -> Command:
        """Turn a command into the command line that runs it in a container."""
        return run_line(self.program, self.container, command, task, self._more())

    def line(self, command: Command, task: Task) -> Command:
        """The same for people: without labels."""
        return run_line(self.program, self.container, command, task, self._more(), labelled=False)

    def _more(self) -> tuple[str, ...]:
        gpus = self.container.gpus
        return () if gpus is None else ("--gpus", gpu_option(gpus))

    def kwargs(self, command: Command) -> dict[str, Any]:
        """Turn a command into keyword arguments of ``containers.create``."""
        container = self.container
        kwargs: dict[str, Any] = {
            "command": list(command.argv),
            "environment": {**container.env, **command.env},
            "stdin_open": command.stdin is not None,
            "user": container.user,
            "working_dir": container.workdir,
            "network_mode": container.network,
            "nano_cpus": None if container.cpus is None else round(container.cpus * 1e9),
            "mem_limit": container.memory,
            # The same again: no swap beside it, so that the limit is one.
            "memswap_limit": container.memory,
            "mounts": self._mounts(),
            "device_requests": self._device_requests(),
        }
        return {name: value for name, value in kwargs.items() if value not in (None, [], {}, False)}

    def _mounts(self) -> list[Any]:
        if not self.container.volumes:
            return []
        from docker.types import Mount

        return [
            Mount(each.target, each.source, "bind" if each.source.startswith("/") else "volume", each.readonly)
            for each in self.container.volumes
        ]

    def _device_requests(self) -> list[Any]:
        gpus = self.container.gpus
        if gpus is None:
            return []
        from docker.types import DeviceRequest

        if gpus.startswith("device="):
            ids = gpus.removeprefix("device=").split(",")
            return [DeviceRequest(device_ids=ids, capabilities=[["gpu"]])]
        return [DeviceRequest(count=-1 if gpus == "all" else int(gpus), capabilities=[["gpu"]])]

    def removal(self, minion: str, slot: int | None = None) -> tuple[str, ...]:
        """Tell the command line that ends and removes containers."""
        return removal(minion, slot)


def removal(minion: str, slot: int | None = None) -> tuple[str, ...]:
    """Tell the command line that ends and removes the containers of a minion, or of one of its slots."""
    # -P: a docker.py in the working directory is not the library.
    words = (sys.executable, "-P", "-m", "minionize.containers.remove", "docker", minion)
    return words if slot is None else (*words, str(slot))


def variables(task: Task) -> dict[str, str]:
    """Tell a run what any run is told by its environment; a param that is too big is left out."""
    found = {
        "MINION_ID": task.minion,
        "MINION_PARAM": param_text(task.param),
        "MINION_PARAM_ID": task.id,
        "MINION_ATTEMPT": str(task.attempt or 1),
        "MINION_SLOT": str(task.slot),
    }
    text = found["MINION_PARAM"]
    if "\0" in text or not is_text(text) or len(text.encode()) > LONGEST_VARIABLE:
        del found["MINION_PARAM"]
    return found


def is_text(text: str) -> bool:
    """Whether Docker can be told it: its API speaks JSON, which has no form for bytes that are no UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def completed(kwargs: Mapping[str, Any], task: Task) -> dict[str, Any]:
    """Add to keyword arguments of ``containers.run`` what every run's container has.

    Args:
        kwargs: What is wanted: it wins, but for the labels of ours.
        task: The run.
    """
    from docker.types import LogConfig

    wanted = {str(name): value for name, value in kwargs.items() if name not in _OURS}
    return {
        "name": container_name(task),
        "init": True,
        # The output comes through our hands; kept by the engine too, it would fill its disk.
        "log_config": LogConfig(type="none"),
        **wanted,
        # A variable without a value is one that is not set; a label without one is empty.
        "environment": {**variables(task), **_mapping(wanted.get("environment"), None)},
        "labels": {**_mapping(wanted.get("labels"), ""), **labels(task)},
    }


def _mapping(value: Any, nothing: str | None) -> dict[str, Any]:
    """Make a mapping of what docker takes as one: a mapping, NAME=VALUE or NAME, a list of such, or nothing."""
    if isinstance(value, Mapping):
        return dict(value)
    words = [value] if isinstance(value, str) else value or ()
    cut = (str(word).partition("=") for word in words)
    return {name: rest if equals else nothing for name, equals, rest in cut}


def line_of(image: str, kwargs: Mapping[str, Any]) -> tuple[str, ...]:
    """Write keyword arguments as a command line, for the evidence: name, image and command."""
    command = kwargs.get("command") or ()
    words = (command,) if isinstance(command, str) else tuple(map(str, command))
    return ("docker", "run", "--rm", "--name", str(kwargs["name"]), image, *words)
