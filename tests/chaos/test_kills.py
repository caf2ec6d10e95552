"""Minions are killed at random: nothing is lost, nothing is held twice at once, and the numbers add up."""

from __future__ import annotations

import random
import re
import time
from collections import Counter
from typing import Any

import pytest

from tests.acceptance.running import Minion, Place, until

pytestmark = pytest.mark.chaos

PARAMS = 800
MINIONS = 5
SLOTS = 2
KILLS = 16
FAILING = {n for n in range(PARAMS) if n % 40 == 7}
# The system lets go of the lock when the last process of the run is gone: only a live holder is a second one.
PROGRAM = """#!/bin/sh
exec 9>"held/$1"
flock -n 9 || echo "$1" >> twice
sleep 0.05
test $(($1 % 40)) -eq 7 && { echo "no $1" >&2; exit 3; }
echo "$1" >> runs
"""
SUMMARY = re.compile(r"(\d+) done, (\d+) failed, (\d+) retried, (\d+) dead")


def start(place: Place, program: str) -> Minion:
    words = (
        "-j",
        str(SLOTS),
        "--retries",
        "1",
        "--retry-delay",
        "0.1",
        "--results",
        "results.jsonl",
        "--slow-down",
        "0",
    )
    return place.start(*words, program, MINION_ENGINE="execo", MINION_REPORTER="json")


def by_param(records: list[dict[str, Any]], settled: str) -> Counter[int]:
    return Counter(record["param"] for record in records if record["settled"] == settled)


def kill_at_random(place: Place, program: str) -> tuple[list[Minion], list[Minion]]:
    """Return the minions that were left alone, and those that were killed."""
    chance = random.Random(20)
    working = [start(place, program) for _ in range(MINIONS)]
    killed: list[Minion] = []
    while len(killed) < KILLS:
        # Kills are spread over the first half of the work, so that there is some left however late they come.
        until(lambda: len(place.lines("runs")) >= (len(killed) + 1) * 20, what="runs")
        victim = working.pop(chance.randrange(MINIONS))
        assert victim.process.poll() is None, f"it left by itself: {victim.err}"
        time.sleep(chance.random() * 0.02)
        victim.kill()
        killed.append(victim)
        working.append(start(place, program))
    return working, killed


def test_random_kills(place: Place) -> None:
    place.sweep(f"range({PARAMS})")
    (place.folder / "held").mkdir()
    working, killed = kill_at_random(place, place.script("run.sh", PROGRAM))
    codes = [minion.wait(120) for minion in working]
    assert set(codes) <= {0, 1}, [minion.err for minion in working]
    assert place.lines("twice") == []

    # What a plain script sees: everything settled. What minionize sees: these are dead, all others done.
    assert place.sweeper(f"sorted(s.get_done()) == list(range({PARAMS})), s.get_inprogress()") == "True set()"
    done, dead = PARAMS - len(FAILING), len(FAILING)
    assert place.why(MINION_ENGINE="execo").endswith(f"the queue is empty; {done} done, {dead} dead-lettered")
    assert {int(line) for line in place.lines("runs")} == set(range(PARAMS)) - FAILING

    records = place.records()
    acks, deads = by_param(records, "ack"), by_param(records, "dead")
    assert (set(acks), set(deads)) == (set(range(PARAMS)) - FAILING, FAILING)
    # Twice only what was run and not yet settled when its minion was killed.
    again = acks.total() - done + deads.total() - dead
    assert again <= 4 * SLOTS * KILLS
    assert len(place.lines("runs")) >= acks.total()
    check_minions(place, records, working, killed)

    last = place.run(place.folder.joinpath("run.sh").as_posix(), MINION_ENGINE="execo")
    assert (last.returncode, last.stdout) == (0, b"")
    assert b"0 done" in last.stderr
    until(lambda: not place.processes(), what="all processes ended")


def check_minions(place: Place, records: list[dict[str, Any]], working: list[Minion], killed: list[Minion]) -> None:
    """Each minion's two files tell the same, and those who could say a summary said what is in them."""
    results = place.records("results")
    for minion in (*working, *killed):
        ours = [record for record in records if f"-{minion.pid}-" in record["minion"]]
        theirs = [record for record in results if f"-{minion.pid}-" in record["minion"]]
        if minion in killed:
            assert [r["id"] for r in theirs] == [r["id"] for r in ours][: len(theirs)]
            assert 0 <= len(ours) - len(theirs) <= 1
            continue
        assert [(r["id"], r["attempt"], r["settled"]) for r in theirs] == [
            (r["id"], r["attempt"], r["settled"]) for r in ours
        ]
        said = SUMMARY.search(minion.err)
        assert said, minion.err
        kinds = Counter(record["settled"] for record in ours)
        failed = sum(record["outcome"] == "failed" for record in ours)
        assert [int(number) for number in said.groups()] == [kinds["ack"], failed, kinds["nack"], kinds["dead"]]
        assert minion.process.returncode == (1 if kinds["dead"] else 0)
