"""A whole fleet is polled, over real connections."""

from __future__ import annotations

import os
import socket
import time
from itertools import pairwise
from typing import Any

import pytest

from mtop.poll import Cost, Heard, Poller
from mtop.poll.heard import newest
from tests.mtop.fleet_server import GOOD, HOSTILE, Minion, fleet
from tests.mtop.poll.running import listening, polling, wait
from tests.server.fake import FakeMinion, serving

RESET = b"\1\0\0\0\0\0\0\0"
WHOLE = ("gzip", "schema 2", "NaN", "a page", "empty")
"""What is an answer, though none with numbers."""


def test_all_are_heard_again_and_again() -> None:
    with fleet(20) as urls, polling(urls) as fleet_heard:
        heard = fleet_heard.each(4, *urls)
    for key, said in heard.items():
        numbers = [each.stats for each in said if each.stats]
        assert len(numbers) == len(said)
        assert {each["id"] for each in numbers} == {key}
        received = [each["counters"]["received"] for each in numbers]
        assert received == list(range(1, 1 + 3 * len(said), 3)), "each poll is one question"
        assert all(0 <= each.took < 2 for each in said)
        assert [each.at for each in said] == sorted(each.at for each in said)


def test_what_is_unusual_but_good_is_read() -> None:
    with fleet(odd=GOOD) as urls, polling(urls) as unusual:
        heard = unusual.each(4, *urls)
    assert {key: each.trouble for key, said in heard.items() for each in said} == dict.fromkeys(GOOD)


def test_the_hostile_are_told_and_delay_nobody() -> None:
    with fleet(5, HOSTILE, dead=5) as urls, polling(urls, 0.05, timeout=3.0) as mixed:
        heard = mixed.each(1, *urls)
        # Between two polls: while one is under way its connection is open, whatever becomes of it. Some hang.
        wait(lambda: mixed.poller.cost.open <= 5 + len(WHOLE) + 2)
    for key, said in heard.items():
        troubles = {each.trouble for each in said}
        if not key.startswith("node"):
            assert None not in troubles, key
            assert not any(each.stats for each in said)
            continue
        assert troubles == {None}
        waits = [after.at - before.at for before, after in pairwise(said)]
        assert sorted(waits)[len(waits) // 2] < 1.5, "one of them hangs for twice as long"


def test_nothing_is_asked_for_that_has_not_changed() -> None:
    with fleet(idle=1) as urls, polling(urls, 0.01) as idle:
        heard = idle.until(lambda heard: sum(each.stats is None for each in heard) >= 3)
    assert {each.trouble for each in heard} == {None}
    assert [each.stats is None for each in heard[:3]] == [False, False, True]


def test_a_real_minion_answers() -> None:
    minion = FakeMinion()
    minion.wire["in_flight"] = {"count": 0, "oldest": None}
    with serving(minion) as live, polling({"a": live.url}, 0.02) as real:
        (*_, last) = real.until(lambda heard: sum(each.stats is None for each in heard) >= 3)
        assert last.trouble is None
        minion.wire["busy"] += 1
        heard = real.until(
            lambda heard: any(each.stats and each.stats["busy"] == minion.wire["busy"] for each in heard)
        )
    assert {each.trouble for each in heard} == {None}


def test_connections_are_kept() -> None:
    minion, accepted = Minion(0), list[int]()

    def serve(connection: socket.socket) -> None:
        accepted.append(1)
        while request := connection.recv(65_536):
            connection.sendall(minion.answer(request))

    with listening(serve) as port, polling({"a": f"http://127.0.0.1:{port}"}, 0.01) as kept:
        kept.each(10, "a")
    assert len(accepted) == 1


def test_an_answer_in_pieces_and_a_reset_between_two() -> None:
    minion = Minion(0)

    def serve(connection: socket.socket) -> None:
        for byte in minion.answer(connection.recv(65_536)):
            connection.send(bytes([byte]))
        time.sleep(0.05)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)

    with listening(serve) as port, polling({"a": f"http://127.0.0.1:{port}"}, 0.2) as broken:
        assert {each.trouble for each in broken.each(4, "a")["a"]} == {None}


def test_a_minion_that_hangs_up_at_the_moment_of_a_question() -> None:
    minion, accepted = Minion(0), list[int]()

    def serve(connection: socket.socket) -> None:
        accepted.append(1)
        connection.sendall(minion.answer(connection.recv(65_536)))
        connection.recv(65_536)

    with listening(serve) as port, polling({"a": f"http://127.0.0.1:{port}"}) as late:
        assert {each.trouble for each in late.each(5, "a")["a"]} == {None}
    assert len(accepted) >= 5


def test_a_minion_that_does_so_each_time_is_in_trouble() -> None:
    accepted: list[int] = []

    def serve(connection: socket.socket) -> None:
        accepted.append(1)
        connection.recv(65_536)

    with listening(serve) as port, polling({"a": f"http://127.0.0.1:{port}"}) as gone:
        assert {each.trouble for each in gone.each(2, "a")["a"]} == {"hangs up without an answer"}
    assert len(accepted) == 2, "it is asked once again only where it was connected before"


def test_a_reset_in_the_middle_of_an_answer() -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        time.sleep(0.05)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)

    with listening(serve) as port, polling({"a": f"http://127.0.0.1:{port}"}) as broken:
        assert broken.each(1, "a")["a"][0].trouble == "hangs up in the middle of its answer"


