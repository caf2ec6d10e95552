from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.brokers.server import free_port
from tests.cli.conftest import Terminal
from tests.server.fake import serving


@contextmanager
def answering(reply: bytes) -> Iterator[int]:
    """A port at which one client gets a reply; any request will do."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(reply)

        thread = threading.Thread(target=answer)
        thread.start()
        yield int(listener.getsockname()[1])
        thread.join()


@pytest.mark.parametrize("host", [None, "0.0.0.0", "127.0.0.1", "localhost"])
def test_a_minion_that_works(minionize: Terminal, host: str | None) -> None:
    with serving() as live:
        port = live.url.rpartition(":")[2]
        result = minionize("--healthy", MINION_PORT=port, **({"MINION_HOST": host} if host else {}))
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == f"the minion at port {port} of {host if host == 'localhost' else '127.0.0.1'} works\n"


def test_no_minion(minionize: Terminal) -> None:
    port = free_port()
    result = minionize("--port", str(port), "--healthy")
    assert result.exit_code == 1
    assert result.stdout.startswith(f"no minion answers at port {port} of 127.0.0.1: ")
    assert "Connection refused" in result.stdout


@pytest.mark.parametrize(
    ("reply", "words"), [(b"HTTP/1.1 503 Busy\r\n\r\n", "answers 503"), (b"nonsense\r\n", "no minion answers at")]
)
def test_something_else_is_there(minionize: Terminal, reply: bytes, words: str) -> None:
    with answering(reply) as port:
        result = minionize("--healthy", MINION_PORT=str(port))
    assert result.exit_code == 1
    assert words in result.stdout


def test_without_a_port_nobody_can_be_asked(minionize: Terminal) -> None:
    result = minionize("--healthy")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "give both the same port" in result.stderr
