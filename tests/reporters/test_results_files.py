"""``--results``: who gets which file, and what is done to one that is there."""

from __future__ import annotations

import csv
import fcntl
import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minionize.errors import ReporterError, SettingsError
from minionize.records import read_records
from minionize.reporters.results import ResultsReporter, file_name
from minionize.task import RECORD_FIELDS, Record, Task
from minionize.testing.reporter import make_record


def reporter(path: Path | str, minion: str = "m1") -> ResultsReporter:
    made = ResultsReporter(path)
    made.minion = minion
    made.open()
    return made


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def ids(path: Path) -> list[str]:
    return [record["id"] for record in read_records(path)]


def test_no_place_is_an_error_of_the_user() -> None:
    with pytest.raises(SettingsError, match="--results PATH"):
        ResultsReporter()


def test_a_dash_is_no_file_of_that_name() -> None:
    with pytest.raises(SettingsError, match="--reporter stdout"):
        ResultsReporter("-")


def test_a_second_minion_gets_a_file_of_its_own(tmp_path: Path) -> None:
    first, second = reporter(tmp_path / "out.jsonl", "m1"), reporter(tmp_path / "out.jsonl", "m2")
    first.report(make_record("one"))
    second.report(make_record("two"))
    first.close()
    second.close()
    assert ids(tmp_path / "out.jsonl") == ["one"]
    assert ids(tmp_path / "out.m2.jsonl") == ["two"]
    assert first.note == ""
    assert "out.m2.jsonl" in second.note


def test_the_file_is_free_when_its_minion_is_gone(tmp_path: Path) -> None:
    for minion in ("m1", "m2"):
        mine = reporter(tmp_path / "out", minion)
        mine.report(make_record(minion))
        mine.close()
    assert ids(tmp_path / "out") == ["m1", "m2"]


def test_without_locks_each_minion_has_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(fd: int, operation: int) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    mine = reporter(tmp_path / "out.csv", "m1")
    mine.report(make_record("a"))
    mine.close()
    assert [row["id"] for row in rows(tmp_path / "out.m1.csv")] == ["a"]
    assert mine.note


def test_an_existing_file_is_added_to(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_text('{"id": "old"}\n{"id": "torn')
    mine = reporter(path)
    mine.report(make_record("new"))
    mine.close()
    assert path.read_text().startswith('{"id": "old"}\n{"id": "torn\n')
    assert ids(path) == ["old", "new"]


@pytest.mark.parametrize("cut", [0, 10, 400, -1, -3, -60])
def test_a_table_has_one_header_whatever_was_torn(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "out.csv"
    first = reporter(path)
    first.report(make_record("a", 'with "quotes"\nand lines'))
    first.close()
    whole = path.read_bytes()
    path.write_bytes(whole[:cut])
    second = reporter(path)
    second.report(make_record("b"))
    second.close()
    assert rows(path)[-1]["id"] == "b"
    assert path.read_text().count("redelivered") == 1
    assert path.read_bytes().startswith(whole[:cut])


def test_another_table_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("x,y\n1,2\n")
    with pytest.raises(ReporterError, match="another table"):
        reporter(path)
    assert path.read_text() == "x,y\n1,2\n"


def test_the_header_is_that_of_the_records(tmp_path: Path) -> None:
    mine = reporter(tmp_path / "out.CSV")
    mine.report(make_record())
    mine.close()
    assert (tmp_path / "out.CSV").read_text().splitlines()[0] == ",".join(RECORD_FIELDS)


def test_a_directory_that_is_there_holds_a_file_for_each_param(tmp_path: Path) -> None:
    mine = reporter(tmp_path)
    mine.report(make_record("a/b", stdout="to stdout", stderr="to stderr"))
    assert json.loads((tmp_path / "a%2Fb.json").read_text())["id"] == "a/b"
    assert (tmp_path / "a%2Fb.stdout").read_text() == "to stdout"
    assert (tmp_path / "a%2Fb.stderr").read_text() == "to stderr"
    assert len(os.listdir(tmp_path)) == 3


def test_each_attempt_has_its_files(tmp_path: Path) -> None:
    mine = reporter(f"{tmp_path}/")
    record = make_record("a", stdout=None, stderr=None)
    for attempt in (1, 2):
        mine.report(Record(Task("p", "a", attempt, attempt > 1, 1, 1, "m"), record.outcome, "nack", "host"))
    assert sorted(os.listdir(tmp_path)) == ["a.json", "a@2.json"]


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ReporterError, match=r"file.*--results"):
        reporter(tmp_path / "file" / "out.jsonl")


@given(st.text(), st.text(), st.integers(1, 3), st.integers(1, 3))
def test_file_names_are_safe_and_distinct(one: str, other: str, attempt: int, again: int) -> None:
    name = file_name(one, attempt)
    assert name
    assert not name.startswith(".")
    assert "/" not in name
    assert name.isascii()
    assert name.isprintable()
    assert len(name) < 200
    assert (name == file_name(other, again)) == ((one, attempt) == (other, again))


def test_a_long_id_keeps_its_name_short() -> None:
    assert len(file_name("x" * 5000, 12)) < 200
    assert file_name("x" * 5000, 1) != file_name("x" * 5001, 1)
