"""Clients that are old, many, slow or hostile."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from contextlib import ExitStack, suppress
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx
import pytest

from minionize.server import border
from minionize.server.connection import Connection
from tests.server.fake import TOKEN, FakeMinion, Live, serving


@pytest.mark.parametrize("host", [b"", b"Host: x\r\n"])
def test_http_1_0(live: Live, host: bytes) -> None:
    head, _, body = live.raw(b"GET /stats HTTP/1.0\r\n" + host + b"\r\n").partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert b"transfer-encoding" not in head.lower()
    assert body.startswith(b'{"schema":1')


def test_http_1_0_with_token_and_large_answer(live: Live) -> None:
    live.minion.failed["failures"][0]["stderr"] = "x" * 1_000_000
    request = f"GET /failures HTTP/1.0\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode()
    head, _, body = live.raw(request).partition(b"\r\n\r\n")
    assert b"content-length: %d" % len(body) in head.lower()
    assert len(body) > 1_000_000


@pytest.mark.parametrize(
    "request_",
    [
        b"nonsense\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
        b"GET /stats HTTP/1.1\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /stats HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n",
    ],
    ids=range(5),
)
def test_what_is_no_request(
    live: Live, client: httpx.Client, request_: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    head, _, body = live.raw(request_).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert json.loads(body)["type"] == "urn:minionize:problem:not-http"
    assert client.get("/healthz").status_code == 200
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("head", [b"GET /", b"GET /stats HTTP/1.1\r\nHost: x\r\nX: "], ids=["line", "header"])
def test_a_head_without_end(live: Live, client: httpx.Client, head: bytes) -> None:
    with suppress(ConnectionResetError, BrokenPipeError):
        assert live.raw(head + b"x" * 1_000_000).startswith(b"HTTP/1.1 400 ")
    assert client.get("/healthz").status_code == 200


def test_no_header_tells_what_serves(live: Live) -> None:
    answer = live.raw(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert b"\r\nserver:" not in answer.lower()


def test_answers_are_dated(client: httpx.Client) -> None:
    for _ in range(2):
        dated = parsedate_to_datetime(client.get("/healthz").headers["date"]).timestamp()
        assert abs(dated - time.time()) < 5


def test_a_websocket_is_not_opened(live: Live) -> None:
    head = b"GET /stats HTTP/1.1\r\nHost: x\r\nConnection: upgrade, close\r\nUpgrade: websocket\r\n"
    assert b" 101 " not in live.raw(head + b"\r\n")


def test_pipelined_requests(live: Live) -> None:
    one = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
    assert live.raw((one + b"\r\n") * 5 + one + b"Connection: close\r\n\r\n").count(b"HTTP/1.1 200 ") == 6


def test_200_clients_at_once(live: Live) -> None:
    async def ask(path: str) -> int:
        reader, writer = await asyncio.open_connection(*live.address)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode())
        status = int((await reader.readuntil(b"\r\n"))[9:12])
        writer.close()
        await writer.wait_closed()
        return status

    async def all_of_them() -> list[int]:
        return await asyncio.gather(*(ask(path) for path in ["/stats", "/failures", "/metrics", "/tasks"] * 50))

    assert asyncio.run(all_of_them()) == [200] * 200


def test_more_clients_than_there_may_be_are_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Connection, "most", 3)
    with serving() as live:
        held = [live.connect() for _ in range(3)]
        for connection in held:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert connection.recv(1000).startswith(b"HTTP/1.1 200 ")
        with live.connect() as one_more:
            refused = one_more.recv(1000)
            assert refused.startswith(b"HTTP/1.1 503 ")
            assert b"urn:minionize:problem:busy" in refused
        for connection in held:
            connection.close()
        wait_for_end(live)
        assert live.raw(b"GET /healthz HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 200 ")


def wait_for_end(live: Live) -> None:
    """Wait until the server has seen that a client has left."""
    until = time.monotonic() + 30
    while live.server._server.server_state.connections and time.monotonic() < until:
        time.sleep(0.01)


def hang(live: Live, sent: bytes) -> float:
    """Send something, then nothing more; return after how many seconds the server hangs up."""
    start = time.monotonic()
    with live.connect() as connection:
        connection.sendall(sent)
        with suppress(ConnectionResetError):
            while connection.recv(65_536):
                pass
    return time.monotonic() - start


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET /sta",
        b"GET /stats HTTP/1.1\r\nHost: x\r\nX-Slow: ",
        f"POST /slots HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\n"
        "Content-Length: 12\r\n\r\n{".encode(),
        b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /heal",
        b"POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\n",
    ],
    ids=["silence", "line", "header", "body", "second", "refused"],
)
def test_who_hangs_is_hung_up_on(monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    monkeypatch.setattr(Connection, "patience", 0.3)
    with serving() as live:
        assert 0.25 < hang(live, sent) < 9
        assert live.raw(b"GET /healthz HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 200 ")


def test_who_drips_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Connection, "patience", 0.3)
    with serving() as live, live.connect() as connection:
        start = time.monotonic()
        with suppress(BrokenPipeError, ConnectionResetError):
            while time.monotonic() < start + 30:
                connection.sendall(b"X")
                time.sleep(0.02)
        assert time.monotonic() - start < 25


def test_who_keeps_a_connection_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Connection, "patience", 0.5)
    with serving() as live, live.connect() as connection:
        for _ in range(4):
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert answered(connection).startswith(b"HTTP/1.1 200 ")
            time.sleep(0.6)


def answered(connection: socket.socket) -> bytes:
    """Read one answer of /healthz."""
    answer = b""
    while not answer.endswith(b"}"):
        answer += connection.recv(10_000)
    return answer


def reluctant(live: Live, path: str) -> socket.socket:
    """Ask for something and do not read the answer."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(10)
    connection.connect(live.address)
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode())
    return connection


