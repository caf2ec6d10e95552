"""Threads that wait for children."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from minionize import ProcessCallback
from minionize.worker.waiters import Waiters
from tests.worker.running import run, until, words


class Seen:
    """What the threads did."""

    def __init__(self) -> None:
        self.turn = threading.Lock()
        self.ended: list[tuple[int, str]] = []
        self.errors: list[BaseException] = []
        self.after = 0
        self.waiters = Waiters(self.turn, self.began, self.errors.append)

    def began(self) -> None:
        assert self.turn.locked()
        self.after += 1

    def watch(self, code: int, more: int = 0) -> bool:
        """Start a child that exits with ``code``, and after it ``more`` others, one after the other."""
        pid = os.posix_spawn("/bin/sh", ["sh", "-c", f"exit {code}"], {})

        def ended() -> None:
            assert self.turn.locked()
            self.ended.append((os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), threading.current_thread().name))
            if more:
                self.watch(code + 1, more - 1)
            if code == 99:
                raise ZeroDivisionError

        return self.waiters.watch(pid, ended)


@pytest.fixture
def seen() -> Iterator[Seen]:
    seen = Seen()
    before = threading.active_count()
    yield seen
    seen.waiters.close()
    assert threading.active_count() == before


def test_what_is_started_at_an_end_is_waited_for_by_the_same_thread(seen: Seen) -> None:
    with seen.turn:
        assert seen.watch(1, more=3)
        assert seen.watch(11)
    until(lambda: len(seen.ended) == 5)
    chains = [[end for end in seen.ended if end[0] < 10], [end for end in seen.ended if end[0] > 10]]
    assert [code for code, _ in chains[0]] == [1, 2, 3, 4]
    assert len({name for _, name in chains[0]}) == 1
    assert {name for _, name in chains[0]} != {name for _, name in chains[1]}
    until(lambda: seen.after == 5)


def test_a_thread_that_has_nothing_to_do_is_used_again(seen: Seen) -> None:
    for number in range(3):
        with seen.turn:
            assert seen.watch(number)
        until(lambda count=number: seen.after == count + 1)  # type: ignore[misc]
        with seen.turn:
            pass  # its thread has seen that there is nothing more
    assert {name for _, name in seen.ended} == {"waiter 0"}


def test_what_an_end_raises_is_told_and_the_thread_goes_on(seen: Seen) -> None:
    with seen.turn:
        assert seen.watch(99)
    until(lambda: seen.errors)
    with seen.turn:
        assert seen.watch(1)
    until(lambda: len(seen.ended) == 2)
    assert [type(error) for error in seen.errors] == [ZeroDivisionError]


def test_a_child_that_somebody_else_has_waited_for(seen: Seen) -> None:
    pid = os.posix_spawn("/bin/true", ["true"], {})
    os.waitpid(pid, 0)
    with seen.turn:
        assert seen.waiters.watch(pid, lambda: seen.ended.append((0, "")))
    until(lambda: seen.ended)


def test_more_slots_than_threads() -> None:
    ran = run(words("sh", "-c", "echo $MINION_SLOT"), range(200), slots=70, output="none")
    assert ran.left == (200, 0, 0, 0)
    assert {record.task.slot for record in ran.records} > set(range(1, 60))


class WhereFrom(ProcessCallback):
    """Remembers in which threads it was called."""

    def __init__(self) -> None:
        self.threads: set[threading.Thread] = set()

    def to_cmd(self, param: Any) -> list[str]:
        self.threads.add(threading.current_thread())
        return ["true"]


def test_code_of_users_runs_in_the_main_thread() -> None:
    callback = WhereFrom()
    assert run(callback, range(20), slots=2).left == (20, 0, 0, 0)
    assert callback.threads == {threading.main_thread()}
