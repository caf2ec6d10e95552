"""The short way for polls: the same bytes again get the same kind of answer as the first time."""

from __future__ import annotations

import json
import socket

import httpx
import pytest

from minionize.server.polls import Polls
from tests.server.fake import FakeMinion, Live, serving

ASK = b"GET /stats HTTP/1.1\r\nHost: x\r\n\r\n"


def answer(connection: socket.socket) -> tuple[bytes, dict[bytes, bytes], bytes]:
    """Read one answer: status line, headers, body."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65_536)
    head, _, body = data.partition(b"\r\n\r\n")
    status, *lines = head.split(b"\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(b": ") for line in lines)}
    while len(body) < int(headers[b"content-length"]):
        body += connection.recv(65_536)
    return status, headers, body


def ask(connection: socket.socket, request: bytes = ASK) -> tuple[bytes, dict[bytes, bytes], bytes]:
    connection.sendall(request)
    return answer(connection)


def test_the_same_request_again_is_answered_alike(live: Live) -> None:
    with live.connect() as connection:
        (status, headers, body), *more = [ask(connection) for _ in range(5)]
        for again in more:
            assert again[0] == status == b"HTTP/1.1 200 OK"
            assert {**again[1], b"date": b""} == {**headers, b"date": b""}
            assert again[2] == body


def test_later_requests_take_the_short_way(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[bool] = []
    short = Polls.at_once

    def seen(polls: Polls, request: bytes) -> tuple[bytes, bytes, str] | None:
        found = short(polls, request)
        taken.append(found is not None)
        return found

    monkeypatch.setattr(Polls, "at_once", seen)
    with serving() as live, live.connect() as connection:
        for _ in range(3):
            ask(connection)
    assert taken == [False, True, True]


def test_what_has_changed_is_told(live: Live) -> None:
    with live.connect() as connection:
        before = [ask(connection) for _ in range(2)][-1]
        live.minion.wire["busy"] += 1
        after = ask(connection)
        assert json.loads(after[2])["busy"] == json.loads(before[2])["busy"] + 1
        assert after[1][b"etag"] != before[1][b"etag"]


def test_other_requests_on_the_same_connection(live: Live) -> None:
    with live.connect() as connection:
        for _ in range(2):
            assert ask(connection)[0].endswith(b"200 OK")
            assert ask(connection, ASK.replace(b"/stats", b"/tasks"))[0].startswith(b"HTTP/1.1 401")
            assert ask(connection, ASK.replace(b"/stats", b"/stats?window=0"))[0].startswith(b"HTTP/1.1 422")
            narrow = ask(connection, ASK.replace(b"/stats", b"/stats?fields=state"))[2]
            assert set(json.loads(narrow)) == {"schema", "id", "state"}


def test_a_request_in_pieces_and_several_at_once(live: Live) -> None:
    with live.connect() as connection:
        bodies = {ask(connection)[2] for _ in range(2)}
        for piece in (ASK[:9], ASK[9:]):
            connection.sendall(piece)
        bodies.add(answer(connection)[2])
        connection.sendall(ASK * 3)
        data = b""
        while data.count(b"HTTP/1.1 200 OK") < 3 or not data.endswith(b"}"):
            data += connection.recv(65_536)
        assert len(bodies) == 1
        assert data.count(bodies.pop()) == 3


@pytest.mark.parametrize("last", [b"Connection: close\r\n", b""])
def test_a_connection_that_is_to_be_closed_is(live: Live, last: bytes) -> None:
    request = ASK[:-2] + last + b"\r\n" if last else ASK.replace(b"1.1", b"1.0")
    for _ in range(3):
        assert live.raw(request).startswith(b"HTTP/1.1 200 OK")


def test_a_condition_is_looked_at_each_time(live: Live) -> None:
    with httpx.Client(base_url=live.url, verify=False) as client:
        etag = client.get("/stats").headers["etag"]
        answers = [client.get("/stats", headers={"if-none-match": etag}) for _ in range(3)]
        assert {each.status_code for each in answers} == {304}
        first, *more = [{**each.headers, "date": ""} for each in answers]
        assert more == [first, first], "the short way says what the long one does"
        live.minion.wire["busy"] += 1
        for _ in range(2):
            changed = client.get("/stats", headers={"if-none-match": etag})
            assert (changed.status_code, changed.json()["busy"]) == (200, live.minion.wire["busy"])


def test_a_fault_is_a_problem_on_the_short_way_too() -> None:
    minion = FakeMinion()
    with serving(minion) as live, live.connect() as connection:
        for _ in range(2):
            ask(connection)
        minion.broken = RuntimeError("broken")
        assert ask(connection)[0].startswith(b"HTTP/1.1 500")
        minion.broken = None
        assert ask(connection)[0].endswith(b"200 OK")


def test_few_requests_are_remembered() -> None:
    with serving() as live, live.connect() as connection:
        for number in range(300):
            ask(connection, ASK[:-2] + b"X-Number: %d\r\n\r\n" % number)
        assert ask(connection)[0].endswith(b"200 OK")
