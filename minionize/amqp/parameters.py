"""What pika is told about a connection."""

from __future__ import annotations

from typing import Any

from minionize.engine import EngineError

__all__ = ["ANSWER", "parameters"]

ANSWER = 5.0
"""Seconds that the server is given for an answer."""


def parameters(url: str, place: str, heartbeats: bool) -> Any:
    """Read a URL.

    Args:
        url: Of the server.
        place: The same for people, without secrets.
        heartbeats: Whether the server may end the connection when nobody calls for long.

    Raises:
        EngineError: It is none.
    """
    from pika import URLParameters

    try:
        if not url.startswith(("amqp://", "amqps://")):
            raise ValueError(place)
        found = URLParameters(url)
    except OSError as error:
        raise EngineError(
            f"RABBITMQ_URL {place}: certificates that its ssl_options name cannot be read: {error.strerror or error}"
        ) from error
    except Exception:  # it raises whatever a wrong value leads to, and its words may hold the password
        raise EngineError(
            f"RABBITMQ_URL {place}: no URL that pika takes; write amqp://USER:PASSWORD@HOST:PORT/VHOST or amqps://..., "
            "and special characters of a password as %XX"
        ) from None
    if "stack_timeout" not in url:
        found.stack_timeout = ANSWER
    if "socket_timeout" not in url:
        found.socket_timeout = ANSWER
    if not heartbeats:
        found.heartbeat = 0
    return found
