from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from minionize.server.border import LARGEST_BODY
from tests.server.fake import TOKEN, FakeMinion, Live
from tests.server.problems import problem

JSON = {"Content-Type": "application/json"}


def padded(size: int) -> bytes:
    return b'{"slots": 4' + b" " * (size - 12) + b"}"


@pytest.mark.parametrize("streamed", [False, True])
def test_the_largest_body(owner: httpx.Client, minion: FakeMinion, streamed: bool) -> None:
    def content(size: int) -> Iterator[bytes] | bytes:
        return iter([padded(size)[:100], padded(size)[100:]]) if streamed else padded(size)

    assert owner.post("/slots", content=content(LARGEST_BODY), headers=JSON).status_code == 200
    assert minion.told == ["resize 4"]
    problem(owner.post("/slots", content=content(LARGEST_BODY + 1), headers=JSON), 413, "too-large")
    assert minion.told == ["resize 4"]
    assert owner.get("/stats").status_code == 200


@pytest.mark.parametrize("path", ["/slots", "/pause", "/nothing", "/tasks/x/kill"])
def test_a_huge_body_is_refused_before_it_is_sent(live: Live, path: str) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: 10000000000\r\n"
    with live.connect() as connection:
        connection.sendall(f"{head}\r\n".encode())
        assert connection.recv(65_536).startswith(b"HTTP/1.1 413 ")
    assert live.minion.told == []


def test_a_huge_body_is_not_asked_for(live: Live) -> None:
    head = b"POST /slots HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 10000000000\r\n\r\n"
    with live.connect() as connection:
        connection.sendall(head)
        assert connection.recv(65_536).startswith(b"HTTP/1.1 413 ")


def test_an_endless_body_is_not_read_for_ever(live: Live) -> None:
    head = f"POST /slots HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\n"
    with live.connect() as connection:
        connection.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        for _ in range(10):
            connection.sendall(b"2710\r\n" + b" " * 10_000 + b"\r\n")
        assert connection.recv(65_536).startswith(b"HTTP/1.1 413 ")


def test_a_body_where_none_is_wanted(owner: httpx.Client, minion: FakeMinion) -> None:
    assert owner.post("/pause", content=b"{nonsense").status_code == 200
    assert owner.request("GET", "/stats", content=b"{nonsense").status_code == 200
    assert minion.told == ["pause"]


@pytest.mark.parametrize("length", [b"-1", b"ten", b"1e3", b"", b"9" * 30])
def test_lengths_of_nonsense(live: Live, length: bytes) -> None:
    answer = live.raw(
        b"POST /pause HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: " + length + b"\r\n\r\n"
    )
    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 413 "))
