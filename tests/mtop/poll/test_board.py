"""Many connections in one thread: which of them are tried, kept and closed."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mtop.poll.board import Board
from mtop.poll.connection import Connection, Outcome
from mtop.poll.names import LookUp
from mtop.poll.trouble import Trouble
from mtop.poll.where import find
from tests.mtop.fleet_server import fleet
from tests.mtop.poll.running import PATIENCE, NameServer


@contextmanager
def board(server: LookUp = socket.getaddrinfo, timeout: float = 5.0) -> Iterator[tuple[Board, Callable[[], Outcome]]]:
    outcomes: list[Outcome] = []
    made = Board(timeout, lambda _, outcome: outcomes.append(outcome), time.monotonic, server)
    made.most = 10

    def outcome() -> Outcome:
        end = time.monotonic() + PATIENCE
        while not outcomes and time.monotonic() < end:
            made.turn(0.1)
        return outcomes.pop()

    try:
        yield made, outcome
    finally:
        made.close()


def test_another_address_of_a_host_is_tried() -> None:
    # All of 127.0.0.0/8 is this host; the fleet listens on one of them.
    server = NameServer(host=["127.0.0.9", "127.0.0.8", "127.0.0.1"])
    with fleet(1) as urls, board(server) as (made, outcome):
        (url,) = urls.values()
        connection = Connection("a", find(url.replace("127.0.0.1", "host")), made)
        for _ in range(3):
            made.ask(connection, time.monotonic())
            assert not isinstance(outcome(), Trouble)
    assert server.asked == ["host"]


def test_all_addresses_of_a_host_refuse() -> None:
    with fleet(dead=1) as urls, board(NameServer(host=["127.0.0.1"] * 50)) as (made, outcome):
        made.ask(Connection("a", find(urls["dead 0"].replace("127.0.0.1", "host")), made), time.monotonic())
        assert str(outcome()).startswith("refuses connections")
        assert made.open == made.in_flight == 0


def test_a_name_server_that_is_dead_delays_nobody() -> None:
    server = NameServer()
    with fleet(1) as urls, board(server, timeout=0.3) as (made, outcome):
        (url,) = urls.values()
        dead = Connection("dead", find("http://dead:80"), made)
        for _ in range(2):
            made.ask(dead, time.monotonic())
            made.ask(Connection("a", find(url), made), time.monotonic())
            assert not isinstance(outcome(), Trouble)
            assert str(outcome()) == "cannot be found within 0.3 s: no name server answers"
    server.end.set()


def test_this_host_has_a_name() -> None:
    with fleet(1) as urls, board() as (made, outcome):
        (url,) = urls.values()
        made.ask(Connection("a", find(url.replace("127.0.0.1", "localhost")), made), time.monotonic())
        assert not isinstance(outcome(), Trouble), "it listens on one of its addresses only"


def test_the_least_recently_used_makes_room() -> None:
    with fleet(3) as urls, board() as (made, outcome):
        made.most = 2
        a, b, c = (Connection(key, find(url), made) for key, url in urls.items())
        for each in (a, b, a, c):
            made.ask(each, time.monotonic())
            assert not isinstance(outcome(), Trouble)
        assert [each.is_open for each in (a, b, c)] == [True, False, True]


def test_nobody_makes_room_who_is_asked() -> None:
    with fleet(2, ["hang"]) as urls, board() as (made, outcome):
        made.most = 2
        a, b, hangs = (Connection(key, find(url), made) for key, url in urls.items())
        made.ask(hangs, time.monotonic())
        for each in (a, b):
            made.ask(each, time.monotonic())
            assert not isinstance(outcome(), Trouble)
        assert [each.is_open for each in (a, b, hangs)] == [False, True, True]
        assert made.in_flight == 1
        made.drop(hangs)
        assert made.in_flight == 0
        assert made.open == 1
