from __future__ import annotations

import asyncio
import csv
import json
import os
import tracemalloc
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minionize.errors import SettingsError
from minionize.reporters.json import JsonReporter
from minionize.reporters.results import ResultsReporter
from minionize.task import RECORD_FIELDS, Outcome, OutcomeKind, Record, Task
from mtop.feed import Player, Unanswered
from mtop.model.fleet import Fleet
from mtop.model.minion import Minion
from mtop.recording.choose import replay_of
from mtop.recording.played import Played
from mtop.recording.replay import ReplayFeed
from mtop.recording.report import ReportFeed
from tests.mtop.recording.making import Clock, Viewer, known, record

NOON = 1_795_348_800.0
KINDS = {"succeeded": "ack", "failed": "dead", "timed_out": "nack", "preempted": "nack", "could_not_start": "nack"}


def run(started: float = 0.0, ended: float = 1.0, **changes: Any) -> dict[str, Any]:
    """A record of a run, so many seconds after noon."""
    outcome = changes.get("outcome", "succeeded")
    fields = {
        "param": {"x": started}, "id": f"id-{started:g}", "attempt": 1, "redelivered": False, "outcome": outcome,
        "settled": KINDS[outcome], "started": NOON + started, "ended": NOON + ended, "duration": ended - started,
        "host": "host-1", "minion": "m1", "slot": 1, "pid": 4_711, "stderr": "", "exit_code": 0,
    }  # fmt: skip
    return {**dict.fromkeys(RECORD_FIELDS), **fields, **changes}


def write(directory: Path, runs: Sequence[dict[str, Any]]) -> Path:
    """Write records as the json reporter does: a file for each minion."""
    directory.mkdir(exist_ok=True)
    for each in runs:
        with (directory / f"{each['minion']}.jsonl").open("a") as file:
            file.write(json.dumps(each) + "\n")
    return directory


def view(place: Path) -> Viewer:
    clock = Clock(0.0)
    return Viewer(replay_of(str(place), clock), clock)


def only(seen: Viewer) -> Minion:
    (minion,) = seen.fleet
    return minion


def report(seen: Viewer) -> Played:
    assert isinstance(seen.feed, ReportFeed)
    return seen.feed


TWO = [
    run(0.0, 10.0, minion="m1", slot=1), run(2.0, 30.0, minion="m1", slot=2, outcome="failed", exit_code=3,
        stderr="so\nit failed at 7\n"), run(10.0, 40.0, minion="m1", slot=1, redelivered=True, attempt=2),
    run(20.0, 21.0, minion="m2", host="host-2", labels={"job": "7"}), run(50.0, 60.0, minion="m2", host="host-2"),
]  # fmt: skip


def test_a_fleet_over_time(tmp_path: Path) -> None:
    seen = view(write(tmp_path / "report", TWO))
    assert isinstance(seen.feed, Player)
    assert seen.feed.length == pytest.approx(60.0, abs=0.02)
    assert seen.feed.wall() == NOON
    m1 = only(seen)
    assert (m1.key, m1.id, m1.said["host"], m1.state, m1.said["busy"], m1.said["slots"]) == (
        "m1", "m1", "host-1", "running", 1, 2,
    )  # fmt: skip
    seen.look(15.0)
    said = only(seen).said
    assert (said["busy"], said["counters"]["received"], said["counters"]["succeeded"]) == (2, 3, 1)
    assert said["counters"]["redelivered"] == 1
    assert only(seen).oldest == pytest.approx(13.0)
    assert only(seen).uptime == pytest.approx(15.0)
    seen.look(20.0)
    m1, m2 = seen.fleet
    assert (m1.said["counters"]["failed"], m1.said["counters"]["dead"], m1.state) == (1, 1, "running")
    assert (m2.state, m2.said["busy"], m2.said["labels"], m2.oldest) == ("idle", 0, {"job": "7"}, None)
    assert m1.said["latency"]["count"] == 2
    assert m1.said["latency"]["sum"] == pytest.approx(38.0)
    assert m1.said["latency"]["p50"] == pytest.approx(10.0, rel=0.15)
    assert m1.said["rates"]["succeeded"] == pytest.approx(1 / 35.0)
    seen.look(100.0)
    assert [minion.state for minion in seen.fleet] == ["stopped", "stopped"]
    assert [minion.via for minion in seen.fleet] == ["final", "final"]
    assert seen.fleet.totals.counters["received"] == 5
    assert seen.fleet.totals.busy == 0
    assert not seen.feed.live


