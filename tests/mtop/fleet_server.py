"""Many minions that are not there: each answers polls on its own port, as cheaply as it goes; some are hostile.

For tests, ``with fleet(3, ["hang"]) as urls: ...``. For measurements, as a process of its own:

    python -m tests.mtop.fleet_server --minions 1000 --registry DIR
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from minionize.registries.directory import DirectoryRegistry
from minionize.registry import Announcement
from minionize.testing.announcements import make_announcement

_ANNOUNCED = ("url", "token", "heartbeat", "every", "process", "left")
# Numbers that are nowhere else in an answer: they are replaced by those that change.
_MARKS = {"received": 910_001, "succeeded": 910_002, "failed": 910_003}
_IDLE = {"busy": 0, "state": "idle", "in_flight": {"count": 0, "oldest": None}}


def announcement(number: int, url: str | None, every: float = 10.0) -> Announcement:
    """Make what the minion of this number announces. There are sixteen on each host."""
    id = f"node-{number // 16}-{1000 + number}-{number:04x}"
    said = make_announcement(id, every=every, host=f"node-{number // 16}", command=f"./simulate --case {number} {{}}")
    said["latency"]["buckets"] = [*((0.001 * 2**each, each) for each in range(28)), (None, 30)]
    said["url"] = url
    return said


class Minion:
    """Answers polls: the n-th answer has counted n more runs. An idle one answers the same each time."""

    def __init__(self, number: int, idle: bool = False) -> None:
        said: dict[str, Any] = {**announcement(number, None)}
        stats = {name: value for name, value in said.items() if name not in _ANNOUNCED}
        stats["counters"] = {**stats["counters"], **_MARKS}
        if idle:
            stats.update(_IDLE)
        self.id: str = said["id"]
        self.idle = idle
        self.answers = 0
        text = json.dumps(stats, separators=(",", ":")).encode().replace(b"%", b"%%")
        for mark in _MARKS.values():
            text = text.replace(b"%d" % mark, b"%d")
        self._text = text

    def body(self) -> bytes:
        """Return the next numbers."""
        count = 0 if self.idle else self.answers
        self.answers += 1
        return self._text % (count * 3 + 1, count * 2, count)

    def answer(self, request: bytes) -> bytes:
        """Answer a request."""
        etag = b'W/"%d"' % (0 if self.idle else self.answers)
        if self.idle and b"\r\nIf-None-Match: " + etag in request:
            self.answers += 1
            return b"HTTP/1.1 304 Not Modified\r\netag: %s\r\n\r\n" % etag
        return with_head(self.body(), b"etag: %s\r\n" % etag)


def with_head(body: bytes, headers: bytes = b"", status: bytes = b"200 OK") -> bytes:
    """Return a whole answer, with about the head that minionize writes."""
    return b"".join(
        (
            b"HTTP/1.1 %s\r\ndate: Wed, 25 Nov 2026 15:43:08 GMT\r\nserver: uvicorn\r\ncache-control: no-cache\r\n"
            b"x-content-type-options: nosniff\r\ncontent-type: application/json\r\n" % status,
            headers,
            b"content-length: %d\r\n\r\n" % len(body),
            body,
        )
    )


class Serving(asyncio.Protocol):
    """A connection to a minion, or to many: then the path tells which, as in ``/m/17/stats``."""

    def __init__(self, *minions: Minion) -> None:
        self._minions = minions
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        number = int(data.split(b"/", 3)[2]) if len(self._minions) > 1 else 0
        self._transport.write(self._minions[number].answer(data))


class Manner(NamedTuple):
    """How something else than a good minion answers."""

    answer: Callable[[bytes], bytes]
    then: str = "keep"
    """keep, close or reset the connection; or trickle: a byte at a time."""
    first: bytes = b""
    """What is sent before anything is asked."""


def _chunked(body: bytes) -> bytes:
    pieces = [body[start : start + 100] for start in range(0, len(body), 100)]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"


def _unframed(body: bytes) -> bytes:
    return b"HTTP/1.0 200 OK\r\ncontent-type: application/json\r\n\r\n" + body


def _of_schema_2(body: bytes) -> bytes:
    return with_head(body.replace(b'"schema":1', b'"schema":2'))


GOOD = {
    "chunked": Manner(_chunked),
    "unframed": Manner(_unframed, "close"),
    "interim": Manner(lambda body: b"HTTP/1.1 100 Continue\r\n\r\n" + with_head(body)),
    "trailing": Manner(lambda body: with_head(body) + b"\0 something else"),
    "twice": Manner(lambda body: with_head(body) * 2),
    "hangs up": Manner(with_head, "close"),
    "says close": Manner(lambda body: with_head(body, b"connection: close\r\n"), "close"),
}
"""Unusual, but good."""

HOSTILE = {
    "hang": Manner(lambda body: b""),
    "trickle": Manner(with_head, "trickle"),
    "nothing": Manner(lambda body: b"", "close"),
    "reset": Manner(lambda body: b"", "reset"),
    "torn": Manner(lambda body: with_head(body)[:-10], "close"),
    "torn chunks": Manner(lambda body: _chunked(body)[:-30], "close"),
    "huge": Manner(lambda body: with_head(b" " * 10_000_000)),
    "endless head": Manner(lambda body: b"HTTP/1.1 200 OK\r\n" + b"x-more: and more\r\n" * 500_000),
    "endless header": Manner(lambda body: b"HTTP/1.1 200 OK\r\nx-long: " + b"x" * 10_000_000),
    "gzip": Manner(lambda body: with_head(b"\x1f\x8b\x08" + bytes(100), b"content-encoding: gzip\r\n")),
    "error": Manner(lambda body: with_head(b"{}", status=b"500 Internal Server Error")),
    "missing": Manner(lambda body: with_head(b"{}", status=b"404 Not Found")),
    "redirect": Manner(lambda body: with_head(b"", b"location: http://127.0.0.1:9/\r\n", b"302 Found")),
    "switch": Manner(lambda body: b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"),
    "unasked 304": Manner(lambda body: b"HTTP/1.1 304 Not Modified\r\n\r\n"),
    "garbage": Manner(lambda body: bytes(range(256)) * 16),
    "ssh": Manner(lambda body: b"", first=b"SSH-2.0-OpenSSH_9.2\r\n"),
    "schema 2": Manner(_of_schema_2),
    "NaN": Manner(lambda body: with_head(body.replace(b"1234.5", b"NaN"))),
    "a page": Manner(lambda body: with_head(b"<html>It works!</html>")),
    "empty": Manner(lambda body: with_head(b"")),
}
"""Nothing of this is an answer with numbers."""


class Odd(asyncio.Protocol):
    """A connection to something that has another manner."""

    def __init__(self, minion: Minion, manner: Manner) -> None:
        self._minion, self._manner = minion, manner
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._transport.write(self._manner.first)

    def data_received(self, data: bytes) -> None:
        answer = self._manner.answer(self._minion.body())
        if self._manner.then == "trickle":
            self._trickle(answer)
            return
        self._transport.write(answer)
        if self._manner.then == "reset":
            sock = self._transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        if self._manner.then != "keep":
            self._transport.close()

    def _trickle(self, answer: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer[:1])
            asyncio.get_running_loop().call_later(0.05, self._trickle, answer[1:])


class Fleet:
    """Listens for all of them, in a running loop."""

    def __init__(self) -> None:
        self.minions: list[Minion] = []
        self.transports: list[Any] = []
        self._servers: list[asyncio.Server] = []
        self._dead: list[socket.socket] = []

    async def add(self, make: Callable[..., asyncio.Protocol], *arguments: Any) -> str:
        """Listen on a port; return its URL."""

        def factory() -> asyncio.Protocol:
            protocol = make(*arguments)
            made = protocol.connection_made

            def remember(transport: asyncio.BaseTransport) -> None:
                self.transports.append(transport)
                made(transport)

            protocol.connection_made = remember  # type: ignore[method-assign]
            return protocol

        server = await asyncio.get_running_loop().create_server(factory, "127.0.0.1", 0, backlog=4096)
        self._servers.append(server)
        return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    async def minion(self, number: int, idle: bool = False) -> str:
        """Add a good one."""
        self.minions.append(Minion(number, idle))
        return await self.add(Serving, self.minions[-1])

    def dead(self, hangs: bool = False) -> str:
        """Return the URL of a port that nobody listens on (and nobody else will), or on which nothing is accepted."""
        sock = socket.socket()
        sock.bind(("127.0.0.1", 0))
        if hangs:
            sock.listen(0)
        self._dead.append(sock)
        return f"http://127.0.0.1:{sock.getsockname()[1]}"

    async def close(self) -> None:
        """Close all of it."""
        for server in self._servers:
            server.close()
        for sock in self._dead:
            sock.close()
        # Who was accepted a moment ago gets its transport in the next rounds of the loop; all close in those after.
        for _ in range(5):
            for transport in self.transports:
                transport.abort()
            await asyncio.sleep(0)


@contextmanager
def fleet(minions: int = 0, odd: Iterable[str] = (), idle: int = 0, dead: int = 0) -> Iterator[dict[str, str]]:
    """Run a fleet in a thread; yield its URLs.

    Args:
        minions: How many good ones there are; their keys are their ids.
        odd: Names of manners; these are their keys.
        idle: How many good ones do nothing.
        dead: How many URLs nobody listens at; their keys are "dead 0" and so on.
    """
    urls: dict[str, str] = {}
    up = threading.Event()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        served = Fleet()
        for number in range(minions + idle):
            url = await served.minion(number, number >= minions)
            urls[served.minions[-1].id] = url
        for name in odd:
            urls[name] = await served.add(Odd, Minion(len(urls)), {**GOOD, **HOSTILE}[name])
        urls.update({f"dead {number}": served.dead() for number in range(dead)})
        up.set()
        await stop.wait()
        await served.close()

    def run() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(serve())

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert up.wait(30), "the fleet does not start"
        yield urls
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        assert not thread.is_alive(), "the fleet does not stop"


async def announce(said: list[Announcement], folder: str, every: float) -> None:
    """Write all announcements at once, then each again in time, one after the other."""
    registry = DirectoryRegistry(folder, {})
    for each in said:
        registry.announce(each)
    print(f"up: {len(said)} in {folder}", flush=True)
    while True:
        for each in said:
            await asyncio.sleep(every / len(said))
            registry.announce({**each, "heartbeat": time.time()})


async def serve_fleet(options: argparse.Namespace) -> None:
    """Serve and announce a fleet until the process is ended."""
    served = Fleet()
    said: list[Announcement] = []
    base = ""
    if options.one_port:
        many = [Minion(number) for number in range(options.minions)]
        base = await served.add(Serving, *many)
    for number in range(options.minions):
        share = (number * 0.6180339887498949) % 1.0
        if share < options.dead_share:
            url = served.dead(hangs=number % 2 == 1)
        elif base:
            url = f"{base}/m/{number}"
        else:
            url = await served.minion(number, idle=share > 1.0 - options.idle_share)
        said.append(announcement(number, url, options.every))
    for name in options.odd:
        url = await served.add(Odd, Minion(len(said)), {**GOOD, **HOSTILE}[name])
        said.append(announcement(len(said), url, options.every))
    await announce(said, options.registry, options.every)


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description="Serves and announces minions that are not there.")
    parser.add_argument("--minions", type=int, default=1000)
    parser.add_argument("--registry", required=True, metavar="DIR", help="where they are announced")
    parser.add_argument("--every", type=float, default=30.0, help="seconds between two heartbeats")
    parser.add_argument("--dead-share", type=float, default=0.0, help="announced, but they refuse or hang")
    parser.add_argument("--idle-share", type=float, default=0.0, help="nothing changes in them")
    parser.add_argument("--one-port", action="store_true", help="one port, a path for each")
    parser.add_argument("--odd", nargs="*", default=[], choices=[*GOOD, *HOSTILE], help="others beside them")
    options = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with suppress(ImportError):
        import uvloop  # type: ignore[import-not-found, unused-ignore]

        uvloop.install()
    with suppress(KeyboardInterrupt):
        asyncio.run(serve_fleet(options))


if __name__ == "__main__":
    main()
