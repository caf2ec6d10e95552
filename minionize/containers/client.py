"""The client of a container engine: whether it is here, and what it says before any param is taken."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Mapping
from typing import NamedTuple

from minionize.child import find_program
from minionize.containers.container import Container, in_words
from minionize.errors import CallbackError, SettingsError

__all__ = [
    "NO_PROGRAM",
    "SHELL",
    "Answer",
    "ask",
    "find_client",
    "is_there",
    "killed",
    "plain_image",
    "plain_variables",
    "plain_volumes",
]

NO_PROGRAM = "/minionize/no-such-program"
"""A program that no image has. An engine that only misses that can do all else that it was asked for."""

SHELL = ("/bin/sh", "-c", 'exec "$@"', "sh")
"""Goes before a program in an image, where the engine has no exit code of its own for one that is missing."""


class Answer(NamedTuple):
    """What a client said.

    Attributes:
        code: Its exit code; minus the signal that ended it.
        out: Its standard output.
        err: Its standard error.
    """

    code: int
    out: str
    err: str

    @property
    def last(self) -> str:
        """The last line of its standard error; mostly that is the error."""
        lines = [line.strip() for line in self.err.splitlines() if line.strip()]
        return lines[-1].removeprefix("Error: ") if lines else f"exit code {self.code}"


def find_client(program: str, remedy: str, environ: Mapping[str, str]) -> None:
    """See whether a client is installed.

    Args:
        program: Its name.
        remedy: What to do if it is not.
        environ: Where PATH is.

    Raises:
        CallbackError: It is not, or cannot be executed.
    """
    try:
        find_program(program, environ.get("PATH", os.defpath))
    except OSError as error:
        raise CallbackError(f"`{program}`: {error.strerror}; {remedy}") from None


def is_there(path: str) -> bool:
    """Tell whether an image that is a file or a directory is there; what is mounted no more leaves an empty one."""
    try:
        with os.scandir(path) as entries:
            return any(True for _ in entries)
    except OSError as error:
        # All else says nothing: a file is no directory, one without the right to list it may be run, ...
        return error.errno not in (errno.ENOENT, errno.ENOTCONN, errno.ESTALE, errno.ENODEV)


def ask(argv: tuple[str, ...], environ: Mapping[str, str]) -> Answer:
    """Run a client to its end.

    Args:
        argv: Program and arguments.
        environ: Its environment.

    Raises:
        CallbackError: It cannot be started.
    """
    try:
        done = subprocess.run(argv, env=dict(environ), stdin=subprocess.DEVNULL, capture_output=True, check=False)
    except OSError as error:
        raise CallbackError(f"`{argv[0]}`: {error.strerror}") from None
    return Answer(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))


def killed(container: Container) -> str:
    """Say what exit code 137 means, which nobody here asked for: for certain nobody can tell that it was the memory."""
    if container.memory is None:
        return "exit code 137: killed by SIGKILL, as where this host has no more memory"
    return f"most likely out of memory: its limit is {in_words(container.memory)} (exit code 137: killed by SIGKILL)"


def plain_image(container: Container) -> None:
    """Refuse an image that a client would take for an option.

    Raises:
        SettingsError: It is one.
    """
    if container.image.startswith("-"):
        raise SettingsError(f"--container: no image can be named {container.image!r}; a file is written ./FILE")


def plain_variables(container: Container, engine: str) -> None:
    """Refuse variables that the shell in front of the program forgets.

    Raises:
        SettingsError: The name of one has a dot.
    """
    for name in container.env:
        if "." in name:
            raise SettingsError(f"--env {name}: not with {engine}; put it before COMMAND: env {name}=VALUE ...")


def plain_volumes(container: Container, engine: str, unfit: str) -> None:
    """Refuse volumes where an engine knows none but directories and files.

    Args:
        container: Has the volumes.
        engine: Its name, for the message.
        unfit: Characters that no path may have, for they would divide it.

    Raises:
        SettingsError: A volume has a name instead of a path, or a path that cannot be written.
    """
    for volume in container.volumes:
        if "/" not in volume.source:
            raise SettingsError(f"--volume {volume.source}: {engine} has no named volumes; a path is written ./NAME")
        for path in volume.source, volume.target:
            if any(each in path for each in unfit):
                raise SettingsError(f"--volume {path}: {engine} cannot mount a path with one of {unfit!r} in it")
