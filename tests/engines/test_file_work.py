"""The file engine: retries, the done-journal, telling and filling."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from minionize.engine import EndOfQueue, EngineError, NotConnected
from minionize.engines.file import FileEngine
from minionize.testing import ManualClock
from minionize.testing.reporter import full_disk


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "params"
    path.write_text("a\nb\nc\nd\n")
    return path


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "done"


def opened(path: Path, journal: Path | None = None, **values: Any) -> FileEngine:
    engine = FileEngine(path=str(path), journal=journal and str(journal), **values)
    engine.open()
    return engine


def rest(engine: FileEngine) -> Iterator[Any]:
    """Ack all that is left."""
    try:
        while taken := engine.receive(10, 0.0):
            yield from (delivery.param for delivery in taken)
            engine.ack(taken)
    except EndOfQueue:
        return


def test_retries_come_before_new_lines_when_they_are_due(path: Path) -> None:
    clock = ManualClock()
    engine = opened(path, clock=clock)
    first, second = engine.receive(2, 0.0)
    engine.nack([first], delay=10.0)
    engine.nack([second])
    assert [delivery.param for delivery in engine.receive(2, 0.0)] == ["b", "c"]
    clock.advance(10.0)
    again = engine.receive(2, 0.0)
    assert [(delivery.param, delivery.attempt) for delivery in again] == [("a", 2), ("d", 1)]


def test_a_late_settlement_of_an_earlier_delivery_does_nothing(path: Path) -> None:
    engine = opened(path)
    old = engine.receive(1, 0.0)
    engine.nack(old)
    new = engine.receive(1, 0.0)
    engine.ack(old)
    engine.nack(new)
    assert list(rest(engine)) == ["a", "b", "c", "d"]


def test_opened_again_it_goes_on_where_it_was(path: Path) -> None:
    engine = opened(path)
    engine.ack(engine.receive(1, 0.0))
    engine.close()
    path.write_text("a\nb\nc\nd\ne\n")
    engine.open()
    assert list(rest(engine)) == ["b", "c", "d", "e"]


def test_a_rerun_resumes(path: Path, journal: Path) -> None:
    engine = opened(path, journal)
    assert not journal.exists(), "a run that does nothing leaves nothing"
    first, second, third = engine.receive(3, 0.0)
    engine.ack([first, third])
    engine.nack([second])
    engine.close()
    again = opened(path, journal)
    assert list(rest(again)) == ["b", "d"]
    again.close()
    third_run = opened(path, journal)
    assert list(rest(third_run)) == []
    assert len(journal.read_text().splitlines()) == 4


def test_a_journal_of_another_input_does_not_match(path: Path, journal: Path) -> None:
    list(rest(opened(path, journal)))
    path.write_text("A\nb\nC\n")
    assert list(rest(opened(path, journal))) == ["A", "C"]


def test_a_torn_journal_is_gone_on_with(path: Path, journal: Path) -> None:
    engine = opened(path, journal)
    engine.ack(engine.receive(2, 0.0))
    engine.close()
    journal.write_bytes(journal.read_bytes()[:-4])
    again = opened(path, journal)
    assert list(rest(again)) == ["b", "c", "d"]
    assert list(rest(opened(path, journal))) == []


def test_a_full_disk_is_not_connected_and_the_ack_can_be_repeated(path: Path, journal: Path) -> None:
    engine = opened(path, journal)
    engine.ack(engine.receive(1, 0.0))
    taken = engine.receive(2, 0.0)
    with full_disk(journal, left=3):
        for _ in range(2):
            with pytest.raises(NotConnected, match=str(journal)):
                engine.ack(taken)
    assert engine.receive(9, 0.0)[0].param == "d", "what could not be acked is still held"
    engine.ack(taken)
    engine.close()
    assert list(rest(opened(path, journal))) == ["d"]


def test_an_ack_is_one_write(path: Path, journal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = opened(path, journal)
    taken = engine.receive(4, 0.0)
    writes: list[bytes] = []

    def write(fd: int, data: bytes) -> int:
        writes.append(data)
        return len(data)

    monkeypatch.setattr(os, "write", write)
    engine.ack(taken)
    monkeypatch.undo()
    assert [data.count(b"\n") for data in writes] == [4]


def test_the_input_cannot_be_the_journal(path: Path) -> None:
    with pytest.raises(EngineError, match="cannot be the journal"):
        opened(path, path)
    assert path.read_text() == "a\nb\nc\nd\n"


@pytest.mark.parametrize("what", ["other", ".", "no/such/directory"])
def test_a_bad_journal_is_named(path: Path, tmp_path: Path, what: str) -> None:
    (tmp_path / "other").write_text("my notes\n")
    engine = FileEngine(path=str(path), journal=str(tmp_path / what))
    for _ in range(2):
        with pytest.raises(EngineError, match="FILE_JOURNAL"):
            engine.open()
    engine.close()


# Telling.


def test_backlog_counts_params_only(path: Path, journal: Path) -> None:
    list(rest(opened(path, journal)))
    path.write_text("a\n\nb\r\n \n\r\nlast")
    backlog = opened(path).backlog()
    assert backlog is not None
    assert backlog.ready == 3
    resumed = opened(path, journal)
    backlog = resumed.backlog()
    assert backlog is not None
    assert backlog.ready == len(list(rest(resumed))) == 2


def test_backlog_sees_what_is_appended(path: Path) -> None:
    engine = opened(path)
    engine.receive(1, 0.0)
    assert engine.backlog() is not None
    FileEngine(path=str(path)).put(["e", "f"])
    backlog = engine.backlog()
    assert backlog is not None
    assert (backlog.ready, backlog.in_flight) == (5, 1)


def test_a_file_that_takes_long_to_count_is_estimated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "long"
    path.write_bytes(b"a param\n" * 200_000)
    monkeypatch.setattr("minionize.engines.file._COUNT", -1.0)
    engine = opened(path)
    first = engine.backlog()
    assert first is not None
    assert not first.exact
    assert first.ready == pytest.approx(200_000, rel=0.01)
    for _ in range(100):
        backlog = engine.backlog()
    assert backlog is not None
    assert (backlog.ready, backlog.exact) == (200_000, True)


def test_backlog_of_a_pipe_is_unknown() -> None:
    read, write = os.pipe()
    engine = FileEngine(fd=read)
    engine.open()
    assert engine.backlog() is None
    os.close(read)
    os.close(write)


def test_a_redirected_file_counts_from_where_it_is(path: Path) -> None:
    with path.open("rb", buffering=0) as file:
        file.read(4)
        engine = FileEngine(fd=file.fileno())
        engine.open()
        backlog = engine.backlog()
        assert backlog is not None
        assert backlog.ready == 2
        assert list(engine.peek()) == ["c", "d"]
        assert list(rest(engine)) == ["c", "d"]


def test_peek_skips_what_is_done(path: Path, journal: Path) -> None:
    engine = opened(path, journal)
    engine.ack(engine.receive(2, 0.0))
    engine.close()
    assert list(opened(path, journal).peek(5)) == ["c", "d"]


def test_peek_at_a_pipe_consumes_it() -> None:
    read, write = os.pipe()
    os.write(write, b"a\nb\n\nc")
    os.close(write)
    engine = FileEngine(fd=read)
    engine.open()
    assert list(engine.peek()) == ["a", "b", "c"]
    with pytest.raises(EndOfQueue):
        engine.receive(1, 0.0)
    os.close(read)


# Filling.


@pytest.mark.parametrize(
    ("param", "words"),
    [
        ("two\nlines", "a line end.*FILE_NULL"),
        ("end\r", "a line end"),
        ("", "nothing but blanks"),
        (" \t", "nothing but blanks"),
        ({"a": 1}, "no text.*FILE_DECODER=json"),
        ("\ud800", "cannot be written as UTF-8"),
    ],
)
def test_what_no_line_can_hold_is_refused(path: Path, param: Any, words: str) -> None:
    with pytest.raises(EngineError, match=f"(?s){words}.*1 params were put"):
        FileEngine(path=str(path)).put(["e", param, "f"])
    assert path.read_text() == "a\nb\nc\nd\ne\n"


def test_nul_and_json_have_their_own_limits(path: Path) -> None:
    with pytest.raises(EngineError, match="a NUL byte"):
        FileEngine(path=str(path), null=True).put(["a\0b"])
    with pytest.raises(EngineError, match="no JSON value"):
        FileEngine(path=str(path), decoder="json").put([{1, 2}])


def test_a_torn_last_line_does_not_swallow_the_next(path: Path) -> None:
    path.write_text("a\nb")
    assert FileEngine(path=str(path)).put(["c"]) == 1
    assert path.read_text() == "a\nb\nc\n"


def test_many_params_are_put(tmp_path: Path) -> None:
    path = tmp_path / "new"
    assert FileEngine(path=str(path)).put(str(number) * 50 for number in range(20_000)) == 20_000
    assert path.read_text().count("\n") == 20_000


def test_standard_input_cannot_be_filled() -> None:
    with pytest.raises(EngineError, match="FILE_PATH"):
        FileEngine().put(["a"])


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"no/dir.*FILE_PATH"):
        FileEngine(path=str(tmp_path / "no/dir")).put(["a"])


def test_a_closed_engine_says_so(path: Path) -> None:
    with pytest.raises(NotConnected, match="open"):
        FileEngine(path=str(path)).receive(1, 0.0)
