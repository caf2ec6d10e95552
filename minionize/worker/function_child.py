"""What a child process for functions does: takes a task, calls the callback, sends the outcome; and again."""

from __future__ import annotations

import contextlib
import os
import pickle
import socket
import struct
import sys
import time
from collections.abc import Mapping
from typing import Any

from minionize.callback import Callback, Context
from minionize.errors import CallbackError
from minionize.worker.calling import announce, call, raised

_LENGTH = struct.Struct("!I")


def send(channel: socket.socket, message: Any) -> None:
    """Send one message."""
    data = pickle.dumps(message)
    channel.sendall(_LENGTH.pack(len(data)) + data)


class Inbox:
    """Puts messages together from pieces."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> list[Any]:
        """Take a piece; return the messages that are complete."""
        self._data += data
        messages = []
        while len(self._data) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._data)
            end = _LENGTH.size + length
            if len(self._data) < end:
                break
            messages.append(pickle.loads(self._data[_LENGTH.size : end]))
            del self._data[:end]
        return messages


def serve(control: int, callback: Callback, environ: Mapping[str, str]) -> None:
    """Serve tasks until the minion closes the control socket."""
    channel = socket.socket(fileno=control)
    os.environ.update(environ)
    # Pipes now, whatever they were: what a function prints must come before its outcome.
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", closefd=False, errors="backslashreplace")  # noqa: SIM115
    sys.stderr = open(2, "w", closefd=False, errors="backslashreplace", buffering=1)  # noqa: SIM115
    inbox = Inbox()
    while data := channel.recv(65536):
        for task in inbox.feed(data):
            announce(task)
            context = Context(task)
            started = time.time()
            try:
                outcome: Any = call(callback, task, context)
            except CallbackError as error:
                outcome = str(error)
            except KeyboardInterrupt as error:
                # A child has no terminal: this is the function's own.
                outcome = raised(error, started)
            for stream in (sys.stdout, sys.stderr):
                # The function may have closed or replaced them.
                with contextlib.suppress(ValueError, AttributeError):
                    stream.flush()
            send(channel, (outcome, context.verdict))