def test_failures_are_those_until_then(tmp_path: Path) -> None:
    seen = view(write(tmp_path / "report", TWO))
    seen.look(29.0)
    minion = next(iter(seen.fleet))
    assert asyncio.run(seen.feed.failures(minion))["total"] == 0
    seen.look(2.0)
    found = asyncio.run(seen.feed.failures(minion))
    assert found["total"] == 1
    assert found["causes"] == [
        {"cause": "exit code 3: it failed at N", "count": 1, "first": NOON + 30, "last": NOON + 30, "samples": ["id-2"]}
    ]
    (failure,) = found["failures"]
    assert (failure["param"], failure["slot"], failure["stderr"]) == ({"x": 2.0}, 2, "so\nit failed at 7\n")
    assert (failure["host"], failure["minion"], failure["settled"]) == ("host-1", "m1", "dead")


def test_runs_are_those_under_way_then(tmp_path: Path) -> None:
    seen = view(write(tmp_path / "report", [run(0.0, 10.0, stdout="it\n"), run(10.0, 20.0), run(3.0, 9.0, slot=2)]))
    seen.look(5.0)
    one, two = asyncio.run(seen.feed.tasks(only(seen)))
    assert (one["id"], one["slot"], one["age"], one["pid"]) == ("id-0", 1, 5.0, 4_711)
    assert (two["id"], two["slot"], two["started"], two["age"]) == ("id-3", 2, NOON + 3.0, 2.0)
    assert asyncio.run(seen.feed.output(only(seen), "id-0")) == {"id": "id-0", "stdout": "it\n", "stderr": ""}
    seen.look(7.0)
    (task,) = asyncio.run(seen.feed.tasks(only(seen)))
    assert task["id"] == "id-10"
    with pytest.raises(Unanswered, match="does not run"):
        asyncio.run(seen.feed.output(only(seen), "id-0"))


def test_who_is_not_in_the_records_cannot_be_asked(tmp_path: Path) -> None:
    seen = view(write(tmp_path / "report", TWO))
    with pytest.raises(Unanswered, match="no records"):
        asyncio.run(seen.feed.failures(Minion("other", only(seen).said, 0.0)))


def test_records_that_are_gone_meanwhile(tmp_path: Path) -> None:
    seen = view(write(tmp_path / "report", TWO))
    (tmp_path / "report" / "m1.jsonl").unlink()
    with pytest.raises(Unanswered, match="cannot be read any more"):
        asyncio.run(seen.feed.tasks(only(seen)))


RUNS = st.lists(
    st.builds(
        lambda start, long, minion, slot, outcome, again: run(
            start, start + long, minion=minion, slot=slot, outcome=outcome, redelivered=again
        ),
        st.integers(0, 300).map(float), st.integers(0, 90).map(float), st.sampled_from(["a", "b", "c"]),
        st.integers(1, 3), st.sampled_from(sorted(KINDS)), st.sampled_from([None, False, True]),
    ),
    min_size=1, max_size=30,
)  # fmt: skip


