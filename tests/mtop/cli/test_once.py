from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

import pytest

from minionize.testing.announcements import make_announcement
from mtop.columns import COLUMNS, DEFAULT, by_key
from mtop.feed import Cost
from mtop.filters import parse
from mtop.format import Glyphs
from mtop.meters import METERS
from mtop.model.fleet import Fleet
from mtop.once.answer import Answer, BacklogWire, FleetWire, QueueWire
from mtop.once.health import Health, troubles
from mtop.once.show import Choice, show, stream
from mtop.once.sight import Sight
from mtop.once.table import Paper, paper_of, table
from mtop.view import View
from tests.mtop.cli.fleets import fleet_of, well

PAPER = Paper(200, Glyphs())
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


def shown(
    fleet: Fleet, capsys: pytest.CaptureFixture[str], form: str = "json", **choice: Any
) -> tuple[str, str, Health]:
    """What is written to stdout and to stderr, and the verdict."""
    problems = choice.pop("problems", [])
    health = show(lambda: Sight(fleet, 1000.5, "dir:here", problems), Choice(form, lambda: PAPER, **choice))
    out, err = capsys.readouterr()
    return out, err, health


# JSON.


def test_json_has_the_names_that_are_fixed(capsys: pytest.CaptureFixture[str]) -> None:
    out, err, health = shown(fleet_of(well("a-1-x"), well("b-1-x", state="paused")), capsys)
    assert (out.count("\n"), err, health) == (1, "", Health.WELL)
    answer = json.loads(out)
    assert set(answer) == set(Answer.__annotations__)
    assert (answer["schema"], answer["as_of"]) == (1, 1000.5)
    assert [set(each) for each in answer["minions"]] == [{column.key for column in COLUMNS}] * 2
    fleet = answer["fleet"]
    assert set(fleet) == set(FleetWire.__annotations__)
    assert (fleet["place"], fleet["minions"], fleet["live"], fleet["lost"]) == ("dir:here", 2, 2, 0)
    assert (fleet["slots"], fleet["busy"], fleet["counters"]["succeeded"]) == (4, 4, 8)
    assert fleet["rates"] == {"done": 0.8, "failed": 0.0, "redelivered": 0.0}
    assert set(fleet["backlog"]) == set(BacklogWire.__annotations__)
    assert fleet["backlog"]["eta"] == pytest.approx(10 / 0.8)
    (queue,) = fleet["queues"]
    assert set(queue) == {*QueueWire.__annotations__, *BacklogWire.__annotations__}
    assert (queue["engine"], queue["name"], queue["minions"]) == ("execo", "/home/user/sweeps", 2)


def test_json_tells_raw_values(capsys: pytest.CaptureFixture[str]) -> None:
    (minion,) = json.loads(shown(fleet_of(well()), capsys)[0])["minions"]
    assert (minion["id"], minion["job"], minion["rate"], minion["p50"], minion["mem"]) == (
        "node-1-a", "1287856", 0.4, 1, 50_000_000,
    )  # fmt: skip


def test_json_of_chosen_columns_filtered_and_sorted(capsys: pytest.CaptureFixture[str]) -> None:
    fleet = fleet_of(*(well(f"n-{number}-x", slots=number) for number in (2, 10, 1)), well("other"))
    out, _, _ = shown(fleet, capsys, columns=("id", "slots"), keep=parse("n-"), sort="slots")
    answer = json.loads(out)
    assert answer["minions"] == [{"id": f"n-{number}-x", "slots": number} for number in (10, 2, 1)]
    assert (answer["fleet"]["minions"], answer["fleet"]["slots"]) == (3, 13)


def test_json_of_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    out, err, health = shown(fleet_of(), capsys)
    answer = json.loads(out)
    assert (answer["minions"], answer["fleet"]["backlog"]["ready"], answer["fleet"]["minions"]) == ([], None, 0)
    assert health is Health.WELL
    assert err == ""


def test_json_has_an_end_whatever_minions_say(capsys: pytest.CaptureFixture[str]) -> None:
    endless = {"window": 10.0, "succeeded": 1e308, "failed": 0.0, "redelivered": 0.0}
    out, _, _ = shown(fleet_of(well("a", rates=endless), well("b", rates=endless)), capsys)
    assert json.loads(out)["fleet"]["rates"]["done"] is None


HOSTILE = "\x1b[2J\x1b]0;pwned\x07\r\nrm -rf\t\u202ex [red]"


@pytest.mark.parametrize("form", ["json", "csv", "table"])
def test_nothing_that_a_minion_says_is_obeyed(capsys: pytest.CaptureFixture[str], form: str) -> None:
    fleet = fleet_of(well(command=HOSTILE, host=HOSTILE, queue=HOSTILE, labels={"job": HOSTILE}, user=HOSTILE))
    for tree in ("flat", "host", "queue"):
        out, _, _ = shown(fleet, capsys, form, tree=tree)
        assert all(line.isprintable() for line in out.split("\n")), out
        assert "\\x1b" in out or "\\u001b" in out
        assert out.count("\n") <= 7


