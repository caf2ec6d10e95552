"""Names of hosts are looked up beside the polls."""

from __future__ import annotations

import threading

import pytest

from mtop.poll.names import Names
from mtop.poll.trouble import Trouble
from tests.mtop.poll.running import NameServer, wait

PLACES: dict[str, list[str]] = {"one": ["10.0.0.1"], "two": ["10.0.0.1", "10.0.0.2"]}


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
    wait(lambda: all(each.name != "mtop looks names up" for each in threading.enumerate()))
    assert not asking.rung.is_set(), "nobody is there any more"