def large(size: int = 8_000_000) -> FakeMinion:
    """A minion with a long list of failures, in bytes."""
    minion = FakeMinion()
    minion.failed["failures"][0]["stderr"] = "x" * size
    return minion


def test_who_does_not_read_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Connection, "patience", 0.3)
    with serving(large()) as live, reluctant(live, "/failures") as connection:
        assert connection.recv(100).startswith(b"HTTP/1.1 200 ")
        wait_for_end(live)
        assert not live.server._server.server_state.connections


def memory(name: str) -> int:
    """Memory of this process in bytes: VmRSS, or VmHWM, the most since ``peak_from_here``."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) * 1024


def peak_from_here() -> None:
    Path("/proc/self/clear_refs").write_text("5")


@pytest.mark.slow
def test_slow_readers_cost_little_memory() -> None:
    with serving(large()) as live, ExitStack() as held:
        peak_from_here()
        before = memory("VmRSS")
        for _ in range(100):
            held.enter_context(reluctant(live, "/failures"))
            held.enter_context(reluctant(live, "/docs/swagger-ui-bundle.js"))
        with httpx.Client(base_url=live.url, verify=False, timeout=60) as client:
            for _ in range(20):
                assert client.get("/stats").status_code == 200
                time.sleep(0.05)
        grown = memory("VmHWM") - before
    # 100 answers of 8 MB are 800 MB.
    assert grown < 450_000_000


def test_who_has_no_token_makes_nobody_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(border, "AT_ONCE", 2)
    with serving(send_buffer=4096) as live, ExitStack() as held:
        for _ in range(3):
            connection = held.enter_context(live.connect())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            # Hundreds of requests, no answer of which is read.
            connection.sendall(b"GET /tasks HTTP/1.1\r\nHost: x\r\n\r\n" * 1000)
        until = time.monotonic() + 30
        connections = live.server._server.server_state.connections
        while sum(isinstance(each, Connection) and each.flow.write_paused for each in list(connections)) < 3:
            assert time.monotonic() < until, "the clients are not slow enough"
            time.sleep(0.01)
        with httpx.Client(
            base_url=live.url, verify=False, timeout=60, headers={"Authorization": f"Bearer {TOKEN}"}
        ) as owner:
            assert owner.get("/tasks").status_code == 200


def test_a_client_that_leaves_is_no_fault(live: Live, client: httpx.Client, capfd: pytest.CaptureFixture[str]) -> None:
    live.minion.failed["failures"][0]["stderr"] = "x" * 8_000_000
    for _ in range(5):
        reluctant(live, "/failures").close()
    with live.connect() as connection:
        connection.sendall(b"POST /slots HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    assert client.get("/healthz").status_code == 200
    assert capfd.readouterr() == ("", "")
