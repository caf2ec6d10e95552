from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minionize.errors import SettingsError
from minionize.reporters.results import row
from minionize.status.readers.files import Replaced, Tail
from minionize.status.readers.places import Places
from minionize.status.run import Run
from minionize.task import RECORD_FIELDS, Outcome, OutcomeKind, Record, Task
from tests.status.making import NOON, OLD, line, record


def read(tail: Tail) -> list[Run]:
    return [run for batch in tail.read() for run in batch.runs]


def csv_of(*records: Record) -> bytes:
    return ",".join(RECORD_FIELDS).encode() + b"\n" + b"".join(map(row, records))


def result(param: str = "p", stdout: str | None = None, reason: str | None = None) -> Record:
    kind = OutcomeKind.FAILED if reason else OutcomeKind.SUCCEEDED
    task = Task(param, f"{param}-1", 1, False, 2, 7, "m1")
    return Record(task, Outcome(kind, NOON, NOON + 2, 3, None, reason, stdout=stdout), "ack", "h1")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "m1.jsonl"


def test_lines(path: Path) -> None:
    failed = record("failed", 3, 2, exit_code=3, stderr="oops\n", labels={"job": "7", "rack": "b"}, settled="dead")
    path.write_bytes(line() + json.dumps(failed).encode() + b"\n")
    first, second = read(Tail(str(path)))
    assert (first.outcome, first.started, first.ended, first.host, first.minion) == (
        "succeeded", NOON, NOON + 1, "h1", "m1",
    )  # fmt: skip
    assert (second.exit_code, second.stderr, second.settled) == (3, "oops\n", "dead")
    assert second.labels is not None
    assert second.labels.job == "7"


@pytest.mark.parametrize(
    "bad",
    [
        b"{}", b"[]", b"null", b"word", b"\xff\xfe", b"{" * 100_000, b"[" * 100_000, b'{"a":' * 100_000,
        json.dumps(record(outcome="odd")).encode(), json.dumps(record() | {"started": "x"}).encode(),
        json.dumps(record() | {"started": 1e300}).encode(), json.dumps(record() | {"ended": -5}).encode(),
        line()[:-20], b"\x00" * 50,
    ],
)  # fmt: skip
def test_what_is_no_record_is_passed_over(path: Path, bad: bytes) -> None:
    path.write_bytes(line() + bad + b"\n" + line())
    tail = Tail(str(path))
    assert len(read(tail)) == 2
    assert tail.passed_over == 1


@pytest.mark.parametrize("param", [float("nan"), "\ud800", 10**400, [[[]]], {"a": float("inf")}])
def test_what_only_python_reads_is_a_record_too(path: Path, param: Any) -> None:
    odd = json.dumps(record(param=param, stderr="caf\udce9\n")).encode() + b"\n"
    path.write_bytes(line() + odd + line())
    assert [each.stderr for each in read(Tail(str(path)))] == [None, "caf\udce9\n", None]


def test_a_torn_line_is_read_when_it_is_whole(path: Path) -> None:
    tail, whole = Tail(str(path)), line(id="second")
    path.write_bytes(line() + whole[:50])
    assert len(read(tail)) == 1
    assert read(tail) == []
    with path.open("ab") as file:
        file.write(whole[50:])
    assert [each.id for each in read(tail)] == ["second"]
    assert read(tail) == []
    assert tail.passed_over == 0


def test_a_last_line_without_its_end_counts_once(path: Path) -> None:
    tail = Tail(str(path))
    path.write_bytes(line() + line(id="last")[:-1])
    assert len(read(tail)) == 2
    with path.open("ab") as file:
        file.write(b"\n" + line())
    assert len(read(tail)) == 1


@given(st.lists(st.integers(0, 2000), max_size=6), st.booleans())
def test_a_file_read_while_it_grows_says_the_same(tmp_path_factory: Any, cuts: list[int], table: bool) -> None:
    path = tmp_path_factory.mktemp("growing") / "records"
    records = [result(f"p{number}", stdout='a "b"\nc,\r\nd' * number) for number in range(4)]
    data = csv_of(*records) if table else b"".join(line(id=f"p{number}-1") for number in range(4))
    tail, found, before = Tail(str(path)), [], 0
    for cut in [*sorted(cuts), len(data)]:
        with path.open("ab") as file:
            file.write(data[before:cut])
        before = max(before, min(cut, len(data)))
        found += [each.id for each in read(tail)]
    assert found == [f"p{number}-1" for number in range(4)]
    assert tail.passed_over == 0


def test_a_file_that_was_replaced_is_seen(path: Path) -> None:
    path.write_bytes(line() + line())
    tail = Tail(str(path))
    read(tail)
    path.write_bytes(line())
    with pytest.raises(Replaced):
        read(tail)
    tail = Tail(str(path))
    read(tail)
    other = path.with_suffix(".new")
    other.write_bytes(line() * 9)
    os.replace(other, path)
    with pytest.raises(Replaced):
        read(tail)


