"""Why a minion gives no numbers, in words that stand behind its name."""

from __future__ import annotations

import errno
import os
import sys

__all__ = ["CUT", "TORN", "Trouble", "trouble_of"]

CUT = "hangs up without an answer"
TORN = "hangs up in the middle of its answer"

_REFUSED = "refuses connections: it has ended, or its port is another one"
_UNREACHABLE = "cannot be reached: there is no way to its host from here"
_FORBIDDEN = "cannot be reached: this host forbids it; see its firewall"
_FILES = "cannot be asked: too many files are open here; raise ulimit -n"
_WORDS = {
    errno.ECONNREFUSED: _REFUSED,
    errno.ECONNRESET: CUT,
    errno.ECONNABORTED: CUT,
    errno.EPIPE: CUT,
    errno.ENETUNREACH: _UNREACHABLE,
    errno.EHOSTUNREACH: _UNREACHABLE,
    errno.EHOSTDOWN: _UNREACHABLE,
    errno.ENETDOWN: _UNREACHABLE,
    errno.EACCES: _FORBIDDEN,
    errno.EPERM: _FORBIDDEN,
    errno.EMFILE: _FILES,
    errno.ENFILE: _FILES,
    errno.ETIMEDOUT: "cannot be connected to: its host is down, or a firewall is between",
    errno.EADDRNOTAVAIL: "cannot be reached: its address is none, or no port is free here",
}


class Trouble(Exception):  # noqa: N818 - it is told as an answer that is none
    """A minion gave no numbers. Its text says why, such as "refuses connections: ...", and holds no secret."""


def trouble_of(error: Exception) -> Trouble:
    """Say in words what an error of a socket means."""
    if isinstance(error, Trouble):
        return error
    ssl = sys.modules.get("ssl")
    if ssl is not None and isinstance(error, ssl.SSLError):
        return Trouble(_of_tls(ssl, error))
    if isinstance(error, OSError) and error.errno is not None:
        return Trouble(_WORDS.get(error.errno) or f"cannot be reached: {os.strerror(error.errno)}")
    # A border: whatever a target does to us, the others are asked on.
    return Trouble(f"cannot be asked: {type(error).__name__}: {error}"[:300])


def _of_tls(ssl: object, error: OSError) -> str:
    why = getattr(error, "verify_message", None)
    if why:
        return f"shows a certificate that is not trusted: {why}; name its authority's file in SSL_CERT_FILE"
    reason = getattr(error, "reason", None) or type(error).__name__
    if reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG"):
        return "speaks no TLS: is its address http:// instead of https://?"
    return f"cannot be spoken to by TLS: {reason}"
