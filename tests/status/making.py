"""Runs and records for the tests, and the summary of some."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from minionize.status.answer import Read, answer
from minionize.status.run import Run
from minionize.status.summary import Summary
from minionize.status.wire import Status
from minionize.task import RECORD_FIELDS

OLD = Path(__file__).parent / "data" / "report-0.3.4"
NOON = 1_795_348_800.0


def run(outcome: Any = "succeeded", started: float = 0.0, seconds: float = 1.0, **more: Any) -> Run:
    """A run that began so long after noon."""
    fields = {"minion": "m1", "host": "h1", "id": "p", "settled": "ack", **more}
    return Run(outcome=outcome, started=NOON + started, ended=NOON + started + seconds, **fields)


def record(outcome: str = "succeeded", started: float = 0.0, seconds: float = 1.0, **more: Any) -> dict[str, Any]:
    """A record as the json reporter writes it."""
    start = NOON + started
    known = {
        "param": "p", "id": "p-1", "attempt": 1, "redelivered": False, "outcome": outcome, "settled": "ack",
        "started": start, "ended": start + seconds, "duration": seconds, "host": "h1", "minion": "m1", "slot": 1,
    }  # fmt: skip
    return {**dict.fromkeys(RECORD_FIELDS), **known, **more}


def line(*words: Any, **more: Any) -> bytes:
    """A record as its line."""
    return json.dumps(record(*words, **more)).encode() + b"\n"


def lively() -> list[Run]:
    """A sweep of which every part of the summary has something to say."""
    runs = []
    for number in range(200):
        more: dict[str, Any] = {"id": f"p{number}", "minion": f"m{number % 5}", "host": f"h{number % 3}"}
        outcome, more["job"] = "succeeded", str(7 + number % 2)
        if number % 7 == 0:
            outcome = "failed"
            more |= {"exit_code": 3, "stderr": f"no <b>{number}</b> & such", "settled": "dead"}
        elif number % 31 == 0:
            outcome, more["settled"] = "preempted", "nack"
        elif number % 41 == 0:
            outcome = "timed_out"
        runs.append(run(outcome, started=number * 3.0, seconds=1.0 + number % 13, slot=1 + number % 2, **more))
    return runs


def summed(runs: list[Run], **read: Any) -> Status:
    """What is answered about some runs."""
    summary = Summary()
    summary.add(runs)
    known: dict[str, Any] = {"as_of": NOON + 1000, "places": ["place"], "files": 1, "left_out": 0, "passed_over": 0}
    return answer(summary, Read(**{**known, **read}))
