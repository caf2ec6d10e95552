"""The counters add up at any instant."""

from __future__ import annotations

import threading
from typing import Any

from minionize.engines.memory import MemoryEngine, MemoryQueue
from minionize.task import Param
from tests.worker.running import Ran, adds_up, make, running, shell, words


def _sampled(params: list[Param], script: str, **settings: Any) -> tuple[Ran, int]:
    """Run a script over params; every snapshot on the way must add up."""
    queue = MemoryQueue(params)
    minion, kept = make(shell(script), MemoryEngine(queue), **settings)
    over = threading.Event()
    bad: list[dict[str, int]] = []
    samples = 0

    def sample() -> None:
        nonlocal samples
        while not over.is_set():
            snapshot = minion.stats.snapshot()
            samples += 1
            if not adds_up(snapshot):
                bad.append(snapshot)

    sampler = threading.Thread(target=sample)
    sampler.start()
    try:
        with running(minion) as ends:
            pass
    finally:
        over.set()
        sampler.join()
    assert bad == []
    (code,) = ends
    assert isinstance(code, int)
    return Ran(code, minion, queue, kept.records), samples


def test_they_add_up_all_the_time() -> None:
    script = "case $1 in *0) exit 1;; *1) exit 75;; *2) kill -9 $$;; esac"
    ran, samples = _sampled(list(map(str, range(60))), script, slots=4, retries=1, retry_delay=0.0, slow_down=0)
    assert samples > 10
    counters = ran.minion.stats.snapshot()
    assert counters["in_flight"] == 0
    assert counters["received"] == 60 + 18
    assert counters["succeeded"] == 42
    assert counters["failed"] == 36
    assert (counters["retried"], counters["dead"], counters["redelivered"]) == (18, 18, 18)
    assert ran.left == (42, 18, 0, 0)


def test_one_record_for_each_settled_delivery_that_ran() -> None:
    ran, _ = _sampled(list(range(20)), "exit $(($1 % 2))", slots=3, slow_down=0)
    assert sorted(record.task.param for record in ran.records) == list(range(20))
    by_word = {word: sum(r.settled == word for r in ran.records) for word in ("ack", "dead")}
    assert by_word == {"ack": 10, "dead": 10}
    assert {record.task.slot for record in ran.records} <= {1, 2, 3}
    assert sorted(record.task.seq for record in ran.records) == list(range(1, 21))


def test_a_second_run_of_a_minion_is_judged_by_itself() -> None:
    queue = MemoryQueue(["bad"])
    minion, _ = make(words("test", "good", "="), MemoryEngine(queue))
    assert minion.run() == 1
    queue.put(["good"])
    assert minion.run() == 0
    assert minion.stats.snapshot()["received"] == 2
