"""One run as a container of a Docker engine, by the docker library: made, attached to, started, awaited, removed."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

from minionize.callback import Context, ProgramError
from minionize.console import say
from minionize.containers import dockerclient
from minionize.containers.client import NO_PROGRAM
from minionize.containers.container import in_words
from minionize.containers.dockerclient import faults, words_of
from minionize.containers.dockerend import End
from minionize.containers.dockerstream import Output, attached, feed
from minionize.containers.termination import Termination
from minionize.errors import CallbackError

__all__ = ["Job", "bad_options", "run"]

# What docker's init says of a program that it cannot start, and what runc says, where there is no init.
_INIT = re.compile(rb"\[FATAL tini \(\d+\)\] exec (.*) failed: (.+)\n")
_RUNC = re.compile(r'exec: "([^"]+)": (.+?)(?:: unknown)?$')
_NOT_THERE = ("no such file", "not found")
_INIT_CODES = (1, 126, 127)
_CANNOT_START = (126, 127)
_SIGNAL = 128


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be run.

    Attributes:
        image: The image.
        kwargs: Keyword arguments of ``containers.create``, the command among them.
        pull: What to do where the image has gone: "missing", "always" or "never".
        stdin: Bytes for standard input; None: none.
        options_are_param: The keyword arguments come from the param, so that it is to blame for them.
        program_is_param: The program does.
    """

    image: str
    kwargs: Mapping[str, Any]
    pull: str = "missing"
    stdin: bytes | None = None
    options_are_param: bool = False
    program_is_param: bool = False


def run(client: Any, job: Job, context: Context) -> None:
    """Run a container to its end; what it prints goes to descriptors 1 and 2.

    Args:
        client: Of the docker library.
        job: What to run.
        context: Is told the exit code.

    Raises:
        ProgramError: The program failed, or the param's options cannot be used.
        CallbackError: No param can be run here: the engine is gone, or does not take the options.
    """
    where = dockerclient.place()
    with Termination() as termination:
        container = _create(client, job, where)
        try:
            output = Output()
            end, code = _follow(client, container, job, output, termination, where)
            # Without a code by which the minion would stop.
            context.exit_code = None if job.program_is_param and code in _CANNOT_START else code
            if code:
                with faults(where):
                    state = _state(client, container.id)
                    # Whatever the code: a program may take the TERM of an engine that is being stopped, and exit.
                    if not state.get("OOMKilled"):
                        end.knock(where)
                _fail(code, state, output, container, job)
        except _NoProgramError as error:
            context.exit_code = None if job.program_is_param else error.code
            _no_program(error, job)
        finally:
            _remove(client, container.id, where)


class _NoProgramError(Exception):
    """The program cannot be started."""

    def __init__(self, program: str, why: str) -> None:
        super().__init__(f"`{program}`: {why}")
        self.code = 127 if any(words in why.lower() for words in _NOT_THERE) else 126


def _no_program(error: _NoProgramError, job: Job) -> None:
    if job.program_is_param:
        raise ProgramError(f"{error}, in image {job.image}") from None
    raise CallbackError(f"{error}, in image {job.image}; a program of this host is seen inside by --volume") from None


def _remove(client: Any, id: str, where: str) -> None:
    try:
        with faults(where):
            dockerclient.remove_all(client, [id])
    except CallbackError as error:
        # What became of the run is known, and stands.
        say(f"container {id[:12]} is not removed: {error}; the next minion on this host tries again")


@contextmanager
def _to_blame(client: Any, job: Job) -> Iterator[None]:
    """Where the options come from the param, what the engine or its library says of them is the param's fault."""
    from docker.errors import APIError, DockerException

    try:
        yield
    except APIError as error:
        # Bad options are answered with 500 too, as is what a host cannot do any more.
        if job.options_are_param and (error.is_client_error() or _runs_without_options(client, job)):
            raise ProgramError(f"the Docker engine refuses the param: {words_of(error)}") from error
        raise
    except (DockerException, TypeError, ValueError, LookupError, AttributeError) as error:
        if dockerclient.is_of_connection(error):
            raise
        raise bad_options(error, ProgramError if job.options_are_param else CallbackError) from error


def _runs_without_options(client: Any, job: Job) -> bool:
    """Whether this host can run the image: nothing is run in a container that has no options."""
    from docker.errors import APIError

    plain = {"entrypoint": [NO_PROGRAM], "network_mode": "none", "init": True, "labels": job.kwargs["labels"]}
    try:
        id = client.containers.create(job.image, **plain).id
        try:
            client.api.start(id)
        finally:
            dockerclient.remove_all(client, [id])
    except APIError:
        return False
    return True


