"""Waiting for descriptors."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from minionize.events import Events


@pytest.fixture
def events() -> Iterator[Events]:
    events = Events()
    yield events
    events.close()


def test_what_was_written_comes_before_the_end(events: Events) -> None:
    seen: list[str] = []
    ours, theirs = os.pipe()
    end, ends = os.pipe()
    events.watch_last(end, lambda: seen.append("end"))
    events.watch(ours, lambda: seen.append("data"))
    os.write(ends, b"x")
    os.write(theirs, b"x")
    events.run(1.0)
    assert seen == ["data", "end"]
    for fd in (ours, theirs, end, ends):
        events.forget(fd)
        os.close(fd)
    events.run(0.0)
    assert seen == ["data", "end"]


@pytest.mark.parametrize("once", [False, True], ids=["last", "once"])
def test_a_copy_of_a_closed_descriptor_speaks_for_no_other(events: Events, once: bool) -> None:
    """A process that is just being started holds copies of ours for a moment: what is closed here lives on there."""
    seen: list[str] = []
    watch, close = (events.watch_once, os.close) if once else (events.watch_last, events.close_fd)
    ours, theirs = os.pipe()

    def first() -> None:
        seen.append("first")
        close(ours)

    watch(ours, first)
    copy = os.dup(ours)
    os.write(theirs, b"x")
    events.run(1.0)
    assert seen == ["first"]
    other, others = os.pipe()
    assert other == ours, "the next descriptor gets the number of the closed one"
    watch(other, lambda: seen.append("other"))
    events.run(0.05)
    assert seen == ["first"]
    os.write(others, b"x")
    events.run(1.0)
    assert seen == ["first", "other"]
    for fd in (theirs, copy, other, others):
        os.close(fd)


def test_once_is_once_and_last(events: Events) -> None:
    seen: list[str] = []
    ours, theirs = os.pipe()
    end, ends = os.pipe()
    events.watch_once(end, lambda: seen.append("end"))
    events.watch(ours, lambda: seen.append("data"))
    os.write(ends, b"x")
    os.write(theirs, b"x")
    events.run(1.0)
    events.run(0.0)
    assert seen == ["data", "end", "data"]
    for fd in (ours, theirs, end, ends):
        os.close(fd)


def test_what_one_handler_raises_does_not_silence_another(events: Events) -> None:
    seen: list[str] = []
    pipes = [os.pipe() for _ in range(2)]

    def handler() -> None:
        seen.append("called")
        if len(seen) == 1:
            raise ZeroDivisionError

    for ours, theirs in pipes:
        events.watch_once(ours, handler)
        os.write(theirs, b"x")
    with pytest.raises(ZeroDivisionError):
        events.run(1.0)
    events.run(0.0)
    assert seen == ["called", "called"]
    for end in sum(pipes, ()):
        os.close(end)


def test_news_of_another_descriptor_do_not_end_a_child(events: Events) -> None:
    """What came on a descriptor that was closed meanwhile may be taken for news of a child that has its number now."""
    seen: list[str] = []
    ours, theirs = os.pipe()
    pid = os.posix_spawn("/bin/sh", ["sh", "-c", "read line"], {}, file_actions=[(os.POSIX_SPAWN_DUP2, ours, 0)])
    events.watch_exit(pid, lambda: seen.append("ended"))
    (pidfd,) = [
        int(fd) for fd in os.listdir("/proc/self/fdinfo") if f"Pid:\t{pid}\n" in _fdinfo(fd)
    ]  # fmt: skip
    with events.turn:
        events._handle([(pidfd, 1)])
    events.run(0.0)
    assert seen == []
    os.write(theirs, b"\n")
    events.run(5.0)
    assert seen == ["ended"]
    os.waitpid(pid, 0)
    for end in (ours, theirs):
        os.close(end)


def _fdinfo(fd: str) -> str:
    try:
        return Path(f"/proc/self/fdinfo/{fd}").read_text()
    except FileNotFoundError:
        return ""