@settings(max_examples=60)
@given(runs=RUNS, at=st.lists(st.floats(0.0, 400.0), min_size=1, max_size=4))
def test_counters_are_those_of_the_records(
    runs: list[dict[str, Any]], at: list[float], tmp_path_factory: pytest.TempPathFactory
) -> None:
    seen = view(write(tmp_path_factory.mktemp("runs"), runs))
    for moment in at:
        seen.seek(moment - seen.feed.position)
        wall = seen.feed.wall()
        for name in "abc":
            mine = [each for each in runs if each["minion"] == name]
            if not any(each["started"] <= wall for each in mine):
                assert name not in seen.fleet.minions
                continue
            said = seen.fleet.minions[name].said
            ended = [each for each in mine if each["ended"] <= wall]
            for kind in KINDS:
                counted: dict[str, Any] = {**said["counters"]}
                assert counted[kind] == sum(each["outcome"] == kind for each in ended)
            assert said["counters"]["dead"] == sum(each["settled"] == "dead" for each in ended)
            assert said["counters"]["received"] == len(ended) + said["in_flight"]["count"]
            assert said["latency"]["count"] == len(ended)
            until = min(wall, max(each["ended"] for each in mine))
            window = max(1.0, min(60.0, until - min(each["started"] for each in mine)))
            lately = [each for each in ended if each["ended"] > until - window and each["outcome"] == "succeeded"]
            assert said["rates"]["succeeded"] == pytest.approx(len(lately) / window)


