"""What an error of Pub/Sub means: what may pass, what will not, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from minionize.errors import EngineError, NotConnected

__all__ = ["DeniedError", "ExistsError", "MissingError", "credentials_found", "fault", "refusals"]

_CREDENTIALS = (
    "set GOOGLE_APPLICATION_CREDENTIALS to the key file of a service account, run `gcloud auth application-default "
    "login`, or use the identity of the machine"
)
_REFUSED_LOGIN = ("invalid_", "unauthorized_client", "deleted_client", "account not found", "Token has been")
"""Words of a login that will not succeed later either."""


class MissingError(EngineError):
    """There is no such topic or subscription."""


class ExistsError(EngineError):
    """There is one already."""


class DeniedError(EngineError):
    """Whoever asks may not do that."""


_MEANINGS: Mapping[str, tuple[type[EngineError], str]] = {
    "NOT_FOUND": (MissingError, "create it (minion-queue fill does), or check its name and GOOGLE_PROJECT_ID"),
    "ALREADY_EXISTS": (ExistsError, "use another name"),
    "PERMISSION_DENIED": (DeniedError, "give this account roles/pubsub.subscriber and roles/pubsub.publisher for it"),
    "UNAUTHENTICATED": (EngineError, _CREDENTIALS),
    "INVALID_ARGUMENT": (
        EngineError,
        "check the names in GOOGLE_PROJECT_ID, GOOGLE_TOPIC_ID and GOOGLE_SUBSCRIPTION: letters, digits and -._~+%, 3 "
        "to 255 of them, the first a letter, and not goog at the begin",
    ),
    "FAILED_PRECONDITION": (EngineError, "minions need a subscription of type pull that is not detached"),
    "UNIMPLEMENTED": (EngineError, "check PUBSUB_EMULATOR_HOST: that server is no Pub/Sub"),
}
"""All other codes may pass."""


def fault(error: Any, place: str, what: str) -> EngineError:
    """Say what is wrong, and whether it may pass.

    Args:
        error: A call that failed.
        place: The server.
        what: The topic or subscription that it was about.
    """
    code, words = error.code().name, " ".join(str(error.details() or "").split())[:200].rstrip(" .")
    if code in _MEANINGS:
        kind, remedy = _MEANINGS[code]
        return kind(f"Pub/Sub at {place}, {what}: {words or code}; {remedy}")
    if "metadata from plugin failed" in words:
        return _login_failed(words)
    check = "; check PUBSUB_EMULATOR_HOST if an emulator is meant, else the network" if code == "UNAVAILABLE" else ""
    return NotConnected(f"Pub/Sub at {place} cannot be reached now ({code}): {words}{check}")


def _login_failed(words: str) -> EngineError:
    # What the server of tokens says stands in it, and may be anything.
    refused = next((word for word in _REFUSED_LOGIN if word in words), None)
    if refused is None:
        return NotConnected("Google's login cannot be reached now")
    return EngineError(f"Google refuses these credentials ({refused.strip('_')}); {_CREDENTIALS}")


@contextmanager
def credentials_found(file: str) -> Iterator[None]:
    """Turn errors of looking for credentials into ours.

    Args:
        file: Where they are; "" where that was not said.
    """
    from google.auth.exceptions import GoogleAuthError

    try:
        yield
    except (GoogleAuthError, OSError, ValueError, TypeError, LookupError, AttributeError) as error:
        # Its words may be what stands in the file, which may be anything.
        trouble = f"GOOGLE_APPLICATION_CREDENTIALS: {file} cannot be used" if file else "no credentials for Google"
        raise EngineError(f"{trouble} ({type(error).__name__}); {_CREDENTIALS}") from error


def refusals(error: Any) -> Mapping[str, str] | None:
    """Return which leases a subscription with exactly-once delivery refuses, and why; None if that is not the error."""
    from google.rpc.error_details_pb2 import ErrorInfo
    from grpc_status import rpc_status

    status = rpc_status.from_call(error)
    for detail in status.details if status else ():
        info = ErrorInfo()
        if detail.Is(ErrorInfo.DESCRIPTOR) and detail.Unpack(info):
            return dict(info.metadata)
    return None
