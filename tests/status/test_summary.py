from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minionize.status.run import OUTCOMES, Labels, Run
from minionize.status.summary import Summary
from tests.status.making import NOON, lively, run, summed

RUNS = st.builds(
    run,
    st.sampled_from(OUTCOMES),
    st.floats(0, 1e5, allow_nan=False),
    st.floats(0, 1e5, allow_nan=False),
    minion=st.sampled_from(["a", "b", "c"]),
    host=st.sampled_from(["x", "y"]),
)


@given(st.lists(RUNS, min_size=1, max_size=50))
def test_every_view_of_the_same_runs_adds_up(runs: list[Run]) -> None:
    status = summed(runs)
    assert status["records"] == len(runs)
    assert sum(each["count"] for each in status["outcomes"].values()) == len(runs)
    assert sum(each["records"] for each in status["hosts"]) == len(runs)
    assert sum(each["records"] for each in status["jobs"]) == len(runs)
    assert sum(each["records"] for each in status["minions"]) == len(runs)
    assert sum(sum(counts) for counts in status["durations"]["buckets"].values()) == len(runs)
    failed = sum(each.outcome in ("failed", "timed_out", "could_not_start") for each in runs)
    assert sum(each["count"] for each in status["failures"]) == failed
    waste = status["waste"]
    assert waste["seconds"] == pytest.approx(sum(each["wasted"] for each in status["minions"]))
    assert waste["total"] == pytest.approx(sum(each.ended - each.started for each in runs))
    assert status["times"] is not None
    assert sum(map(sum, status["times"]["ended"].values())) == len(runs)


def test_waste_is_what_failed_and_what_was_preempted() -> None:
    runs = [run(seconds=6), run("failed", seconds=1), run("timed_out", seconds=2), run("preempted", seconds=3)]
    assert summed(runs)["waste"] == {"seconds": 6, "failed": 3, "preempted": 3, "total": 12, "share": 0.5}


def test_quantiles_are_near_and_never_beyond_the_longest() -> None:
    durations = summed([run(seconds=number / 10) for number in range(1, 1001)])["durations"]
    assert durations["p50"] == pytest.approx(50, rel=0.06)
    assert durations["p95"] == pytest.approx(95, rel=0.06)
    assert durations["p99"] == pytest.approx(99, rel=0.06)
    assert summed([run(seconds=1.01)])["durations"]["p99"] == pytest.approx(1.01)


def test_failures_are_grouped_by_cause_and_the_most_frequent_comes_first() -> None:
    runs = [run("failed", started=n, exit_code=1, stderr=f"bad value {n}\n", id=f"p{n}") for n in range(5)]
    runs += [run("timed_out"), run("preempted"), run("failed", signal=9)]
    first, *others = summed(runs)["failures"]
    assert (first["cause"], first["count"], first["samples"]) == ("exit code 1: bad value N", 5, ["p0", "p1", "p2"])
    assert (first["first"], first["last"]) == (NOON + 1, NOON + 5)
    assert first["share"] == pytest.approx(5 / 7)
    assert {each["cause"] for each in others} == {"timed out", "killed by SIGKILL"}


def test_endless_causes_take_no_endless_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("minionize.status.causes._CAUSES", 10)
    runs = [run("failed", reason="".join(chr(97 + int(digit)) for digit in str(number))) for number in range(100)]
    causes = summed(runs)["failures"]
    assert len(causes) == 11
    assert sum(each["count"] for each in causes) == 100
    assert causes[0]["cause"] == "(other causes)"


def test_endless_minions_and_hosts_take_no_endless_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("minionize.status.summary._MINIONS", 20)
    monkeypatch.setattr("minionize.status.summary._HOSTS", 5)
    status = summed([run(minion=f"m{number}", host=f"h{number}") for number in range(100)])
    assert len(status["minions"]) == 21
    assert len(status["hosts"]) == 6
    assert status["records"] == 100


@pytest.mark.parametrize("more", [{"job": "77"}, {"labels": Labels(job="77")}])
def test_job_is_told_by_the_record_or_its_labels(more: dict[str, Any]) -> None:
    (job,) = summed([run(**more)])["jobs"]
    assert job["name"] == "77"


def test_jobs_count_their_hosts_and_minions() -> None:
    runs = [run(minion=f"m{n}", host=f"h{n % 2}", job="7") for n in range(4)] + [run(minion="m9")]
    seven, none = summed(runs)["jobs"]
    assert (seven["name"], seven["minions"], seven["hosts"]) == ("7", 4, 2)
    assert none["name"] is None


def test_minions_stand_in_the_order_of_their_start_with_their_lives() -> None:
    runs = [run(started=50, minion="late"), run(started=10, minion="early"), run(started=80, seconds=5, minion="early")]
    status = summed(runs)
    assert [each["minion"] for each in status["minions"]] == ["early", "late"]
    assert [each["last"] - each["first"] for each in status["minions"]] == [75, 1]
    assert status["minions_at_once"] == 2


def test_a_clock_that_was_set_back_harms_nothing() -> None:
    status = summed([run(seconds=-100)])
    assert status["waste"]["total"] == 0
    assert status["first"] == status["last"]


def test_rates_of_the_first_and_last_step_are_of_what_was_there_of_them() -> None:
    # One run ends each second; steps do not begin with the sweep.
    times = summed([run(started=3 + number, seconds=1) for number in range(1000)])["times"]
    assert times is not None
    assert times["rates"]["succeeded"][1:-1] == pytest.approx([1.0] * (len(times["in_flight"]) - 2), rel=0.3)
    assert times["rates"]["succeeded"][0] < 1.5


def test_what_is_counted_in_parts_is_counted_as_one() -> None:
    runs, summary = lively(), Summary()
    for each in runs:
        summary.add([each])
    whole = Summary()
    whole.add(runs)
    assert summary.timeline.series(50) == whole.timeline.series(50)
    assert summary.records == whole.records == 200
