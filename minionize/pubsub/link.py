"""The connection to Pub/Sub: one channel, one call at a time, nothing in the background.

The calls are those of the service. The client's own subscriber and publisher batch and renew in threads; a minion
takes just what its slots can run, and renews the leases itself.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

from minionize.pubsub.faults import credentials_found, fault, refusals

__all__ = ["MOST", "Answers", "Link"]

HOST = "pubsub.googleapis.com"
MOST = 1000
"""Messages in one call, leases in one call: the service takes no more."""

_ANSWER = 5.0  # seconds that the service is given
_PUBLISHING = 30.0  # for up to 10 MB
_SCOPES = ("https://www.googleapis.com/auth/pubsub",)
_OPTIONS = (
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    ("grpc.keepalive_time_ms", 30_000),
)


class _Method(NamedTuple):
    """A call: its service, the types of request and answer, the field by which it finds its way, its time-out."""

    service: str
    request: str
    answer: str
    route: str
    timeout: float = _ANSWER


_METHODS = {
    "CreateTopic": _Method("Publisher", "Topic", "Topic", "name"),
    "Publish": _Method("Publisher", "PublishRequest", "PublishResponse", "topic", _PUBLISHING),
    "CreateSubscription": _Method("Subscriber", "Subscription", "Subscription", "name"),
    "GetSubscription": _Method("Subscriber", "GetSubscriptionRequest", "Subscription", "subscription"),
    "Pull": _Method("Subscriber", "PullRequest", "PullResponse", "subscription"),
    "Acknowledge": _Method("Subscriber", "AcknowledgeRequest", "", "subscription"),
    "ModifyAckDeadline": _Method("Subscriber", "ModifyAckDeadlineRequest", "", "subscription"),
}


class Answers(NamedTuple):
    """What became of leases.

    Attributes:
        lost: Those that are no longer ours; only a subscription with exactly-once delivery tells.
        again: Those for which it must be asked again.
    """

    lost: set[str]
    again: set[str]


class Link:
    """Speaks to the service; connects when it is first needed.

    Args:
        emulator: Host and port of an emulator; "" for Google.
        credentials: A file with credentials; "" for what can be found.

    Attributes:
        place: The server, for people.
    """

    def __init__(self, emulator: str, credentials: str) -> None:
        self._emulator = emulator.partition("://")[2] or emulator
        self._credentials = credentials
        self._channel: Any = None
        self._calls: dict[str, Any] = {}
        self.place = self._emulator or HOST

    @property
    def is_connected(self) -> bool:
        """Whether something has been asked since the last ``hang_up``."""
        return self._channel is not None

    def hang_up(self) -> None:
        """Let go of the connection. Idempotent."""
        channel, self._channel = self._channel, None
        self._calls.clear()
        if channel is not None:
            channel.close()

    def _connect(self) -> Any:
        # Else it writes to stderr what comes as an error anyway.
        os.environ.setdefault("GRPC_VERBOSITY", "NONE")
        import grpc

        if self._emulator:
            return grpc.insecure_channel(self._emulator, [*_OPTIONS, ("grpc.enable_http_proxy", 0)])
        from google.api_core import grpc_helpers

        with credentials_found(self._credentials):
            found = self._find_credentials()
            return grpc_helpers.create_channel(
                f"{HOST}:443", credentials=found, default_scopes=_SCOPES, default_host=HOST, options=_OPTIONS
            )

    def _find_credentials(self) -> Any:
        import google.auth

        auth: Any = google.auth
        if not self._credentials:
            return auth.default(scopes=_SCOPES)[0]
        with warnings.catch_warnings():
            # It warns of files from strangers; this one is the user's own, and may be of any kind.
            warnings.simplefilter("ignore", DeprecationWarning)
            return auth.load_credentials_from_file(self._credentials, scopes=_SCOPES)[0]

    def _call(self, name: str) -> Any:
        """Return what makes a call."""
        if name not in self._calls:
            from google.protobuf.empty_pb2 import Empty
            from google.pubsub_v1.types import pubsub

            if self._channel is None:
                self._channel = self._connect()
            method = _METHODS[name]
            request = getattr(pubsub, method.request).pb()
            answer = getattr(pubsub, method.answer).pb() if method.answer else Empty
            stub = self._channel.unary_unary(
                f"/google.pubsub.v1.{method.service}/{name}",
                request_serializer=request.SerializeToString,
                response_deserializer=answer.FromString,
            )
            self._calls[name] = (stub, request)
        return self._calls[name]

    def call(self, method: str, /, **fields: Any) -> Any:
        """Ask the service, and wait for its answer.

        Raises:
            NotConnected: It may pass.
            EngineError: It will not.
        """
        import grpc

        try:
            return self._ask(method, fields)
        except grpc.RpcError as error:
            raise fault(error, self.place, self._about(method, fields)) from error

    def _ask(self, name: str, fields: dict[str, Any]) -> Any:
        stub, request = self._call(name)
        method = _METHODS[name]
        routing = f"{method.route}={quote(fields[method.route], safe='')}"
        return stub(request(**fields), timeout=method.timeout, metadata=(("x-goog-request-params", routing),))

    @staticmethod
    def _about(name: str, fields: dict[str, Any]) -> str:
        return str(fields[_METHODS[name].route])

    # Messages.

    def pull(self, subscription: str, most: int) -> list[Any]:
        """Take up to ``most`` messages, as many as there are at hand.

        The service does not wait: what it leases to a call that has been given up meanwhile, nobody gets before that
        lease is over.
        """
        answer = self.call("Pull", subscription=subscription, max_messages=min(most, MOST), return_immediately=True)
        return list(answer.received_messages)

    def publish(self, topic: str, messages: Sequence[Any]) -> None:
        """Put messages, by one call for each ordering key; all of them are durable when this returns."""
        keys: dict[str, list[Any]] = {}
        for message in messages:
            keys.setdefault(message.ordering_key, []).append(message)
        for alike in keys.values():
            self.call("Publish", topic=topic, messages=alike)

    # Leases.

    def acknowledge(self, subscription: str, leases: Sequence[str]) -> Answers:
        """Settle what these leases are of."""
        return self._settle("Acknowledge", leases, subscription=subscription)

    def renew(self, subscription: str, leases: Sequence[str], seconds: int) -> Answers:
        """Let leases last so long from now; 0 gives back."""
        return self._settle("ModifyAckDeadline", leases, subscription=subscription, ack_deadline_seconds=seconds)

    def _settle(self, name: str, leases: Sequence[str], **fields: Any) -> Answers:
        import grpc

        answers = Answers(set(), set())
        for part in _parts(leases):
            try:
                self._ask(name, {**fields, "ack_ids": part})
            except grpc.RpcError as error:
                refused = refusals(error)
                if refused is None:
                    raise fault(error, self.place, self._about(name, fields)) from error
                for lease, why in refused.items():
                    (answers.again if why.startswith("TRANSIENT") else answers.lost).add(lease)
        return answers


def _parts(items: Sequence[str]) -> Iterator[Sequence[str]]:
    return (items[start : start + MOST] for start in range(0, len(items), MOST))
