"""Runs a param in a container of Docker, by the docker library: subclass DockerCallback and write ``to_kwargs``."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from types import FunctionType
from typing import TYPE_CHECKING, Any

from minionize.callback import Callback, Command, Context, DefaultCallback, Meaning, ProgramError
from minionize.containers import docker, dockerclient
from minionize.containers.docker import Docker
from minionize.errors import CallbackError
from minionize.task import Param, Task, param_text

if TYPE_CHECKING:
    from minionize.containers.dockerrun import Job

__all__ = ["DockerCallback", "DockerCommand"]


class DockerCallback(DefaultCallback):
    """Runs a container for each param; exit code 0 is success.

    Attributes:
        image: The image.
        pull: When it is fetched: "missing", "always" or "never".
    """

    pull = "missing"
    _client: Any = None
    _owner = 0
    _context: str | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Take a ``to_kwargs(param)`` that was written without ``self``."""
        super().__init_subclass__(**kwargs)
        own = cls.__dict__.get("to_kwargs")
        if isinstance(own, FunctionType) and own.__code__.co_argcount == 1:
            cls.to_kwargs = staticmethod(own)  # type: ignore[method-assign]

    def __init__(self, image: str) -> None:
        """Connects to nothing yet.

        Args:
            image: The image.
        """
        self.image = image

    @property
    def client(self) -> Any:
        """The client of the docker library; each process has one of its own.

        Raises:
            CallbackError: The library or the engine is not there.
        """
        if self._client is None or self._owner != os.getpid():
            if self._context is not None:
                # Which one is in use may have changed since; this process ends with the minion.
                os.environ["DOCKER_CONTEXT"] = self._context
            self._client, self._owner = dockerclient.connect(), os.getpid()
        return self._client

    def to_kwargs(self, param: Param) -> Mapping[str, Any]:
        """Tell the keyword arguments of ``client.containers.run`` for a param: command, environment, volumes, ...

        Returns:
            By default the param itself.
        """
        if not isinstance(param, Mapping):
            words = param_text(param)[:80]
            raise ProgramError(f"the param is no mapping of keyword arguments for docker's containers.run: {words}")
        return param

    @property
    def title(self) -> str:
        """The image."""
        return f"docker://{self.image}"

    @property
    def in_child(self) -> bool:
        """Always: who waits for a container can be told to end it."""
        return True

    def check(self, environ: Mapping[str, str]) -> None:
        """See whether engine and image are there; remove containers that dead minions have left here.

        Raises:
            CallbackError: They are not.
        """
        dockerclient.check(self.image, self.pull, environ)
        self._context = dockerclient.context(environ)

    def process(self, param: Param, context: Context) -> Any:
        """Run the container and wait for its end; its output goes to stdout and stderr.

        Raises:
            ProgramError: The program failed.
            CallbackError: The engine cannot run it.
        """
        from minionize.containers.dockerrun import run

        job = self._job(param, context)
        for stream in (sys.stdout, sys.stderr):
            # The user's code may have closed or replaced them.
            with suppress(OSError, ValueError, AttributeError):
                stream.flush()
        run(self.client, job, context)

    def _job(self, param: Param, context: Context) -> Job:
        from minionize.containers.dockerrun import Job, bad_options

        wanted = self.to_kwargs(param)
        of_param = getattr(self.to_kwargs, "__func__", None) is DockerCallback.to_kwargs
        try:
            kwargs = docker.completed(wanted, context.task)
            context.argv = docker.line_of(self.image, kwargs)
        except (TypeError, ValueError, AttributeError) as error:
            if not of_param:  # a fault in the user's code, with its traceback
                raise
            raise bad_options(error) from error
        return Job(self.image, kwargs, self.pull, None, of_param, of_param)

    def removal(self, minion: str, slot: int | None = None) -> tuple[str, ...]:
        """Tell the command line that ends and removes containers."""
        words = docker.removal(minion, slot)
        return words if self._context is None else ("/usr/bin/env", f"DOCKER_CONTEXT={self._context}", *words)


class DockerCommand(DockerCallback):
    """Runs the commands of another callback in containers: ``--container docker://IMAGE``."""

    def __init__(self, inner: Callback, kind: Docker) -> None:
        """Wrap a callback.

        Args:
            inner: Tells the command that is run inside.
            kind: Knows what the container is like.
        """
        super().__init__(kind.container.image)
        self.pull = kind.container.pull
        self._inner, self._kind = inner, kind

    @property
    def title(self) -> str:
        """What is run, and in which image."""
        return f"{self._inner.title} in docker://{self.image}"

    def command(self, param: Param, task: Task) -> Command | None:
        """Tell the equivalent command line, to read and to paste.

        Raises:
            ValueError: This param cannot be turned into a command.
        """
        command = self._inner.command(param, task)
        return None if command is None else self._kind.line(command, task)

    def meaning(self, code: int | None, number: int | None) -> Meaning | None:
        """Tell the end of the process that waits for a container: nothing of the user's runs in it."""
        end = f"exited with code {code}" if number is None else f"was ended by signal {number}"
        return Meaning(f"the process that waits for the container {end}", True)

    def _job(self, param: Param, context: Context) -> Job:
        try:
            command = self._inner.command(param, context.task)
        except ValueError as error:
            raise ProgramError(str(error)) from error
        if command is None:
            raise CallbackError(f"{type(self._inner).__name__}.command() gave no command")
        context.argv = self._kind.line(command, context.task).argv
        if not all(map(docker.is_text, command.argv)):
            raise ProgramError("the param holds bytes that are no UTF-8, which Docker does not take; use --stdin")
        from minionize.containers.dockerrun import Job

        kwargs = docker.completed(self._kind.kwargs(command), context.task)
        return Job(self.image, kwargs, self.pull, command.stdin, program_is_param=command.program_is_param)
