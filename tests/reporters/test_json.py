"""The json reporter: the contract, and where its files are."""

from __future__ import annotations

from pathlib import Path

import pytest

from minionize.errors import ReporterError
from minionize.records import read_records
from minionize.reporter import Reporter
from minionize.reporters.json import JsonReporter
from minionize.task import RECORD_FIELDS
from minionize.testing import ReporterContract
from minionize.testing.reporter import make_record


class TestJson(ReporterContract):
    @pytest.fixture(autouse=True)
    def _place(self, tmp_path: Path) -> None:
        self.place = tmp_path / "deep" / "report"

    def make_reporter(self) -> Reporter:
        return JsonReporter(directory=str(self.place))

    def make_hopeless(self) -> Reporter:
        self.place.parent.write_text("a file where a directory should be")
        return self.make_reporter()

    def files(self) -> list[Path]:
        return sorted(self.place.glob("*.jsonl"))


def test_default_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    reporter = JsonReporter()
    reporter.minion = "host-7-abc"
    reporter.open()
    assert [path.name for path in tmp_path.iterdir()] == ["minion-report"]
    assert list((tmp_path / "minion-report").iterdir()) == [], "a file comes with the first record only"
    reporter.report(make_record())
    reporter.close()
    assert [path.name for path in (tmp_path / "minion-report").iterdir()] == ["host-7-abc.jsonl"]


def test_a_directory_is_read_whole(tmp_path: Path) -> None:
    for minion in ("a", "b"):
        reporter = JsonReporter(directory=str(tmp_path))
        reporter.minion = minion
        reporter.report(make_record(minion))
        reporter.close()
    assert [record["id"] for record in read_records(tmp_path)] == ["a", "b"]


def test_the_message_names_place_and_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ReporterError, match=r"file.*REPORTER_JSON_DIRECTORY"):
        JsonReporter(directory=str(tmp_path / "file")).open()


@pytest.mark.parametrize("labels", [{}, {"job": "4242", "rack": "b"}])
def test_labels_stand_behind_the_fields_where_there_are_some(tmp_path: Path, labels: dict[str, str]) -> None:
    reporter = JsonReporter(directory=str(tmp_path))
    reporter.labels = labels
    reporter.report(make_record())
    reporter.close()
    (record,) = read_records(tmp_path)
    assert list(record) == [*RECORD_FIELDS, *(["labels"] if labels else [])]
    assert record.get("labels", {}) == labels
