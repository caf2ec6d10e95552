from __future__ import annotations

import builtins
import gc
import logging
import socket
import threading
import time
from contextlib import ExitStack
from typing import Any

import pytest

from minionize.errors import MinionizeError
from minionize.server.serve import Server
from tests.server.fake import TOKEN, FakeMinion, listener, serving
from tests.server.test_clients import large, reluctant


def test_stop_before_run() -> None:
    sock = listener()
    server = Server(FakeMinion(), sock)
    server.stop()
    server.stop()
    server.run()
    assert sock.fileno() == -1


def test_stop_right_after_run() -> None:
    for pause in (0.0, 0.001, 0.01, 0.05):
        server = Server(FakeMinion(), listener())
        thread = threading.Thread(target=server.run)
        thread.start()
        time.sleep(pause)
        server.stop()
        thread.join(20)
        assert not thread.is_alive()


def test_stop_is_quick_whatever_the_clients_do() -> None:
    with serving(large(1_000_000)) as live, ExitStack() as held:
        silent, begun, idle, half = (held.enter_context(live.connect()) for _ in range(4))
        begun.sendall(b"GET /sta")
        idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        head = f"POST /slots HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\n"
        half.sendall(f"{head}Content-Length: 12\r\n\r\n{{".encode())
        readers = [held.enter_context(reluctant(live, "/failures")) for _ in range(40)]
        assert readers[0].recv(10)
        start = time.monotonic()
        live.server.stop()
        assert time.monotonic() - start < 10, "they would be hung up on after half a minute"
        with pytest.raises(ConnectionRefusedError):
            live.connect()
        live.server.stop()
        assert silent.recv(10) == b""


def test_an_order_is_answered_before_the_end() -> None:
    with serving() as live, live.connect() as connection:
        connection.sendall(f"POST /drain HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode())
        while not live.minion.told:
            time.sleep(0.001)
        live.server.stop()
        assert connection.recv(10_000).startswith(b"HTTP/1.1 200 ")


def test_clients_that_came_before_it_are_answered() -> None:
    sock = listener()
    with socket.create_connection(sock.getsockname(), timeout=10) as connection:
        connection.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        server = Server(FakeMinion(), sock)
        thread = threading.Thread(target=server.run)
        thread.start()
        assert connection.recv(10_000).startswith(b"HTTP/1.1 200 ")
        server.stop()
        thread.join(20)


def test_halves_of_an_answer_do_not_wait_for_each_other() -> None:
    took = []
    with serving() as live, live.connect() as connection:
        for _ in range(40):
            start = time.monotonic()
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = b""
            while b"}" not in answer:
                answer += connection.recv(10_000)
            took.append(time.monotonic() - start)
    # 0.04 s for each if they did, however much else the machine has to do.
    assert sorted(took)[4] < 0.03


def test_a_listener_that_is_none_any_more() -> None:
    sock = listener()
    server = Server(FakeMinion(), sock)
    sock.close()
    with pytest.raises(MinionizeError, match="the server has ended"):
        server.run()


@pytest.mark.parametrize("missing", ["fastapi", "uvicorn"])
def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name.split(".")[0] == missing or name == "minionize.server.app":
            raise ImportError(f"No module named {missing!r}")
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with (
        listener() as sock,
        pytest.raises(MinionizeError, match=f"No module named '{missing}'.*pip install.*fastapi uvicorn"),
    ):
        Server(FakeMinion(), sock)


def test_nothing_is_logged(capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    minion = FakeMinion()
    with serving(minion) as live:
        live.raw(b"nonsense\r\n\r\n")
        live.raw(b"GET /stats HTTP/1.0\r\n\r\n")
    assert [record for record in caplog.records if record.name.startswith("uvicorn")] == []
    assert capfd.readouterr() == ("", "")


def test_who_comes_at_the_very_end_is_not_lost() -> None:
    """A transport that nobody closes would be an error of this test."""
    for pause in (0.0, 0.0005, 0.001, 0.003) * 2:
        with ExitStack() as held, serving() as live:
            clients = [held.enter_context(socket.socket()) for _ in range(60)]
            for client in clients:
                client.setblocking(False)
            for client in clients:
                client.connect_ex(live.address)
            time.sleep(pause)
            live.server.stop()
        gc.collect()
