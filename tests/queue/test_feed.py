from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from minionize.engines.memory import MemoryEngine, MemoryQueue
from minionize.errors import SettingsError
from minionize.queue.feed import Feed, put
from minionize.queue.stopping import STOPPING, Stopper

ME = os.getpid()


def fill(params: Iterator[object], stopper: Stopper) -> tuple[Feed, list[object]]:
    queue = MemoryQueue()
    feed = Feed(params, stopper)
    assert put(MemoryEngine(queue), feed, stopper) == feed.count
    return feed, queue.peek(None)


@pytest.mark.parametrize("number", STOPPING)
def test_a_stop_signal_ends_the_wait_for_the_next(number: int) -> None:
    def slow() -> Iterator[int]:
        yield 1
        yield 2
        os.kill(ME, number)
        signal.pause()
        raise AssertionError("the wait should have been over")

    stopper = Stopper()
    feed, found = fill(slow(), stopper)
    assert (feed.count, found, stopper.signal) == (2, [1, 2], number)
    assert stopper.name == signal.Signals(number).name
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_what_is_under_way_is_finished_first() -> None:
    stopper = Stopper()
    feed = Feed(iter("abc"), stopper)
    with stopper.listening():
        came = []
        for param in feed:
            os.kill(ME, signal.SIGTERM)
            came.append(param)
    assert (came, feed.count, stopper.signal) == (["a"], 1, signal.SIGTERM)


def test_the_second_signal_ends_everything() -> None:
    stopper = Stopper()
    with stopper.listening():
        os.kill(ME, signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            os.kill(ME, signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_what_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        stopper = Stopper()
        with stopper.listening():
            os.kill(ME, signal.SIGHUP)
        assert stopper.signal is None
    finally:
        signal.signal(signal.SIGHUP, before)


def test_what_came_before_a_fault_of_the_source_is_put() -> None:
    def wrong() -> Iterator[int]:
        yield 1
        raise SettingsError("line 2")

    feed, found = fill(wrong(), Stopper())
    assert (feed.count, found, str(feed.error)) == (1, [1], "line 2")


def test_a_source_that_is_wrong_from_its_beginning_touches_no_queue() -> None:
    def wrong() -> Iterator[int]:
        yield from ()
        raise SettingsError("line 1")

    with pytest.raises(SettingsError, match="line 1"):
        fill(wrong(), Stopper())


def test_a_stop_before_the_first_puts_nothing() -> None:
    def slow() -> Iterator[int]:
        os.kill(ME, signal.SIGTERM)
        signal.pause()
        yield 1

    feed, found = fill(slow(), Stopper())
    assert (feed.count, found) == (0, [])


def test_the_count_is_told() -> None:
    told: list[int] = []
    assert len(list(Feed(iter("abc"), Stopper(), told.append))) == 3
    assert told == [1, 2, 3]
