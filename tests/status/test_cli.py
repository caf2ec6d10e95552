from __future__ import annotations

import csv
import json
import os
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from minionize.cli.status import main
from minionize.status.rows import COLUMNS
from minionize.status.run import OUTCOMES
from minionize.status.wire import Durations, FailureGroup, Group, Minion, Outcome, Status, Times, Waste
from minionize.version import __version__
from tests.status.making import NOON, OLD, line


class Terminal:
    """Runs ``minion-status`` in this process, in an empty directory with an empty environment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *words: str, **environ: str) -> Result:
        result = CliRunner().invoke(main, words, env={"PATH": os.defpath, **environ})
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    def write(self, name: str, *lines: bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"".join(lines))
        return path


@pytest.fixture
def status(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    for name in list(os.environ):
        if name.startswith(("MINION", "FILE_", "EXECO_", "REPORTER_", "COLUMNS")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return Terminal(tmp_path)


def test_default_place(status: Terminal) -> None:
    status.write("minion-report/m1.jsonl", line(), line())
    assert "2 records of 1 minion on 1 host" in status().stdout


@pytest.mark.parametrize("how", ["environment", "dotenv", "file", "named"])
def test_places_that_are_set(status: Terminal, how: str) -> None:
    status.write("elsewhere/m1.jsonl", line())
    if how == "dotenv":
        status.write(".env", b"REPORTER_JSON_DIRECTORY=elsewhere\n")
    if how == "file":
        status.write(".minionize.yml", b"reporter: {name: json, directory: elsewhere}\n")
    environ = {"REPORTER_JSON_DIRECTORY": "elsewhere"} if how == "environment" else {}
    result = status(*(["elsewhere"] if how == "named" else []), **environ)
    assert result.exit_code == 0
    assert result.stdout.startswith("elsewhere\n1 record ")


def test_old_report(status: Terminal) -> None:
    result = status(str(OLD))
    assert "12 records of 3 minions on 1 host" in result.stdout
    assert "exit code 3" in result.stdout
    assert "2093410" in result.stdout


def test_several_places(status: Terminal) -> None:
    first, second = status.write("a.jsonl", line()), status.write("b.jsonl", line(minion="m2"))
    assert "2 records of 2 minions" in status(str(first), str(second)).stdout


def test_json(status: Terminal) -> None:
    status.write("minion-report/m1.jsonl", line(), line("failed", 5, exit_code=3), b"torn")
    result = status("--json")
    assert result.stdout.count("\n") == 1
    answer = json.loads(result.stdout)
    assert set(answer) == set(Status.__annotations__)
    assert (answer["schema"], answer["records"], answer["passed_over"]) == (1, 2, 0)
    assert answer["outcomes"]["failed"] == {"count": 1, "seconds": 1.0}
    assert (answer["first"], answer["last"]) == (NOON, NOON + 6)
    assert answer["failures"][0]["cause"] == "exit code 3"


def test_csv(status: Terminal) -> None:
    status.write("minion-report/m1.jsonl", line(), line("failed", 5, 2, minion='m"2\n'))
    first, second = csv.DictReader(status("--csv").stdout.splitlines(keepends=True))
    assert tuple(first) == COLUMNS
    assert (first["minion"], second["minion"]) == ("m1", 'm"2\n')
    assert (second["failed"], second["records"], second["wasted"]) == ("1", "1", "2.000000")
    assert float(second["lifetime"]) == 2


def test_html(status: Terminal) -> None:
    status.write("minion-report/m1.jsonl", line())
    for _ in range(2):
        result = status("--html", "status.html")
        assert result.exit_code == 0
        assert (result.stdout, result.stderr) == ("", "minion-status: wrote status.html\n")
    assert (status.folder / "status.html").read_text().startswith("<!doctype html>")
    assert sorted(path.name for path in status.folder.iterdir()) == ["minion-report", "status.html"]


def test_filters(status: Terminal) -> None:
    status.write("minion-report/m1.jsonl", line(), line("failed", 60, host="h2"), line("preempted", 120, host="h2"))
    for words, number in [
        (["--host", "h2"], 2), (["--host", "h*"], 3), (["--host", "h1", "--host", "x"], 1),
        (["--outcome", "failed", "--outcome", "preempted"], 2), (["--since", str(NOON + 30)], 2),
        (["--until", str(NOON + 30)], 1), (["--host", "nobody"], 0), (["--since", "1m"], 0),
    ]:  # fmt: skip
        answer = json.loads(status("--json", *words).stdout)
        assert (answer["records"], answer["left_out"]) == (number, 3 - number), words


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["gone"], "gone: No such file or directory; minions write records with --reporter json"),
        ([], "minion-report: No such file or directory"),
        (["empty"], "no records in empty (0 files)"),
        (["words.txt"], "no records in words.txt (1 files, 2 lines that are none)"),
        (["--jso"], "no such option --jso; did you mean --json?"),
        (["--json", "--csv"], "--json, --csv, --html: give one of them"),
        (["--csv", "--watch"], "with --watch take --json"),
        (["--since", "soon"], "--since: 'soon' is no time"),
        (["--outcome", "odd"], "'odd' is not one of"),
        (["--watch", "5x"], "--watch 5x: not a number of seconds"),
        (["--html", "gone/x.html", "ok"], "--html gone/x.html: No such file or directory"),
        (["--html", "empty", "ok"], "--html empty: Is a directory"),
    ],
)
def test_mistakes_are_told_with_exit_code_2(status: Terminal, words: list[str], message: str) -> None:
    (status.folder / "empty").mkdir()
    status.write("words.txt", b"one\ntwo\n")
    status.write("ok/m1.jsonl", line())
    result = status(*words)
    assert result.exit_code == 2
    assert result.stderr.startswith("minion-status: error: ")
    assert message in result.stderr
    assert result.stdout == ""


def test_help_and_version(status: Terminal) -> None:
    assert status("--version").stdout == f"minion-status {__version__}\n"
    shown = status("--help").stdout
    assert all(outcome in shown for outcome in OUTCOMES)
    assert "Usage: minion-status [OPTIONS] [PLACE]..." in shown


def test_the_page_of_the_manual_tells_every_name() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "how-to" / "status.md").read_text()
    rows = [row for row in page.splitlines() if row.startswith("| `")]
    told = {name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert set(Status.__annotations__) - told == set()
    for kind in (Outcome, Waste, Durations, Times, FailureGroup, Group, Minion):
        assert [name for name in kind.__annotations__ if f"`{name}`" not in page] == [], kind
    assert ",".join(COLUMNS) in page