@settings(max_examples=30)
@given(runs=RUNS, seeks=st.lists(st.floats(-300.0, 400.0), min_size=1, max_size=4))
def test_wherever_it_was_wound_it_is_as_if_it_had_been_played(
    runs: list[dict[str, Any]], seeks: list[float], tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = write(tmp_path_factory.mktemp("runs"), runs)
    wound, played = view(place), view(place)
    for seek in seeks:
        wound.seek(seek)
    played.clock.now += wound.feed.position
    played.seek(0.0)
    assert known(wound.fleet) == known(played.fleet)
    if wound.feed.position > 60:
        assert {minion.key: minion.history.values() for minion in wound.fleet} == {
            minion.key: minion.history.values()[-len(wound.fleet.minions[minion.key].history.values()) :]
            for minion in played.fleet
        }


def results(path: Path, kinds: Sequence[OutcomeKind]) -> str:
    """Write results as a minion does; return where they are."""
    reporter = ResultsReporter(path)
    reporter.minion = "m1"
    reporter.open()
    for number, kind in enumerate(kinds):
        task = Task(f'param "{number}"\nof two lines', f"p{number}", 1, False, 1, number + 1, "m1")
        outcome = Outcome(
            kind, NOON + number, NOON + number + 1.0, 3 if kind == "failed" else 0, stderr="a,b\n\"c\"\n", pid=5
        )  # fmt: skip
        reporter.report(Record(task, outcome, KINDS[kind.value], "host-1"))
    reporter.close()
    return str(path)


@pytest.mark.parametrize("name", ["r.jsonl", "r.csv", "r/"])
def test_results_are_records_too(tmp_path: Path, name: str) -> None:
    path = results(Path(f"{tmp_path}/{name}"), [OutcomeKind.SUCCEEDED, OutcomeKind.FAILED, OutcomeKind.SUCCEEDED])
    clock = Clock(0.0)
    seen = Viewer(replay_of(path, clock), clock)
    seen.look(2.5)
    assert only(seen).said["counters"]["received"] == 3
    (failure,) = asyncio.run(seen.feed.failures(only(seen)))["failures"]
    assert (failure["id"], failure["param"], failure["exit_code"]) == ("p1", 'param "1"\nof two lines', 3)
    assert failure["stderr"] == 'a,b\n"c"\n'
    (task,) = asyncio.run(seen.feed.tasks(only(seen)))
    assert (task["id"], task["pid"]) == ("p2", 5)


def test_the_reporter_itself(tmp_path: Path) -> None:
    reporter = JsonReporter(directory=str(tmp_path / "report"))
    reporter.minion, reporter.labels = "m1", {"job": "7"}
    reporter.open()
    task = Task(b"\xff", "p", None, None, 1, 1, "m1")
    reporter.report(Record(task, Outcome(OutcomeKind.FAILED, NOON, NOON + 1, 1, stderr="\udcff!"), "dead", "host-1"))
    reporter.close()
    seen = view(tmp_path / "report")
    seen.seek(9.0)
    assert only(seen).said["labels"] == {"job": "7"}
    assert asyncio.run(seen.feed.failures(only(seen)))["failures"][0]["param"] == "\udcff"


HOSTILE = [
    b"", b"\n", b"[]", b"{}", b"null", b"{" * 9_999, b'"x"', json.dumps(run() | {"started": "x"}).encode(),
    json.dumps(run() | {"started": 1e300}).encode(), json.dumps(run() | {"ended": -5}).encode(),
    json.dumps(run() | {"outcome": "lost"}).encode(), json.dumps(run() | {"minion": 5}).encode(),
    json.dumps(run() | {"slot": "one"}).encode(), json.dumps(run() | {"labels": [1]}).encode(),
    json.dumps(run())[:-9].encode(), b"\xff\xfe",
]  # fmt: skip


def test_what_is_no_record_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "mixed.jsonl"
    good = [json.dumps(each).encode() for each in (run(), run(1.0, 2.0))]
    path.write_bytes(b"\n".join([good[0], *HOSTILE, good[1]]))
    seen = view(path)
    seen.seek(100.0)
    assert only(seen).said["counters"]["succeeded"] == 2


@pytest.mark.parametrize("line", HOSTILE)
def test_without_any_record(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "none.jsonl"
    path.write_bytes(line)
    with pytest.raises(SettingsError, match=r"no records.*reporter json"):
        view(path)


def test_places_without_records(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "readme.txt").write_text("hello")
    (tmp_path / "table.csv").write_text("a,b\n1,2\n")
    os.mkfifo(tmp_path / "pipe")
    for name in ("empty", "table.csv", "nothing", "pipe"):
        with pytest.raises(SettingsError, match=name):
            view(tmp_path / name)


def test_a_table_with_torn_rows(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(RECORD_FIELDS)
        for values in (run().values(), ["torn"], run(1.0, 2.0, outcome="failed", exit_code=4).values(), ["x"] * 21):
            rows.writerow(["" if value is None else value for value in values])
        file.write('"never closed')
    seen = view(path)
    seen.seek(9.0)
    assert only(seen).said["counters"]["received"] == 2
    assert asyncio.run(seen.feed.failures(only(seen)))["failures"][0]["exit_code"] == 4


def test_what_is_played_is_told_by_what_it_is(tmp_path: Path) -> None:
    record(tmp_path / "fleet.gz", 1)
    assert isinstance(replay_of(str(tmp_path / "fleet.gz")), ReplayFeed)
    assert isinstance(replay_of(str(write(tmp_path / "report", TWO))), ReportFeed)


def test_a_fleet_that_is_not_made_anew_forgets_who_was_not_there(tmp_path: Path) -> None:
    feed = replay_of(str(write(tmp_path / "report", TWO)), clock := Clock(0.0))
    fleet = Fleet("", 0.0)
    clock.now += 45.0
    feed.tell(fleet)
    assert len(fleet) == 2
    feed.seek(-40.0)
    feed.tell(fleet)
    assert set(fleet.minions) == {"m1"}


@pytest.mark.slow
def test_many_records_take_little(tmp_path: Path) -> None:
    with (tmp_path / "many.jsonl").open("w") as file:
        for number in range(100_000):
            each = run(number * 0.01, number * 0.01 + 3.0, minion=f"m{number % 100}", slot=number // 100 % 8 + 1)
            file.write(json.dumps(each) + "\n")
    tracemalloc.start()
    feed = replay_of(str(tmp_path / "many.jsonl"), Clock(0.0))
    used = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert feed.length > 1_000
    assert used / 100_000 < 50
