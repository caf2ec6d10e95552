"""A Docker engine by the docker library: connecting, images, what dead minions left, and faults in words."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from typing import Any

from minionize.console import say
from minionize.containers.container import LABEL, left_behind
from minionize.errors import CallbackError
from minionize.urls import shown

__all__ = [
    "check",
    "connect",
    "context",
    "faults",
    "fetch",
    "is_of_connection",
    "place",
    "remove",
    "remove_all",
    "words_of",
]

# A request to make a container, sent by a process that is no more, may be fulfilled a moment later.
_LATE = 0.2
_PATIENCE = 20.0
# So long an engine that is restarted may be away: its containers may outlive that.
_AWAY = 10.0
_NO_GPUS = "; for GPUs it needs the NVIDIA Container Toolkit on its host"
_NO_SSH = (
    "engines are not reached by ssh; forward the engine's socket (ssh -NL /tmp/docker.sock:/var/run/docker.sock HOST), "
    "and set DOCKER_HOST=unix:///tmp/docker.sock"
)


def context(environ: Mapping[str, str]) -> str | None:
    """Tell which docker context names the engine, as for docker's own client; None where DOCKER_HOST does.

    Args:
        environ: The variables that tell.
    """
    if environ.get("DOCKER_HOST"):
        return None
    from docker.context.config import get_current_context_name

    return str(environ.get("DOCKER_CONTEXT") or get_current_context_name())


def _engine(environ: Mapping[str, str]) -> dict[str, Any]:
    """Tell an engine's address, and its certificates where a context has them, as the docker library wants them.

    Raises:
        CallbackError: There is no such context.
    """
    name = context(environ)
    if name is None:
        return {"base_url": environ["DOCKER_HOST"]}
    from docker.context import ContextAPI

    try:
        its = ContextAPI.get_context(name)
    except Exception as error:  # the library raises just that for a file that it cannot read
        raise CallbackError(f"docker context {name}: {error}") from error
    if its is None or not its.Host:
        raise CallbackError(f"there is no docker context {name}; which there are: docker context ls")
    return {"base_url": its.Host, **({"tls": its.TLSConfig} if its.TLSConfig else {})}


def place(environ: Mapping[str, str] | None = None) -> str:
    """Tell where the engine is, for messages.

    Args:
        environ: The variables that tell; None: those of this process.

    Raises:
        CallbackError: There is no such context.
    """
    return shown(_engine(os.environ if environ is None else environ)["base_url"])


def connect(environ: Mapping[str, str] | None = None, version: str | None = None) -> Any:
    """Make a client of the docker library.

    Args:
        environ: Where DOCKER_HOST, DOCKER_CONTEXT and the like stand; None: the variables of this process.
        version: Of the API, where it is known; None: the engine is asked.

    Raises:
        CallbackError: The library or the engine is not there.
    """
    try:
        import docker
    except ImportError as error:
        raise CallbackError("containers of docker need its library: pip install 'minionize[docker]'") from error
    environ = os.environ if environ is None else environ
    engine, name = _engine(environ), context(environ)
    where = shown(engine["base_url"])
    if where.startswith("ssh://"):
        raise CallbackError(
            f"{f'DOCKER_HOST={where}' if name is None else f'docker context {name}: {where}'}: {_NO_SSH}"
        )
    try:
        return docker.DockerClient(version=version, **{**engine, **docker.utils.kwargs_from_env(dict(environ))})
    except (docker.errors.DockerException, ValueError, OSError) as error:
        remedy = _remedy(error, where, name)
        raise CallbackError(f"no Docker engine answers at {where}: {_root(error)}{remedy}") from error


def _chain(error: BaseException) -> list[BaseException]:
    """List an error and what it was wrapped around, the innermost first."""
    chain = [error]
    while (deeper := chain[-1].__cause__ or chain[-1].__context__) is not None:
        chain.append(deeper)
    return chain[::-1]


def is_of_connection(error: BaseException) -> bool:
    """Whether an error of the docker library comes from the connection to the engine, not from what it was told."""
    from urllib3.exceptions import HTTPError

    # Those of requests are OSErrors too.
    return any(isinstance(each, (OSError, HTTPError)) for each in _chain(error))


def _root(error: BaseException) -> str:
    """Say the error of the system that others were wrapped around, without their words."""
    for each in _chain(error):
        if isinstance(each, OSError) and each.strerror:
            return each.strerror
    return "the connection was lost" if is_of_connection(error) else str(error) or type(error).__name__


def _remedy(error: BaseException, where: str, name: str | None) -> str:
    if "Permission" in _root(error):
        return "; join the group docker (usermod -aG docker USER), or let DOCKER_HOST name an engine of your own"
    if where.startswith("unix://"):
        return "; start it (systemctl start docker), or let DOCKER_HOST or a docker context name the one to use"
    return f"; {'DOCKER_HOST' if name is None else f'docker context {name}'} names it"


def words_of(error: Any) -> str:
    """Say what an engine has answered, in one line."""
    return " ".join(str(error.explanation or error).split())


@contextmanager
def faults(where: str) -> Iterator[None]:
    """Turn errors of the docker library into CallbackError: what the engine refuses, and that it is gone.

    Args:
        where: Its place, for the message.

    Raises:
        CallbackError: One of them came.
    """
    from docker.errors import APIError, DockerException
    from requests import RequestException
    from urllib3.exceptions import HTTPError

    try:
        yield
    except APIError as error:
        words = words_of(error)
        remedy = _NO_GPUS if "could not select device driver" in words else ""
        raise CallbackError(f"the Docker engine at {where} says: {words}{remedy}") from error
    except (DockerException, RequestException, HTTPError, OSError) as error:
        gone = f"the Docker engine at {where} is gone" if is_of_connection(error) else "the docker library says"
        raise CallbackError(f"{gone}: {_root(error)}") from error


def check(image: str, pull: str, environ: Mapping[str, str]) -> None:
    """See to it that containers of an image can be run, and remove what dead minions of this host have left.

    Args:
        image: Its name.
        pull: "missing", "always" or "never".
        environ: Where DOCKER_HOST and the like stand.

    Raises:
        CallbackError: They cannot.
    """
    with closing(connect(environ)) as client, faults(place(environ)):
        found = client.api.containers(all=True, filters={"label": f"{LABEL}.process"})
        here = place(environ).startswith("unix://")
        left = list(left_behind({each["Id"]: each["Labels"] for each in found}, here))
        remove_all(client, left)
        if left:
            say(f"removed {len(left)} container{'s' * (len(left) > 1)} that dead minions left here")
        if pull == "always" or not _has(client, image):
            fetch(client, image, pull)


def _has(client: Any, image: str) -> bool:
    from docker.errors import ImageNotFound, NotFound

    try:
        client.api.inspect_image(image)
    except (ImageNotFound, NotFound):
        return False
    return True


def fetch(client: Any, image: str, pull: str, platform: str | None = None) -> None:
    """Pull an image.

    Args:
        client: Of the docker library.
        image: Its name.
        pull: The policy: with "never" it is an error that it is wanted.
        platform: Such as ``linux/arm64``; None: that of the engine.

    Raises:
        CallbackError: It cannot be had.
    """
    from docker.errors import APIError

    if pull == "never":
        raise CallbackError(f"image {image} is not there, and --pull never forbids to fetch it: docker pull {image}")
    say(f"pulling {image}")
    try:
        for said in client.api.pull(image, stream=True, decode=True, platform=platform):
            if "error" in said:
                raise CallbackError(f"image {image} cannot be pulled: {' '.join(str(said['error']).split())}")
    except APIError as error:
        raise CallbackError(
            f"image {image} cannot be pulled: {words_of(error)}; is the name right, and is there a docker login?"
        ) from error


def remove_all(client: Any, ids: Iterable[str]) -> None:
    """End and remove containers, with their anonymous volumes; those that are gone already are no error."""
    from docker.errors import APIError

    for id in ids:
        try:
            client.api.remove_container(id, v=True, force=True)
        except APIError as error:
            if error.status_code not in (404, 409):  # gone; being removed just now
                raise


def remove(minion: str, slot: int | None = None) -> bool:
    """End and remove the containers of a minion; return whether none is left.

    Args:
        minion: Its id.
        slot: Those of this slot only; None: all.

    Raises:
        CallbackError: The engine does not answer.
    """
    labels = [f"{LABEL}.minion={minion}", *([] if slot is None else [f"{LABEL}.slot={slot}"])]
    until = time.monotonic() + _AWAY
    while True:
        try:
            return _remove_labelled(labels)
        except CallbackError:
            if time.monotonic() > until:
                raise
            time.sleep(_LATE)


def _remove_labelled(labels: list[str]) -> bool:
    until = time.monotonic() + _PATIENCE
    looks = 0
    with closing(connect()) as client, faults(place()):
        while True:
            found = client.api.containers(all=True, filters={"label": labels})
            looks = 0 if found else looks + 1
            if looks == 2 or time.monotonic() > until:
                return not found
            with suppress(CallbackError):
                remove_all(client, [each["Id"] for each in found])
            time.sleep(0.02 if found else _LATE)
