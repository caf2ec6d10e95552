"""What the client and the server call an error, as an EngineError with a remedy. Nothing secret is in it."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from minionize.engine import EngineError, NotConnected

__all__ = [
    "ACCESS_REFUSED",
    "NOT_FOUND",
    "NOT_IMPLEMENTED",
    "PRECONDITION",
    "code_of",
    "fault",
    "most_bytes",
    "reaching",
]

ACCESS_REFUSED, NOT_FOUND, _LOCKED, PRECONDITION, _NOT_ALLOWED, NOT_IMPLEMENTED = 403, 404, 405, 406, 530, 540
_REMEDIES = {
    ACCESS_REFUSED: "give the user of RABBITMQ_URL permission to configure, write and read this queue",
    NOT_FOUND: "fill it (minion-queue fill) or start a minion: both make it",
    _LOCKED: "several minions cannot share it: choose another RABBITMQ_QUEUE",
    PRECONDITION: "use another RABBITMQ_QUEUE, or delete that queue",
    _NOT_ALLOWED: "check the virtual host in RABBITMQ_URL (the first one is written as /, or %2F)",
    NOT_IMPLEMENTED: "params are taken from quorum queues and classic ones: choose another RABBITMQ_QUEUE",
}
_PASSING = ("down or inaccessible", "timeout", "no leader")
"""What the server says of a queue whose node is not there now."""

_TOO_LARGE = re.compile(r"message size \d+ is larger than (?:configured )?max size (\d+)")


@contextmanager
def reaching(place: str) -> Iterator[None]:
    """Turn the client's errors into ours.

    Args:
        place: The server, for people; holds no secret.
    """
    from pika.exceptions import AMQPError

    try:
        yield
    except (AMQPError, OSError) as error:
        raise fault(error, place) from error


def code_of(error: EngineError) -> int:
    """Tell by which of AMQP's codes the server closed a channel; 0 where it did not."""
    return int(getattr(error.__cause__, "reply_code", 0))


def most_bytes(error: EngineError) -> int | None:
    """Tell how many bytes the server takes as one message, where it has refused one for its size."""
    found = _TOO_LARGE.search(str(getattr(error.__cause__, "reply_text", "")))
    return int(found[1]) if found else None


def fault(error: Any, place: str) -> EngineError:
    """Say what is wrong, and whether it may pass."""
    from pika import exceptions

    cause: Any = _root(error)
    if isinstance(cause, (exceptions.ChannelClosed, exceptions.ConnectionClosed)):
        return _said(cause.reply_code, str(cause.reply_text), place)
    if isinstance(cause, (exceptions.AuthenticationError, exceptions.ProbableAuthenticationError)):
        return EngineError(f"{place} refuses this user or password: check those in RABBITMQ_URL")
    if isinstance(cause, exceptions.ProbableAccessDeniedError):
        return EngineError(f"{place} refuses the virtual host: {_REMEDIES[_NOT_ALLOWED]}")
    if isinstance(cause, ssl.SSLCertVerificationError):
        return EngineError(
            f"{place} is not trusted: {cause.verify_message}; "
            "name its CA in RABBITMQ_URL: ?ssl_options={'cafile':'/path/ca.pem'}"
        )
    if isinstance(cause, ssl.SSLError) and cause.reason == "WRONG_VERSION_NUMBER":
        return EngineError(f"{place}: this port speaks no TLS: write amqp:// in RABBITMQ_URL")
    return NotConnected(f"{place} cannot be reached: {_words(cause)}; check RABBITMQ_URL, and whether the server runs")


def _said(code: int, text: str, place: str) -> EngineError:
    """Say what the server said when it closed a channel or the connection."""
    words = text.partition(" - ")[2] or text
    if code not in _REMEDIES or any(word in text for word in _PASSING):
        return NotConnected(f"{place} cannot be used now: {words}")
    if _TOO_LARGE.search(text):
        return EngineError(f"{place}: {words}; raise max_message_size of the server, or put the name of a file")
    if code == ACCESS_REFUSED and "LOGIN" in words.upper():
        return EngineError(f"{place} refuses this user or password: check those in RABBITMQ_URL")
    return EngineError(f"{place}: {words}; {_REMEDIES[code]}")


def _root(error: Any) -> Any:
    """Find the error that the client's own errors are wrapped around."""
    for _ in range(8):
        if exceptions := getattr(error, "exceptions", None):
            error = exceptions[-1]
        elif isinstance(inner := getattr(error, "exception", None), BaseException):
            error = inner
        elif error.args and isinstance(error.args[0], BaseException):
            error = error.args[0]
        else:
            break
    return error


def _words(error: Any) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).strip() or type(error).__name__
