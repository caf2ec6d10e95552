"""Apptainer, and Singularity, which it was before: images are files, and programs run as who starts them.

Either name does for both: where there is only the other one's program, that is run.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import ClassVar

from minionize.callback import Command, Meaning
from minionize.child import find_program
from minionize.containers.client import (
    SHELL,
    Answer,
    ask,
    find_client,
    is_there,
    killed,
    plain_image,
    plain_variables,
    plain_volumes,
)
from minionize.containers.container import Container
from minionize.containers.kind import Kind
from minionize.errors import CallbackError, SettingsError
from minionize.task import Task

__all__ = ["Apptainer", "Singularity"]


# URIs without slashes, of what is on this host.
_ARCHIVES = ("docker-archive:", "docker-daemon:", "oci-archive:", "oci:")


class Apptainer(Kind):
    """Runs ``apptainer exec``: all processes of a run are the minion's descendants, and end with their init."""

    name: ClassVar[str] = "apptainer"
    program: ClassVar[str] = "apptainer"
    package: ClassVar[str] = "apptainer"
    other: ClassVar[str] = "singularity"

    def __init__(self, container: Container) -> None:
        """Keep the container.

        Raises:
            SettingsError: Apptainer cannot do what is asked for.
        """
        super().__init__(container)
        plain_image(container)
        plain_variables(container, self.name)
        plain_volumes(container, self.name, ",:\\")
        self._is_file = "://" not in container.image and not container.image.startswith(_ARCHIVES)
        self._program = self.program
        if container.user is not None:
            raise SettingsError(f"--user: {self.name} runs programs as the user who starts the minion")
        if "HOME" in container.env:
            raise SettingsError(f"--env HOME: {self.name} sets it itself; put it before COMMAND: env HOME=/work ...")
        if container.gpus is not None and container.gpus.isdecimal():
            raise SettingsError(f"--gpus {container.gpus}: {self.name} takes all, or which: device=0,1")
        if self._is_file and container.pull == "always":
            raise SettingsError(f"--pull always: {container.image} is a file, which is never fetched")
        if "://" in container.image and container.pull == "never":
            raise SettingsError(
                f"--pull never: {container.image} is not on this host; fetch it ({self.program} pull image.sif "
                f"{container.image}), then --container {self.name}://./image.sif"
            )
        self._shell: tuple[str, ...] = ()

    def check(self, environ: Mapping[str, str]) -> None:
        """Run nothing in such a container, which finds what is wrong, and fetches the image.

        Raises:
            CallbackError: Apptainer or the image is missing, or an option cannot be met.
        """
        self._program = self._find(environ)
        image = self.container.image
        if self._is_file and not os.path.exists(image):
            raise CallbackError(f"`{image}`: no such file or directory; make it: {self.program} pull {image} URI")
        command = self._wrap(("/bin/sh", "-c", ":"), Command(()))
        answer = ask(command.argv, {**environ, **command.env})
        if answer.code == 0:
            self._shell = SHELL
        # The program is looked for at last.
        elif "/bin/sh" not in answer.err:
            raise CallbackError(f"{self._program} cannot run {image}: {_fatal(answer)}")

    def _find(self, environ: Mapping[str, str]) -> str:
        for program in (self.program, self.other):
            with suppress(OSError):
                find_program(program, environ.get("PATH", os.defpath))
                return program
        find_client(self.program, f"install {self.package}, or load its module", environ)
        return self.program

    def wrap(self, command: Command, task: Task) -> Command:
        """Turn a command into ``apptainer exec``."""
        return self._wrap((*self._shell, *command.argv), command)

    def _wrap(self, words: tuple[str, ...], command: Command) -> Command:
        argv = (self._program, "exec", *self._options(), self.container.image, *words)
        # Those of the minion come inside as all of the host's do; a prefix puts a variable above the image's.
        inside = {**self._which_gpus(), **self.container.env, **command.env}
        prefix = self._program.upper()
        env = {f"{prefix}ENV_{name}": value for name, value in inside.items()}
        # By a variable, not an option: versions that evaluate values in a shell whatever one says have neither.
        return replace(command, argv=argv, env={f"{prefix}_NO_EVAL": "true", **env})

    def _options(self) -> Iterator[str]:
        container = self.container
        # With an init of its own, whose end is the end of all.
        yield "--pid"
        for volume in container.volumes:
            yield from ("--bind", f"{volume.source}:{volume.target}" + ":ro" * volume.readonly)
        for option, value in (
            ("--pwd", container.workdir),
            ("--cpus", None if container.cpus is None else f"{container.cpus:g}"),
            ("--memory", container.memory),
        ):
            if value is not None:
                yield from (option, str(value))
        if container.network not in (None, "host"):
            yield from ("--net", "--network", str(container.network))
        if container.gpus is not None:
            yield "--nv"

    def _which_gpus(self) -> dict[str, str]:
        which = self.container.gpus or "all"
        return {} if which == "all" else {"CUDA_VISIBLE_DEVICES": which.removeprefix("device=")}

    def meaning(self, code: int | None, number: int | None) -> Meaning | None:
        """Tell what may have been Apptainer's own failure: it has no exit code that a program cannot have too.

        It is that for certain where the image is there no more.
        """
        if code == 255 and self._is_file and not is_there(self.container.image):
            return Meaning(f"exit code 255: the image is gone: {self.container.image}", True)
        if code == 255:
            return Meaning(
                f"exit code 255: the program's, or {self._program} could not run it: then standard error says FATAL",
                False,
            )
        return Meaning(killed(self.container), False) if code == 137 else None


class Singularity(Apptainer):
    """The same, by the program ``singularity``."""

    name = "singularity"
    program = "singularity"
    package = "singularity"
    other = "apptainer"


def _fatal(answer: Answer) -> str:
    """The first line that says FATAL; mostly that is the error, and the rest its usage."""
    lines = [line.strip() for line in answer.err.splitlines()]
    return next((line for line in lines if line.startswith(("FATAL", "Error"))), answer.last)
