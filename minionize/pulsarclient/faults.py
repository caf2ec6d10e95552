"""What the client library calls an error, as an EngineError with a remedy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from minionize.engine import EngineError, NotConnected

__all__ = ["OK", "fault", "reaching"]

OK = "Ok"
"""What the client library calls good news."""

_REMEDIES = {
    "AuthenticationError": "check PULSAR_TOKEN",
    "AuthorizationError": "the role of PULSAR_TOKEN must be granted to consume from and produce to this topic",
    "TopicNotFound": "make its namespace (pulsar-admin namespaces create TENANT/NAMESPACE), and the topic itself where "
    "the server makes none by itself (pulsar-admin topics create TOPIC)",
    "InvalidTopicName": "write PULSAR_TOPIC as NAME, or as persistent://TENANT/NAMESPACE/NAME",
    "ConsumerBusy": "somebody uses this subscription for himself alone: choose another PULSAR_SUBSCRIPTION",
    "SubscriptionNotFound": "let it be made: pulsar-admin topics create-subscription",
    "MessageTooBig": "it is larger than the server takes (maxMessageSize, 5 MB by default): put a file's name instead",
    "TopicTerminated": "somebody has ended the topic: choose another PULSAR_TOPIC",
    "IncompatibleSchema": "the topic has a schema that bytes do not fit: choose another PULSAR_TOPIC",
    "InvalidUrl": "check PULSAR_CONNECTION",
    "InvalidConfiguration": "check PULSAR_CONNECTION and the version of pulsar-client",
    "OperationNotSupported": "update the server",
    "NotAllowedError": "the server's or the namespace's policies forbid it: ask who runs it",
    "UnsupportedVersionError": "update the server",
    "ProducerBlockedQuotaExceededError": "the backlog quota of the namespace is reached: work it off, or raise it",
    "ProducerBlockedQuotaExceededException": "the backlog quota of the namespace is reached: work it off, or raise it",
}
"""For what will not pass by itself, by the name of the client's exception."""

_PASSING = ("ProducerBlockedQuotaExceededError", "ProducerBlockedQuotaExceededException")


@contextmanager
def reaching(place: str) -> Iterator[None]:
    """Turn the client's errors into ours.

    Args:
        place: What is reached, for people; holds no secret.
    """
    import pulsar

    try:
        yield
    except pulsar.PulsarException as error:
        raise fault(type(error).__name__, place) from error
    except (ValueError, RuntimeError) as error:
        raise EngineError(f"{place}: the client library does not take this ({error})") from error


def fault(name: str, place: str) -> EngineError:
    """Say what is wrong, and whether it may pass.

    Args:
        name: What the client library calls it.
        place: Where.
    """
    remedy = _REMEDIES.get(name)
    if remedy is None:
        words = "does not answer in time" if name == "Timeout" else f"cannot be used now: {name}"
        return NotConnected(f"{place} {words}")
    return (NotConnected if name in _PASSING else EngineError)(f"{place}: {name}; {remedy}")
