"""Errors of sockets, in words."""

from __future__ import annotations

import errno
import os
import socket

import pytest

from mtop.poll.trouble import Trouble, trouble_of


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "?"), "refuses connections: it has ended, or "),
        (ConnectionResetError(errno.ECONNRESET, "?"), "hangs up without an answer"),
        (BrokenPipeError(errno.EPIPE, "?"), "hangs up without an answer"),
        (OSError(errno.EHOSTUNREACH, "?"), "cannot be reached: there is no way to its host"),
        (OSError(errno.ENETUNREACH, "?"), "cannot be reached: there is no way to its host"),
        (OSError(errno.EMFILE, "?"), "cannot be asked: too many files are open here; raise ulimit -n"),
        (OSError(errno.EACCES, "?"), "cannot be reached: this host forbids it"),
        (OSError(errno.ETIMEDOUT, "?"), "cannot be connected to: its host is down"),
        (OSError(errno.EPROTO, "?"), f"cannot be reached: {os.strerror(errno.EPROTO)}"),
        (OSError("odd"), "cannot be asked: OSError: odd"),
        (ValueError("odd" * 1000), "cannot be asked: ValueError: oddodd"),
        (socket.gaierror(-2, "?"), "cannot be reached: "),
        (Trouble("as it is"), "as it is"),
    ],
)
def test_an_error_is_told(error: Exception, words: str) -> None:
    assert str(trouble_of(error)).startswith(words)
    assert len(str(trouble_of(error))) <= 300