def test_an_endless_line_takes_no_endless_memory(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("minionize.status.readers.files._LONGEST", 4 << 20)
    path.write_bytes(line() + b"x" * (20 << 20) + b"\n" + line())
    tail = Tail(str(path))
    assert len(read(tail)) == 2
    assert tail.passed_over


def test_a_pipe_is_read_once() -> None:
    reader, writer = os.pipe()
    os.write(writer, line() * 3)
    os.close(writer)
    tail = Tail(f"/dev/fd/{reader}")
    assert len(read(tail)) == 3
    assert read(tail) == []
    os.close(reader)


def test_table(path: Path) -> None:
    path.write_bytes(csv_of(result(stdout='1,"2"\n\n"3"'), result("q", reason="exit code 3")))
    first, second = read(Tail(str(path)))
    assert (first.outcome, first.started, first.ended, first.id, first.slot) == (
        "succeeded", NOON, NOON + 2, "p-1", 2,
    )  # fmt: skip
    assert (second.outcome, second.reason, second.exit_code) == ("failed", "exit code 3", 3)


def test_table_with_other_columns_in_another_order(path: Path) -> None:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerows([["host", "ended", "mine", "started", "outcome"], ["h9", "12.5", "x", "10", "failed"]])
    writer.writerows([["h9"], ["h9", "word", "x", "10", "failed"], ["h9", "13", "", "11", "succeeded"]])
    path.write_text("\ufeff" + text.getvalue())
    tail = Tail(str(path))
    assert [(each.host, each.started, each.ended) for each in read(tail)] == [("h9", 10, 12.5), ("h9", 11, 13)]
    assert tail.passed_over == 2


def test_old_reports() -> None:
    places = Places([str(OLD)], print)
    runs = [each for batch in places.read() for each in batch.runs]
    assert len(runs) == 12
    assert {each.minion for each in runs} == {file.name for file in OLD.iterdir()}
    assert {each.host for each in runs} == {"node-1"}
    assert {each.job for each in runs} == {None, "2093410"}
    failed = [each for each in runs if each.outcome == "failed"]
    assert sorted(each.exit_code or 0 for each in failed) == [3, 3, 137]
    assert all("'size': 3" in str(each.reason) for each in failed if each.exit_code == 3)
    assert all(0 < each.ended - each.started < 1 for each in runs)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, ("succeeded", 12.0, 15.0)),
        ({"atomic_actions": [{"name": "next", "start": 10, "end": 11}]}, ("succeeded", 11.0, 16.0)),
        ({"atomic_actions": []}, ("succeeded", 10.0, 16.0)),
        ({"error": "boom"}, ("failed", 12.0, 15.0)),
        ({"error": "Command 'x' died with <Signals.SIGKILL: 9>."}, ("failed", 12.0, 15.0)),
        ({"param": float("nan")}, ("succeeded", 12.0, 15.0)),
    ],
)
def test_old_line(path: Path, change: dict[str, Any], expected: tuple[str, float, float]) -> None:
    names = ["next", "setup", "process", "teardown"]
    actions = [{"name": name, "start": 10 + at, "end": 11 + at if at != 2 else 15} for at, name in enumerate(names)]
    old = {
        "uid": "u", "generation": 1, "start": 10, "end": 16, "param": {"x": 1}, "error": None,
        "atomic_actions": actions, "nodename": "n", **change,
    }  # fmt: skip
    path.write_text(json.dumps(old) + "\n")
    (found,) = read(Tail(str(path)))
    assert (found.outcome, found.started, found.ended) == expected
    assert found.signal == (9 if "SIGKILL" in str(change) else None)


def test_a_directory_is_read_with_what_comes_into_it_later(tmp_path: Path) -> None:
    places = Places([str(tmp_path)], print)
    assert list(places.read()) == []
    (tmp_path / "a.jsonl").write_bytes(line())
    (tmp_path / "p.json").write_bytes(line())
    (tmp_path / "t.csv").write_bytes(csv_of(result()))
    for name in (".cache.pickle", ".m.draft", "notes.txt", "p.stdout"):
        (tmp_path / name).write_bytes(line())
    assert sum(len(batch.runs) for batch in places.read()) == 3
    (tmp_path / "b.jsonl").write_bytes(line())
    assert sum(len(batch.runs) for batch in places.read()) == 1
    assert places.files == 4


def test_a_file_named_twice_is_read_once(path: Path) -> None:
    path.write_bytes(line())
    places = Places([str(path), str(path.parent), str(path)], print)
    assert sum(len(batch.runs) for batch in places.read()) == 1


def test_a_file_that_cannot_be_read_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(line())
    (tmp_path / "b.jsonl").symlink_to(tmp_path / "gone")
    said: list[str] = []
    places = Places([str(tmp_path)], said.append)
    assert sum(len(batch.runs) for batch in places.read()) == 1
    list(places.read())
    assert len(said) == 1
    assert "b.jsonl" in said[0]


@pytest.mark.parametrize("name", ["gone", "gone/a.jsonl", "a\0b"])
def test_a_place_that_is_not_there_is_named_with_the_remedy(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match="--reporter json"):
        Places([str(tmp_path / name)], print)
