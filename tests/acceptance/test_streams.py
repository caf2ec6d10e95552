"""Pipes in and out: params when they come, output at once, words and bytes untouched."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.acceptance.running import MINIONIZE, Place, until

pytestmark = pytest.mark.acceptance


def test_a_slow_producer_is_answered_as_it_comes(place: Place) -> None:
    minion = place.start("echo", stdin=subprocess.PIPE)
    with minion.stdin as sink:
        sink.write(b"a\n")
        # Nothing else is written before this has been seen.
        until(lambda: minion.out == "a\n", what="the first output")
        sink.write(b"b\n")
        until(lambda: minion.out == "a\nb\n", what="the second output")
        assert minion.process.poll() is None
    assert minion.wait() == 0
    assert minion.out == "a\nb\n"


def test_first_bytes_of_a_run_appear_early_with_one_slot(place: Place) -> None:
    minion = place.start("sh", "-c", "echo $1; until test -e go; do sleep 0.01; done", "sh", stdin=subprocess.PIPE)
    with minion.stdin as sink:
        sink.write(b"a\n")
        until(lambda: minion.out == "a\n", what="output of a run that goes on")
        place.script("go", "")
    assert minion.wait() == 0


def test_groups_are_whole_with_more_slots(place: Place) -> None:
    program = place.script("program", "#!/bin/sh\nfor n in 1 2 3 4; do echo $1; sleep 0.01; done\n")
    done = place.run("-j", "4", program, params="".join(f"{n}\n" for n in range(20)).encode())
    assert done.returncode == 0
    lines = done.stdout.split()
    assert lines == [word for word in lines[::4] for _ in range(4)]
    assert len(set(lines)) == 20


def test_a_reader_that_leaves(place: Place) -> None:
    place.sweep("range(500)")
    line = f"{MINIONIZE[0]} -m minionize yes | head -1; echo ${{PIPESTATUS[*]}}"
    done = place.run_program("bash", "-c", line, MINION_ENGINE="execo")
    assert done.stdout.splitlines()[1:] == [b"141 0"], done.stderr
    assert "dead" not in place.why(MINION_ENGINE="execo").replace("0 dead", "")
    rest = place.run("--max-params", "500", "true", MINION_ENGINE="execo")
    assert rest.returncode == 0
    assert place.sweeper("len(s.get_done()), s.get_inprogress()") == "500 set()"


@pytest.mark.parametrize("slots", ["1", "3"])
def test_a_reader_that_leaves_after_one_of_many(place: Place, slots: str) -> None:
    place.sweep("range(3000)")
    line = f"{MINIONIZE[0]} -m minionize -j {slots} echo | head -1; echo ${{PIPESTATUS[*]}}"
    done = place.run_program("bash", "-c", line, MINION_ENGINE="execo")
    assert done.stdout.splitlines()[1:] == [b"141 0"], done.stderr
    count, left = map(int, place.sweeper("len(s.get_done()), len(s.get_remaining())").split())
    assert count + left == 3000
    assert left > 0
    assert f"{left} ready" in place.why(MINION_ENGINE="execo")
    assert "0 dead-lettered" in place.why(MINION_ENGINE="execo")


SHOW = "#!/bin/sh\nprintf '[%s]' \"$@\"\n"


@pytest.mark.parametrize(
    ("words", "params", "output"),
    [
        (("--", "./a.out", "--", "-v"), b"p\n", b"[--][-v][p]"),
        (("./a.out", "--help", "-j", "--retries=2"), b"p\n", b"[--help][-j][--retries=2][p]"),
        (("./a.out", "--", "--", "{}x", "{y}"), b"p\n", b"[--][--][px][{y}]"),
        (("./a.out", b"\xfe\xff", ""), b"\xff\x80 $HOME;'\n", b"[\xfe\xff][][\xff\x80 $HOME;']"),
        (("-0", "./a.out"), b"a\nb\0\t\0", b"[a\nb][\t]"),
        (("--literal", "./a.out", "{}"), b"p\n", b"[{}][p]"),
        (("--shell", "./a.out {} | tr p q"), b"p'; id\n", b"[q'; id]"),
        (("-P1", "./a.out"), b"no end of line", b"[no end of line]"),
    ],
)
def test_pass_through(place: Place, words: tuple[str | bytes, ...], params: bytes, output: bytes) -> None:
    place.script("a.out", SHOW)
    done = place.run(*words, params=params)
    assert (done.returncode, done.stdout) == (0, output), done.stderr


def test_stdin(place: Place) -> None:
    big = b"x" * 300_000
    done = place.run("--stdin", "-0", sys.executable, "-c", "print(len(open(0).read()))", params=big + b"\0abc\0")
    assert (done.returncode, done.stdout) == (0, b"300000\n3\n")


def test_a_closed_stdin_of_a_shared_queue_is_no_matter(place: Place) -> None:
    place.sweep("range(3)")
    null = os.open(os.devnull, os.O_RDONLY)
    try:
        minion = place.start("cat", "/dev/stdin", "-", stdin=null, MINION_ENGINE="execo")
        assert minion.wait() == 1, "there is no file named 0"
    finally:
        os.close(null)
    assert "No such file" in minion.err
