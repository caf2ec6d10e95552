"""The streams of a container over the connection to its engine, without an engine."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from minionize.containers import dockerclient
from minionize.containers.dockerend import End
from minionize.containers.dockerstream import Output, attached, frames
from minionize.errors import CallbackError

FRAME = b"\1\0\0\0\0\0\0\3out"


class Connection:
    """Gives pieces, or raises them."""

    def __init__(self, *pieces: bytes | OSError) -> None:
        self._pieces = iter(pieces)

    def recv(self, size: int) -> bytes:
        piece = next(self._pieces, b"")
        if isinstance(piece, OSError):
            raise piece
        return piece


@pytest.mark.parametrize("size", [1, 3, 9, 1000])
def test_frames_come_in_any_pieces(size: int) -> None:
    data = b"".join(
        bytes([stream, 0, 0, 0]) + len(text).to_bytes(4) + text
        for stream, text in ((1, b"out"), (2, b"error"), (1, b""), (1, b"x" * 500))
    )
    pieces = iter([data[at : at + size] for at in range(0, len(data), size)] + [b""])
    found = list(frames(lambda _: next(pieces)))
    assert b"".join(text for stream, text in found if stream == 1) == b"out" + b"x" * 500
    assert b"".join(text for stream, text in found if stream == 2) == b"error"


@pytest.mark.parametrize(
    ("pieces", "tty", "out", "lost"),
    [
        ((FRAME,), False, "out", None),
        ((FRAME, FRAME[:-1]), False, "outou", "it ends in the middle"),
        ((FRAME, FRAME[:5]), False, "out", "it ends in the middle"),
        ((FRAME, OSError(104, "Connection reset")), False, "out", "Connection reset"),
        ((FRAME[:-1], OSError(104, "Connection reset")), False, "ou", "Connection reset"),
        ((b"out",), True, "out", None),
        ((b"out", TimeoutError("timed out")), True, "out", "timed out"),
    ],
)
def test_output_that_is_cut_off_is_known_as_such(
    pieces: tuple[Any, ...], tty: bool, out: str, lost: str | None, capfd: pytest.CaptureFixture[str]
) -> None:
    output = Output()
    output.copy(Connection(*pieces), tty)
    assert (capfd.readouterr().out, output.stdout_bytes, output.lost) == (out, len(out), lost)


@pytest.fixture(params=["tcp", "unix"])
def pair(request: pytest.FixtureRequest) -> Iterator[tuple[socket.socket, socket.socket]]:
    """Both ends of a connection."""
    if request.param == "unix":
        ends = socket.socketpair()
    else:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            ends = (socket.create_connection(listener.getsockname()), listener.accept()[0])
    with ends[0], ends[1]:
        yield ends


def awaited(connection: socket.socket | None) -> End:
    response = SimpleNamespace(
        raise_for_status=lambda: None, raw=SimpleNamespace(connection=SimpleNamespace(sock=connection))
    )
    post: Callable[..., Any] = lambda *args, **kwargs: response  # noqa: E731
    return End(SimpleNamespace(api=SimpleNamespace(api_version="1", base_url="", post=post)), "id")


def is_kept_alive(connection: socket.socket) -> bool:
    if not connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE):
        return False
    return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 30


def test_who_waits_hears_of_a_host_that_is_gone(pair: tuple[socket.socket, socket.socket]) -> None:
    over_tcp = pair[0].family == socket.AF_INET
    awaited(pair[0])
    assert is_kept_alive(pair[0]) == over_tcp
    api = SimpleNamespace(attach_socket=lambda container, params: pair[1])
    with attached(SimpleNamespace(api=api), "id", stdout=1):
        assert is_kept_alive(pair[1]) == over_tcp


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that answers."""
    client = SimpleNamespace(api=SimpleNamespace(ping=lambda: True), close=lambda: None)
    monkeypatch.setattr(dockerclient, "connect", lambda version: client)


@pytest.mark.usefixtures("answers")
@pytest.mark.parametrize("end", [0, 1])
def test_an_engine_that_answers_may_be_another(pair: tuple[socket.socket, socket.socket], end: int) -> None:
    its = awaited(pair[0])
    its.knock("w")
    pair[end].close()
    with pytest.raises(CallbackError, match="the Docker engine at w was restarted"):
        its.knock("w")


@pytest.mark.usefixtures("answers")
def test_a_connection_that_is_never_kept_tells_nothing() -> None:
    awaited(None).knock("w")
