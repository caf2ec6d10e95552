"""What a minion remembers of its runs."""

from __future__ import annotations

from minionize.task import Outcome, OutcomeKind, Param, Record, Task
from minionize.worker.past import Past


def record(
    number: int, kind: OutcomeKind = OutcomeKind.FAILED, stderr: str = "", param: Param = "p", slot: int = 1
) -> Record:
    task = Task(param, f"id{number}", 1, False, slot, number, "m")
    return Record(task, Outcome(kind, 0.0, number + 0.5, exit_code=3, stderr_tail=stderr), "dead", "host")


def test_the_last_failures_are_kept_and_all_are_counted() -> None:
    past = Past()
    for number in range(250):
        past.add(record(number, stderr=f"line {number}"))
    found = past.failures()
    assert found["total"] == 250
    assert [each["id"] for each in found["failures"]] == [f"id{number}" for number in range(249, 149, -1)]
    (cause,) = found["causes"]
    assert (cause["cause"], cause["count"]) == ("exit code 3: line N", 250)
    assert (cause["first"], cause["last"]) == (0.5, 249.5)
    assert cause["samples"] == ["id245", "id246", "id247", "id248", "id249"]


def test_an_entry_has_its_evidence() -> None:
    past = Past()
    past.add(record(1, stderr="boom\n"))
    (failure,) = past.failures()["failures"]
    assert (failure["exit_code"], failure["stderr"], failure["settled"]) == (3, "boom\n", "dead")
    assert (failure["at"], failure["attempt"], failure["host"], failure["slot"]) == (1.5, 1, "host", 1)


def test_only_failures_are_failures() -> None:
    past = Past()
    for kind in OutcomeKind:
        past.add(record(1, kind))
    assert {each["outcome"] for each in past.failures()["failures"]} == {"failed", "timed_out", "could_not_start"}
    assert past.latency.count == len(OutcomeKind)


def test_what_was_not_run_took_no_time() -> None:
    past = Past()
    past.add(record(1, slot=0))
    assert past.latency.count == 0
    assert past.failures()["total"] == 1


def test_memory_is_bounded() -> None:
    past = Past()
    for number in range(2000):
        past.add(record(number, stderr=f"cause {'x' * (number % 1999)}", param={"long": "x" * 100_000}))
    found = past.failures()
    assert len(found["causes"]) <= 201
    assert sum(each["count"] for each in found["causes"]) == 2000
    assert all(len(str(each["param"])) < 5000 for each in found["failures"])
