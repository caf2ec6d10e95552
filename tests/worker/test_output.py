"""Where the output of runs goes."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from minionize.worker.output import Capture, Group, Lines, Output, Sink
from tests.worker.running import run, shell


@pytest.fixture
def sink(tmp_path: Path) -> tuple[Sink, Path]:
    path = tmp_path / "sink"
    fd = os.open(path, os.O_WRONLY | os.O_CREAT)
    return Sink(fd), path


def test_one_slot_passes_straight_through(capfd: pytest.CaptureFixture[str]) -> None:
    ran = run(shell("echo out $1; echo err $1 >&2"), ["a", "b"])
    captured = capfd.readouterr()
    assert captured.out == "out a\nout b\n"
    assert "err a\nerr b\n" in captured.err
    assert ran.records[0].outcome.stderr == "err a\n"
    assert ran.records[0].outcome.stdout is None, "what goes straight through is not seen"


def test_many_slots_never_interleave(capfd: pytest.CaptureFixture[str]) -> None:
    """100 kB each, in many writes, 8 at a time: whole or not at all."""
    script = 'i=0; while [ $i -lt 100 ]; do printf "%0999d\\n" $1; i=$((i+1)); done'
    ran = run(shell(script), range(16), slots=8)
    assert ran.code == 0
    lines = capfd.readouterr().out.splitlines()
    assert len(lines) == 1600
    blocks = [lines[i : i + 100] for i in range(0, 1600, 100)]
    assert all(len(set(block)) == 1 for block in blocks)
    assert sorted(int(block[0]) for block in blocks) == list(range(16))


def test_lines_are_whole_and_tagged(capfd: pytest.CaptureFixture[str]) -> None:
    script = 'for i in 1 2 3; do printf "%s-" $1; sleep 0.005; echo $i; done; printf "no end"'
    run(shell(script), ["a", "b", "c"], slots=3, output="line", tag=True)
    lines = capfd.readouterr().out.splitlines()
    wanted = [f"{p}\t{p}-{i}" for p in "abc" for i in (1, 2, 3)] + [f"{p}\tno end" for p in "abc"]
    assert sorted(lines) == sorted(wanted)


def test_tag_of_a_group(capfd: pytest.CaptureFixture[str]) -> None:
    run(shell("echo 1; echo 2; echo e >&2"), ["a\x1b[2J"], slots=2, tag=True)
    captured = capfd.readouterr()
    assert captured.out == "a\\x1b[2J\t1\na\\x1b[2J\t2\n"
    assert "a\\x1b[2J\te\n" in captured.err


def test_none_drops_it_and_keeps_the_evidence(capfd: pytest.CaptureFixture[str]) -> None:
    ran = run(shell("echo out; echo err >&2; exit 1"), output="none")
    captured = capfd.readouterr()
    assert captured.out == ""
    assert "err" not in captured.err
    assert (ran.record.outcome.stdout, ran.record.outcome.stderr) == ("out\n", "err\n")
    assert ran.queue.dead()[0].evidence["stderr"] == "err\n"


def test_captured_output_is_capped_and_its_size_told(capfd: pytest.CaptureFixture[str]) -> None:
    ran = run(
        shell("head -c 100000 /dev/zero | tr '\\0' x; (head -c 9000 /dev/zero | tr '\\0' y; echo end) >&2; exit 1"),
        slots=2,
    )
    outcome = ran.record.outcome
    assert (outcome.stdout_bytes, outcome.stderr_bytes) == (100000, 9004)
    assert outcome.stdout == "x" * 4096
    assert outcome.stderr == "y" * 4096
    assert outcome.stderr_tail.endswith("yend\n")
    assert len(outcome.stderr_tail) == 4096
    assert len(capfd.readouterr().out) == 100000


def test_output_of_one_run_does_not_reach_the_next(capfd: pytest.CaptureFixture[str]) -> None:
    ran = run(shell("echo $1 >&2; [ $1 != 1 ] || exit 1"), range(5), slots=2)
    assert {r.task.param: r.outcome.stderr for r in ran.records} == {n: f"{n}\n" for n in range(5)}


def test_first_bytes_come_early_where_one_slot_runs(tmp_path: Path) -> None:
    out = tmp_path / "out"
    fd = os.open(out, os.O_WRONLY | os.O_CREAT)
    saved = os.dup(1)
    os.dup2(fd, 1)
    try:
        ran = run(shell(f"echo first; until grep -q first {out}; do sleep 0.01; done"), timeout=5, output="group")
    finally:
        os.dup2(saved, 1)
        os.close(saved)
        os.close(fd)
    assert ran.code == 0


def test_the_mode_follows_the_slots() -> None:
    output = Output(None, 1, False, 10, "never")
    assert output.mode == "pass"
    output.fit(2)
    assert output.mode == "group"
    output.fit(1)
    assert output.mode == "pass"
    output.close()
    tagged = Output(None, 1, True, 10, "never")
    assert tagged.mode == "line"
    tagged.close()


def test_a_big_group_spills_to_a_file_and_comes_whole(sink: tuple[Sink, Path]) -> None:
    group = Group(sink[0], b"")
    data = os.urandom(65536)
    for _ in range(64):
        group.feed(data)
    assert group._file is not None
    assert len(group._held) <= 1 << 20
    assert sink[1].stat().st_size == 0
    group.end()
    assert sink[1].read_bytes() == data * 64


def test_a_big_group_without_room_for_a_file_is_held(sink: tuple[Sink, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    group = Group(sink[0], b"")
    for _ in range(20):
        group.feed(b"x" * 65536)
    group.end()
    assert sink[1].read_bytes() == b"x" * 65536 * 20


def test_a_line_without_end_is_passed_on_in_pieces(sink: tuple[Sink, Path]) -> None:
    lines = Lines(sink[0], b"")
    for _ in range(40):
        lines.feed(b"x" * 65536)
    assert sink[1].stat().st_size > 1 << 20
    lines.end()
    assert sink[1].read_bytes().count(b"x") == 65536 * 40


def test_capture_keeps_beginning_end_and_size() -> None:
    capture = Capture(4)
    for piece in (b"ab", b"cdef", b"\xff", b"z" * 5000):
        capture.feed(piece)
    assert (capture.head(), capture.total) == ("abcd", 5007)
    assert capture.tail() == "z" * 4096


def test_a_sink_that_fails_remembers_and_drops() -> None:
    ours, theirs = os.pipe()
    sink = Sink(theirs)
    sink.feed(b"fine")
    assert not sink.broken()
    os.close(ours)
    assert sink.broken()
    sink.feed(b"lost")
    sink.feed(b"lost")
    assert isinstance(sink.error, BrokenPipeError)
    os.close(theirs)


def test_a_sink_gives_up_only_when_told() -> None:
    ours, theirs = os.pipe()
    os.set_blocking(theirs, False)
    sink = Sink(theirs)
    sink.gives_up = lambda: True
    sink.feed(b"x" * (1 << 20))
    assert sink.error is not None
    assert "nobody reads" in str(sink.error)
    os.close(ours)
    os.close(theirs)
