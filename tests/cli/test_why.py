from __future__ import annotations

import pytest

from minionize.cli.why import explain
from minionize.engine import Backlog
from tests.cli.conftest import Terminal


def backlog(ready: int, in_flight: int, dead: int | None, done: int | None = None, delayed: int = 0) -> Backlog:
    return Backlog(ready, in_flight, dead, exact=True, as_of=0.0, done=done, delayed=delayed)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (backlog(0, 0, 0, 7), "the queue is empty; 7 done, 0 dead-lettered"),
        (backlog(0, 0, None), "the queue is empty"),
        (backlog(3, 1, 2), "3 ready: this minion would run; 1 in flight, 2 dead-lettered"),
        (backlog(3, 0, None, delayed=1), "2 ready: this minion would run; 1 delayed"),
        (backlog(2, 1, 0, delayed=2), "nothing ready: 2 delayed, not before their time (retries); 1 in flight, 0 dead"),
        (backlog(0, 4, 0), "nothing ready: all that is left, 4, is in flight at other minions; 0 dead-lettered"),
        (Backlog(9, 0, None, exact=False, as_of=0.0), "about 9 ready: this minion would run"),
    ],
)
def test_why(found: Backlog, words: str) -> None:
    assert explain(found).startswith(words)


def test_it_looks_and_takes_nothing(minionize: Terminal) -> None:
    result = minionize("-e", "memory", "--why")
    assert (result.exit_code, result.stdout) == (0, "engine memory: the queue is empty; 0 done, 0 dead-lettered\n")


def test_it_needs_no_command_and_says_what_it_cannot_know(minionize: Terminal) -> None:
    result = minionize("--why", params="1\n2\n")
    assert result.exit_code == 0
    assert result.stdout.startswith("engine file")
