"""Names of hosts are looked up beside the polls."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from mtop.poll.board import Board
from mtop.poll.connection import Connection, Outcome
from mtop.poll.names import Names
from mtop.poll.trouble import Trouble
from mtop.poll.where import find
from tests.mtop.fleet_server import fleet

PLACES: dict[str, list[str]] = {"one": ["10.0.0.1"], "two": ["10.0.0.1", "10.0.0.2"]}


class NameServer:
    """Stands for ``socket.getaddrinfo``; ``dead`` ones hang until the end."""

    def __init__(self, **addresses: list[str]) -> None:
        self.addresses = addresses
        self.asked: list[str] = []
        self.end = threading.Event()

    def __call__(self, host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        self.asked.append(host)
        if host.startswith("dead"):
            self.end.wait(20)
        if host == "x" * 70:
            raise UnicodeError("label too long")
        if host not in self.addresses:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in self.addresses[host]]


class Asking:
    """Names, by a clock that is handed in."""

    def __init__(self, server: NameServer) -> None:
        self.now = 100.0
        self.rung = threading.Event()
        self.told: list[str] = []
        self.names = Names(self.rung.set, lambda: self.now, server)

    def find(self, host: str) -> list[str] | None:
        found = self.names.find(host, 80, self.tell)
        return None if found is None else [place for _, (place, *_) in found]

    def tell(self) -> None:
        self.told.append("told")

    def wait(self) -> None:
        assert self.rung.wait(10)
        self.rung.clear()
        self.names.arrived()


@pytest.mark.parametrize("literal", ["127.0.0.1", "::1", "10.1.2.3"])
def test_an_address_is_looked_up_by_nobody(literal: str) -> None:
    server = NameServer()
    assert Asking(server).find(literal) == [literal]
    assert server.asked == []


def test_a_name_is_looked_up_once_and_kept_for_a_while() -> None:
    server = NameServer(**PLACES)
    asking = Asking(server)
    assert asking.find("two") is None
    assert asking.find("two") is None
    asking.wait()
    assert asking.told == ["told"], "the same one is told once"
    assert asking.find("two") == PLACES["two"]
    asking.now += 29.0
    assert asking.find("two") == PLACES["two"]
    assert server.asked == ["two"]
    asking.now += 2.0
    assert asking.find("two") is None
    asking.wait()
    assert server.asked == ["two", "two"]


@pytest.mark.parametrize("name", ["nobody", "x" * 70])
def test_a_name_that_is_none_is_trouble_for_a_moment(name: str) -> None:
    server = NameServer()
    asking = Asking(server)
    assert asking.find(name) is None
    asking.wait()
    with pytest.raises(Trouble, match="cannot be found: "):
        asking.find(name)
    asking.now += 6.0
    assert asking.find(name) is None


def test_an_address_that_does_not_answer_is_doubted() -> None:
    server = NameServer(**PLACES)
    asking = Asking(server)
    asking.find("one")
    asking.wait()
    asking.names.doubt("one", 80)
    assert asking.find("one"), "it has only just been looked up"
    asking.now += 6.0
    asking.names.doubt("one", 80)
    asking.names.doubt("never asked", 80)
    assert asking.find("one") is None


def test_names_that_hang_leave_room_for_others() -> None:
    server = NameServer(**PLACES)
    asking = Asking(server)
    for number in range(3):
        asking.find(f"dead {number}")
    asking.find("one")
    asking.wait()
    assert asking.find("one") == PLACES["one"]
    before = threading.active_count()
    for number in range(20):
        asking.find(f"dead too {number}")
    assert threading.active_count() <= before + 1
    asking.names.close()
    server.end.set()


def test_the_end_waits_for_nothing() -> None:
    server = NameServer()
    asking = Asking(server)
    asking.find("dead")
    asking.names.close()
    server.end.set()
    end = time.monotonic() + 10
    while any(each.name == "mtop looks names up" for each in threading.enumerate()) and time.monotonic() < end:
        time.sleep(0.01)
    assert not asking.rung.is_set(), "nobody is there any more"


@contextmanager
def board(server: NameServer, timeout: float = 5.0) -> Iterator[tuple[Board, Callable[[], Outcome]]]:
    outcomes: list[Outcome] = []
    made = Board(timeout, lambda _, outcome: outcomes.append(outcome), time.monotonic, server)
    made.most = 10

    def wait() -> Outcome:
        end = time.monotonic() + 20
        while not outcomes and time.monotonic() < end:
            made.turn(0.1)
        return outcomes.pop()

    try:
        yield made, wait
    finally:
        made.close()
        server.end.set()


def test_another_address_of_a_host_is_tried() -> None:
    # All of 127.0.0.0/8 is this host; the fleet listens on one of them.
    server = NameServer(host=["127.0.0.9", "127.0.0.8", "127.0.0.1"])
    with fleet(1) as urls, board(server) as (made, wait):
        (url,) = urls.values()
        connection = Connection("a", find(url.replace("127.0.0.1", "host")), made)
        for _ in range(3):
            made.ask(connection, time.monotonic())
            assert not isinstance(wait(), Trouble)
    assert server.asked == ["host"]


def test_all_addresses_of_a_host_refuse() -> None:
    with fleet(dead=1) as urls, board(NameServer(host=["127.0.0.1"] * 50)) as (made, wait):
        made.ask(Connection("a", find(urls["dead 0"].replace("127.0.0.1", "host")), made), time.monotonic())
        assert str(wait()).startswith("refuses connections")
        assert made.open == made.in_flight == 0


def test_a_name_server_that_is_dead_delays_nobody() -> None:
    with fleet(1) as urls, board(NameServer(), timeout=0.3) as (made, wait):
        (url,) = urls.values()
        dead = Connection("dead", find("http://dead:80"), made)
        for _ in range(2):
            made.ask(dead, time.monotonic())
            made.ask(Connection("a", find(url), made), time.monotonic())
            assert not isinstance(wait(), Trouble)
            assert str(wait()) == "cannot be found within 0.3 s: no name server answers"


def test_this_host_has_a_name() -> None:
    with fleet(1) as urls:
        (url,) = urls.values()
        outcomes: list[Outcome] = []
        made = Board(5.0, lambda _, outcome: outcomes.append(outcome), time.monotonic)
        try:
            made.ask(Connection("a", find(url.replace("127.0.0.1", "localhost")), made), time.monotonic())
            end = time.monotonic() + 20
            while not outcomes and time.monotonic() < end:
                made.turn(0.1)
        finally:
            made.close()
    assert not isinstance(outcomes[0], Trouble), "it listens on one of its addresses only"
