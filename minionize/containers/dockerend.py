"""The end of a container, and whether the engine that told of it is still the one that ran it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import Any

from minionize.containers import dockerclient
from minionize.containers.dockerstream import keep_alive
from minionize.errors import CallbackError

__all__ = ["End"]


class End:
    """Is asked for before the container starts: so a lost connection is known from an end, whatever comes afterwards.

    Args:
        client: Of the docker library.
        id: Of the container.
    """

    def __init__(self, client: Any, id: str) -> None:
        self._version = client.api.api_version
        url = f"{client.api.base_url}/v{self._version}/containers/{id}/wait"
        self._response = client.api.post(url, params={"condition": "next-exit"}, stream=True, timeout=None)
        self._response.raise_for_status()
        # None where it will be closed after the answer, as behind some proxies.
        self._socket = getattr(self._response.raw.connection, "sock", None)
        if self._socket is not None:
            keep_alive(self._socket)

    def told(self) -> Mapping[str, Any]:
        """Wait for it; return what the engine says."""
        told: Mapping[str, Any] = self._response.json()
        return told

    def knock(self, where: str) -> None:
        """See whether the engine has ended the container because it is being stopped itself.

        Args:
            where: Its place, for the message.

        Raises:
            CallbackError: It has. So says the docker library by its own errors, where nobody answers any more.
        """
        # An engine that is being stopped takes no connection, then ends its containers.
        with closing(dockerclient.connect(version=self._version)) as client:
            client.api.ping()
        # But its listener may be systemd's and stay open. Then the next one answers, as soon as the first has gone.
        if self._socket is not None and _is_closed(self._socket):
            raise CallbackError(f"the Docker engine at {where} was restarted, which ended its containers")

    def close(self) -> None:
        """Wait no longer."""
        self._response.close()


def _is_closed(socket: Any) -> bool:
    """Whether a connection was closed, from here or from there, over which nothing more is to come."""
    from urllib3.util.wait import wait_for_read

    return socket.fileno() < 0 or bool(wait_for_read(socket, 0.0))
