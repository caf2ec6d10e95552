"""CONTRACT of the container engines: one file each, found by the scheme of ``--container``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from minionize.callback import Command, Meaning
from minionize.containers.container import Container
from minionize.errors import SettingsError
from minionize.task import Task

__all__ = ["Kind"]


class Kind(ABC):
    """One container engine, and the container that it is to run.

    Attributes:
        name: Its scheme.
        program: Its client.
        package: What to install where the client is missing.
        relabels: Whether it can change the SELinux labels of volumes.
        container: What every run's container is like.
    """

    name: ClassVar[str]
    program: ClassVar[str]
    package: ClassVar[str]
    relabels: ClassVar[bool] = False

    def __init__(self, container: Container) -> None:
        """Keep the container.

        Raises:
            SettingsError: This engine cannot do what is asked for.
        """
        for volume in container.volumes:
            if volume.relabel and not self.relabels:
                raise SettingsError(
                    f"--volume {volume}: {self.name} cannot relabel by :{volume.relabel}, only podman can; do it once: "
                    f"chcon -Rt container_file_t {volume.source}"
                )
        self.container = container

    @abstractmethod
    def check(self, environ: Mapping[str, str]) -> None:
        """See to it that containers can be run: client, engine and image; remove what dead minions left here.

        Args:
            environ: The variables that the client will see.

        Raises:
            CallbackError: They cannot.
        """

    @abstractmethod
    def wrap(self, command: Command, task: Task) -> Command:
        """Turn a command into the one that runs it in a container."""

    def meaning(self, code: int | None, number: int | None) -> Meaning | None:
        """As ``Callback.meaning``, of the client's process."""
        return None

    def removal(self, minion: str, slot: int | None = None) -> tuple[str, ...]:
        """As ``Callback.removal``."""
        return ()