def test_who_is_alone_and_does_not_answer_is_asked_again() -> None:
    with fleet(odd=["hang"]) as urls, polling(urls, 0.01, timeout=0.05) as alone:
        heard = alone.each(3, "hang")["hang"]
    assert {each.trouble for each in heard} == {"does not answer within 0.05 s"}


def test_another_aim() -> None:
    with fleet(4) as urls:
        (a, one), (b, two), (c, three), (d, four) = urls.items()
        with polling({a: one, b: two, c: three}) as changing:
            changing.each(2, a, b, c)
            changing.poller.aim({b: two, c: four, d: four, "none": "ftp://x"})
            changing.until(lambda heard: heard[-1].key == "none")
            changing.heard.clear()
            heard = changing.each(3, b, c, d)
            assert a not in {each.key for each in changing.heard}
            assert {each.stats["id"] for each in heard[c] if each.stats} == {d}, "who answers is told"
            assert {each.stats["id"] for each in heard[b] if each.stats} == {b}
            (trouble,) = {each.trouble for each in changing.each(1, "none")["none"]}
            assert trouble is not None
            assert trouble.startswith("has an address that cannot be asked")


def test_what_was_heard_of_others_is_forgotten_with_them() -> None:
    with fleet(1, ["hang"]) as urls:
        poller = Poller(0.02, timeout=20.0)
        poller.start()
        try:
            poller.aim(urls)
            wait(lambda: poller.cost.polls >= 2 and poller.cost.open == 2)
            poller.aim({})
            wait(lambda: poller.cost.open == 0)
            assert poller.heard() == []
            assert poller.cost.in_flight == 0, "one of them was under way"
        finally:
            poller.close()


def test_whom_nobody_aims_at_any_more_has_no_outcome() -> None:
    with fleet(1, ["hang"]) as urls, polling(urls, 0.02, timeout=0.3) as leaving:
        key, *_ = urls
        leaving.until(lambda _: leaving.poller.cost.in_flight and leaving.heard)
        leaving.poller.aim({key: urls[key]})
        leaving.heard.clear()
        leaving.each(20, key)
        assert {each.key for each in leaving.heard} == {key}
        assert leaving.poller.cost.in_flight <= 1


def test_another_interval() -> None:
    with fleet(3) as urls, polling(urls, 3600.0) as slow:
        slow.each(1, *urls)
        slow.poller.set_interval(0.02)
        slow.each(5, *urls)


def test_few_files_may_be_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mtop.poll.poller.room_for", lambda wanted, open_now: 3)
    with fleet(12, dead=3) as urls, polling(urls) as crowded:
        heard = crowded.each(3, *urls)
        assert crowded.poller.cost.open <= 3
    assert {each.trouble for key in urls if key.startswith("node") for each in heard[key]} == {None}


def test_what_nobody_takes_does_not_pile_up() -> None:
    with fleet(2) as urls, polling(urls, 0.001) as busy:
        wait(lambda: busy.poller.cost.polls >= 100)
        heard = busy.poller.heard()
    assert {each.key for each in heard} == set(urls)
    assert len(heard) <= 8 + 2


def test_of_many_outcomes_the_newest_tell_everything() -> None:
    stats: Any = {"id": "a"}
    full, same, bad = (
        Heard("a", stats, None, 1.0, 1.0),
        Heard("a", None, None, 2.0, 2.0),
        Heard("a", None, "x", 3.0, 3.0),
    )
    assert newest([full, same, same]) == [same._replace(stats=stats)]
    assert newest([full, bad]) == [bad]
    assert newest([full, Heard("b", None, "x", 1.0, 1.0), full]) == [Heard("b", None, "x", 1.0, 1.0), full]


def test_a_fault_of_its_own_is_no_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    with fleet(1) as urls, polling(urls) as broken:
        monkeypatch.setattr(broken.poller, "_hear", fail)
        with pytest.raises(RuntimeError, match="polls no more") as raised:
            broken.until(lambda _: False)
    assert isinstance(raised.value.__cause__, ZeroDivisionError)


def test_what_it_costs_is_counted() -> None:
    with fleet(2, dead=1) as urls, polling(urls) as counted:
        assert Cost() == Cost(0, 0, 0, 0, 0, 0, 0.0)
        counted.each(3, *urls)
        cost = counted.poller.cost
    assert cost.polls >= 9
    assert 3 <= cost.failures <= cost.polls - 6
    assert cost.received > 6 * 1_000
    assert cost.open == 2
    assert 0 < cost.cpu < 5


def test_the_end_leaves_nothing_open() -> None:
    with fleet(10, ["hang"]) as urls:
        before = len(os.listdir("/dev/fd"))
        for _ in range(2):
            with polling(urls) as ending:
                ending.each(2, *(key for key in urls if key != "hang"))
                start = time.monotonic()
                ending.poller.close()
                ending.poller.close()
                assert time.monotonic() - start < 1.0
        # The fleet's ends of these connections are files of this process too.
        wait(lambda: len(os.listdir("/dev/fd")) <= before)


def test_one_that_never_began_can_be_closed() -> None:
    poller = Poller()
    poller.close()
    poller.close()