def bad_options(error: Exception, kind: type[Exception] = ProgramError) -> Exception:
    """Make the error that says what the docker library, or Python in it, says of keyword arguments.

    Args:
        error: From there.
        kind: Of the error: whose fault it is.
    """
    words = f"{type(error).__name__}: {error}" if isinstance(error, (LookupError, AttributeError)) else str(error)
    return kind(f"no keyword arguments for a container: {words}")


def _create(client: Any, job: Job, where: str) -> Any:
    from docker.errors import ImageNotFound

    with faults(where), _to_blame(client, job):
        with suppress(ImageNotFound):
            return client.containers.create(job.image, **job.kwargs)
        # It was there, or was fetched, before any param was taken; but not for each platform.
        _fetch(client, job)
        return client.containers.create(job.image, **job.kwargs)


def _fetch(client: Any, job: Job) -> None:
    platform = job.kwargs.get("platform")
    try:
        dockerclient.fetch(client, job.image, job.pull, platform)
    except CallbackError as error:
        if platform is None or not job.options_are_param:
            raise
        raise ProgramError(f"{error} (for the platform {platform} of the param)") from error


class _Ended(NamedTuple):
    end: End
    code: int


def _follow(client: Any, container: Any, job: Job, output: Output, termination: Termination, where: str) -> _Ended:
    """Start a container and wait for its end."""
    with ExitStack() as stack:
        with faults(where):
            output_of = stack.enter_context(attached(client, container.id, stdout=1, stderr=1))
            end = stack.enter_context(closing(End(client, container.id)))
            if job.stdin is not None:
                # By a connection of its own, for not every kind of connection can be closed by half.
                input_of = stack.enter_context(attached(client, container.id, stdin=1))
                stack.enter_context(feed(input_of, job.stdin))
        if termination.wanted:
            raise ProgramError("it was to end before its container had started")
        with faults(where):
            _start(client, container, job)
        version = client.api.api_version
        termination.begun(lambda: _terminate(container.id, version))
        output.copy(output_of, bool(job.kwargs.get("tty")))
        with faults(where):
            told = end.told()
    if (told.get("Error") or {}).get("Message"):
        raise CallbackError(f"the Docker engine at {where} says: {told['Error']['Message']}")
    if output.lost is not None:
        raise CallbackError(f"the Docker engine at {where} has cut off the output: {output.lost}")
    return _Ended(end, int(told["StatusCode"]))


def _start(client: Any, container: Any, job: Job) -> None:
    from docker.errors import APIError

    try:
        with _to_blame(client, job):
            client.api.start(container.id)
    except (APIError, ProgramError) as error:
        if found := _RUNC.search(words_of(error) if isinstance(error, APIError) else str(error)):
            raise _NoProgramError(found[1], found[2]) from error
        raise


def _terminate(id: str, version: str) -> None:
    """Send TERM into a container, by a client of its own: that of the run is in use."""
    # It may have ended, or the engine: the run will hear of both.
    with suppress(CallbackError), closing(dockerclient.connect(version=version)) as client, faults(""):
        client.api.kill(id, "SIGTERM")


def _state(client: Any, id: str) -> Mapping[str, Any]:
    from docker.errors import NotFound

    try:
        state: Mapping[str, Any] = client.api.inspect_container(id)["State"]
    except NotFound:  # somebody has removed it
        return {}
    return state


def _fail(code: int, state: Mapping[str, Any], output: Output, container: Any, job: Job) -> None:
    """Say why a run failed.

    Raises:
        ProgramError: Always, unless the program could not be started.
    """
    said = _INIT.fullmatch(output.stderr)
    if said and code in _INIT_CODES and not output.stdout_bytes and job.kwargs.get("init"):
        raise _NoProgramError(said[1].decode(errors="replace"), said[2].decode(errors="replace"))
    limit = container.attrs["HostConfig"].get("Memory") or 0
    if state.get("OOMKilled"):
        of = f"its limit is {in_words(limit)}" if limit else "this host has no more"
        raise ProgramError(f"out of memory: {of} (exit code {code})")
    words = _exit(code)
    if code in _CANNOT_START:
        words += f": {_first(job)} found {'nothing to run' if code == 127 else 'something that cannot be run'}"
    if code == _SIGNAL + signal.SIGKILL and limit:
        words += f"; its memory was limited to {in_words(limit)}"
    raise ProgramError(words)


def _first(job: Job) -> str:
    command = job.kwargs.get("command") or job.image
    return command if isinstance(command, str) else str(command[0])


def _exit(code: int) -> str:
    try:
        return f"exit code {code} ({signal.Signals(code - _SIGNAL).name})"
    except ValueError:
        return f"exit code {code}"