# CSV.


def test_csv_is_a_line_for_each_minion(capsys: pytest.CaptureFixture[str]) -> None:
    out, err, health = shown(fleet_of(well("b", command='a "b", c\nd'), well("a")), capsys, "csv")
    first, second = csv.DictReader(io.StringIO(out))
    assert tuple(first) == tuple(column.key for column in COLUMNS)
    assert (first["id"], second["command"], second["done"]) == ("a", 'a "b", c\\nd', "4")
    assert (out.count("\n"), err, health) == (3, "", Health.WELL)


def test_csv_of_chosen_columns(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(fleet_of(well()), capsys, "csv", columns=("slots", "id"))[0] == "slots,id\n2,node-1-a\n"


# The table.


def test_the_table_shows_the_meters_and_the_columns(capsys: pytest.CaptureFixture[str]) -> None:
    out, err, _ = shown(fleet_of(well("a-1-x"), well("b-1-x", state="idle")), capsys, "table")
    assert err == ""
    head, body = out.split("\n\n")
    for words in (
        "Done/s 0.80",
        "Failed/s 0",
        "Redeliv/s 0",
        "Slots 4/4",
        "Backlog 10 ready ETA 12s",
        "Minions 2 live",
    ):
        assert words in head.replace("\n", "   ")
    titles, *rows = body.splitlines()
    assert titles.split()[:5] == ["ID", "HOST", "JOB", "USER", "STATE"], out
    assert [row.split()[0] for row in rows] == ["a-1-x", "b-1-x"]
    assert "idle" in rows[1]
    assert "▁" not in out


@pytest.mark.parametrize("width", [60, 80, 200])
def test_the_table_is_as_wide_as_the_terminal(width: int) -> None:
    long = "a-very-long-name-of-a-node-{}-12345-abcdef-of-a-cluster-far-away"
    fleet = fleet_of(*(well(long.format(number), command="x" * 300) for number in (1, 2)))
    lines = View().lines(fleet)
    columns = [by_key()[key] for key in DEFAULT]
    text = table(fleet, lines, columns, Paper(width, Glyphs()))
    assert max(map(len, text.splitlines())) <= width
    assert "STATE" in text
    assert "…" in text
    assert ("COMMAND" in text) is (width > 80)
    assert ("VERSION" in text) is (width > 80)


def test_what_was_asked_for_is_shown_whole(capsys: pytest.CaptureFixture[str]) -> None:
    out, _, _ = shown(fleet_of(well(command="y" * 250)), capsys, "table", columns=("command", "id"))
    assert out.splitlines()[-1] == "y" * 250 + " node-1-a"


def test_wide_characters_take_two_cells(capsys: pytest.CaptureFixture[str]) -> None:
    fleet = fleet_of(well("a", host="日本"), well("b", host="e\u0301"), well("c", host="x" * 12))
    rows = shown(fleet, capsys, "table", columns=("host", "id"))[0].splitlines()[-3:]
    assert rows == ["日本         a", "e\u0301            b", "xxxxxxxxxxxx c"]


def test_groups_are_summed_up(capsys: pytest.CaptureFixture[str]) -> None:
    fleet = fleet_of(well("a", host="h1"), well("b", host="h2"), well("c", host="h1"))
    rows = shown(fleet, capsys, "table", columns=("id", "slots", "done"), tree="host")[0].splitlines()[-5:]
    assert [row.split() for row in rows] == [
        ["h1", "(2)", "4/4", "8"], ["a", "2/2", "4"], ["c", "2/2", "4"], ["h2", "(1)", "2/2", "4"], ["b", "2/2", "4"],
    ]  # fmt: skip
    assert rows[1].startswith("  a ")


def test_colours_are_for_terminals_and_say_nothing_that_words_do_not() -> None:
    fleet = fleet_of(well("a"), well("b", state="paused"))
    fleet.announced("there", [], 0.0)
    lines, columns = View().lines(fleet), [by_key()[key] for key in DEFAULT]
    plain = table(fleet, lines, columns, Paper(150, Glyphs()))
    coloured = table(fleet, lines, columns, Paper(150, Glyphs(), colour=True))
    assert plain.isprintable() or "\x1b" not in plain
    assert "\x1b[32m" in coloured
    assert [line.rstrip() for line in ESCAPE.sub("", coloured).splitlines()] == plain.splitlines()


def test_ascii() -> None:
    fleet = fleet_of(well("a", host="nœud", command="z" * 100))
    text = table(fleet, View().lines(fleet), [by_key()[key] for key in DEFAULT], Paper(120, Glyphs(ascii=True)))
    assert text.isascii()


class Stream(io.StringIO):
    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


@pytest.mark.parametrize(
    ("terminal", "environ", "no_color", "colour", "width"),
    [
        (True, {"TERM": "xterm"}, False, True, None),
        (True, {"TERM": "xterm", "NO_COLOR": "1"}, False, False, None),
        (True, {"TERM": "xterm", "NO_COLOR": ""}, False, True, None),
        (True, {"TERM": "xterm"}, True, False, None),
        (True, {"TERM": "dumb"}, False, False, None),
        (False, {"TERM": "xterm"}, False, False, 200),
        (False, {"COLUMNS": "90"}, False, False, 90),
        (False, {"COLUMNS": "0"}, False, False, 200),
        (False, {"COLUMNS": "wide"}, False, False, 200),
    ],
)
def test_paper(terminal: bool, environ: dict[str, str], no_color: bool, colour: bool, width: int | None) -> None:
    paper = paper_of(Stream(terminal), environ, Glyphs(), no_color)
    assert paper.colour is colour
    assert width is None or paper.width == width


def test_every_meter_can_be_written() -> None:
    for fleet in (fleet_of(), fleet_of(make_announcement("a", user="me"))):
        for meter in METERS:
            assert meter.read(fleet, Cost(), 0.0).text


# The verdict.

FAILING = {"window": 10.0, "succeeded": 0.4, "failed": 0.1, "redelivered": 0.0}
RESTING = {"window": 10.0, "succeeded": 0.0, "failed": 0.0, "redelivered": 0.0}
OLD: dict[str, Any] = {"in_flight": {"count": 0, "oldest": None}, "busy": 0}


def test_verdict() -> None:
    assert troubles(fleet_of().totals) == []
    assert troubles(fleet_of(well()).totals) == []
    assert troubles(fleet_of(well(), age=31.0).totals) == []
    assert troubles(fleet_of(well(backlog=None), age=101.0).totals) == ["minions are lost"]
    assert troubles(fleet_of(well(left=1.0, state="stopped", backlog=None), age=1e6).totals) == []
    assert troubles(fleet_of(well(left=1.0, state="stopped"), age=1e6).totals) == ["a queue is stalled"]
    assert troubles(fleet_of(well(rates=FAILING)).totals) == ["runs fail"]
    assert troubles(fleet_of(well(rates=RESTING, **OLD)).totals) == ["a queue is stalled"]


def test_black_holes_are_trouble() -> None:
    counters = {**make_announcement()["counters"], "failed": 50, "timed_out": 0}
    hole = well("h-1-x", host="hole", counters={**counters, "succeeded": 0})
    good = well("g-1-x", host="good", counters={**counters, "failed": 0, "succeeded": 9})
    assert troubles(fleet_of(hole, good).totals) == ["a host is a black hole"]


def test_the_verdict_is_of_what_the_filter_keeps(capsys: pytest.CaptureFixture[str]) -> None:
    fleet = fleet_of(well("a"), well("b", rates=FAILING))
    assert shown(fleet, capsys)[2] is Health.TROUBLE
    assert shown(fleet, capsys, keep=parse("id=a"))[2] is Health.WELL
    assert json.loads(shown(fleet, capsys, keep=parse("id=b"))[0])["fleet"]["troubles"] == ["runs fail"]


@pytest.mark.parametrize("form", ["json", "csv", "table"])
def test_what_could_not_be_looked_at_is_said(capsys: pytest.CaptureFixture[str], form: str) -> None:
    out, err, health = shown(fleet_of(well()), capsys, form, problems=["registry x: \x1b gone"])
    assert err == "mtop: registry x: \\x1b gone\n"
    assert "node-1-a" in out
    assert health is Health.BLIND
    assert form != "json" or json.loads(out)["fleet"]["problems"] == ["registry x: \x1b gone"]


def test_nobody_in_sight_is_no_trouble(capsys: pytest.CaptureFixture[str]) -> None:
    out, err, health = shown(fleet_of(), capsys, "table")
    assert (out, health) == ("", Health.WELL)
    assert "no minion in sight at dir:here" in err
    assert "seq 100 | minionize" in err


def test_a_filter_that_keeps_nobody_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    out, err, health = shown(fleet_of(well()), capsys, "table", keep=parse("nobody"))
    assert (out, err, health) == ("", "mtop: the filter keeps none of 1 minions at dir:here\n", Health.WELL)


def test_every_status_has_a_meaning() -> None:
    assert [(int(each), bool(each.meaning)) for each in Health] == [(0, True), (1, True), (2, True)]


# A stream.


def test_a_stream_ends_when_nobody_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    fleet, now, lines = fleet_of(well()), [0.0], []

    def write(line: str) -> None:
        lines.append(line)
        now[0] += 1.0
        if len(lines) == 3:
            raise BrokenPipeError

    monkeypatch.setattr("mtop.once.show.write", write)
    with pytest.raises(BrokenPipeError):
        stream(lambda: Sight(fleet, now[0], "here", []), Choice("json", lambda: PAPER), 1.0, lambda: now[0])
    assert [json.loads(line)["as_of"] for line in lines] == [0.0, 1.0, 2.0]
