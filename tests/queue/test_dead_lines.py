from __future__ import annotations

from pathlib import Path

import pytest

from minionize.engine import Delivery
from minionize.errors import ReporterError, SettingsError
from minionize.queue.dead_lines import DeadLines
from minionize.testing.reporter import room
from minionize.worker.dead_file import DeadFile


def bury(path: Path, *params: object, reason: str = "exit code 1") -> None:
    """As a minion does."""
    file = DeadFile(str(path), {}, "m1", lambda words: None)
    for number, param in enumerate(params):
        file.write(Delivery(param, f"{number}-{param}"), reason, {"exit_code": 1, "stderr": f"no {param}\n"})
    file.close()


def ids(path: Path) -> list[str]:
    return [letter.id for letter in DeadLines(path).letters()]


def test_what_a_minion_wrote_is_read(tmp_path: Path) -> None:
    bury(tmp_path / "dead", "a", {"x": 1})
    one, two = DeadLines(tmp_path / "dead").letters()
    assert (one.id, one.param, one.reason, two.param) == ("0-a", "a", "exit code 1", {"x": 1})
    assert one.evidence == {"exit_code": 1, "stderr": "no a\n", "file": str(tmp_path / "dead")}
    assert one.at > 0


def test_what_was_taken_back_is_dead_no_longer_until_it_dies_again(tmp_path: Path) -> None:
    path = tmp_path / "dead"
    bury(path, "a", "b")
    DeadLines(path).take_back([next(DeadLines(path).letters())])
    assert ids(path) == ["1-b"]
    bury(path, "a")
    assert sorted(ids(path)) == ["0-a", "1-b"]


def test_one_that_died_twice_is_one(tmp_path: Path) -> None:
    bury(tmp_path / "dead", "a", "b")
    bury(tmp_path / "dead", "a", reason="timed out")
    assert [(letter.id, letter.reason) for letter in DeadLines(tmp_path / "dead").letters()] == [
        ("1-b", "exit code 1"),
        ("0-a", "timed out"),
    ]


def test_a_directory_holds_those_of_several_minions(tmp_path: Path) -> None:
    bury(tmp_path / "m1.jsonl", "a")
    bury(tmp_path / "m2.jsonl", "a", "b")
    first, *_ = DeadLines(tmp_path).letters()
    DeadLines(tmp_path).take_back([first])
    assert (ids(tmp_path / "m1.jsonl"), ids(tmp_path / "m2.jsonl")) == ([], ["0-a", "1-b"])


def test_torn_and_foreign_lines_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "dead"
    path.write_bytes(b'\xff\n[]\n{"id": 3, "param": 1}\n{"id": "x"}\n' + b"[" * 100_000 + b'\n{"id": "y", "par')
    assert ids(path) == []
    bury(path, "a")
    DeadLines(path).take_back(DeadLines(path).letters())
    assert ids(path) == []


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"--dead .*nowhere: No such file"):
        list(DeadLines(tmp_path / "nowhere").letters())


def test_what_cannot_be_written_down_stays_dead(tmp_path: Path) -> None:
    path = tmp_path / "dead"
    bury(path, "a")
    before = path.read_bytes()
    with room(len(before) + 5), pytest.raises(ReporterError):
        DeadLines(path).take_back(DeadLines(path).letters())
    assert path.read_bytes() == before
