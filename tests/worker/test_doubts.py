"""Runs that a stop signal has ended, which may have been meant for the minion too."""

from __future__ import annotations

import signal

import pytest

from minionize.engines.memory import MemoryEngine
from minionize.task import Outcome, OutcomeKind
from minionize.worker.doubts import ended_by_stop
from tests.worker.running import make, run, running, shell, until


@pytest.mark.parametrize("script", ["kill -TERM $$", "sh -c 'kill -TERM $$' & wait $!"], ids=["signal", "exit code"])
def test_a_minion_that_is_stopped_a_moment_later_gives_the_param_back(script: str) -> None:
    engine = MemoryEngine(["p"])
    minion, kept = make(shell(script), engine)
    with running(minion) as ends:
        until(lambda: minion.loop is not None and minion.loop.doubts)
        assert minion.loop is not None
        minion.loop.stop(signal.SIGTERM)
    assert ends == [128 + signal.SIGTERM]
    backlog = engine.queue.backlog()
    assert (backlog.ready, backlog.dead) == (1, 0)
    assert [(r.outcome.kind, r.outcome.reason) for r in kept.records] == [
        (OutcomeKind.PREEMPTED, "ended by SIGTERM, when this minion was stopped")
    ]


def test_else_it_has_failed() -> None:
    ran = run(shell("kill -INT $$"))
    assert ran.left == (0, 1, 0, 0)
    assert ran.record.outcome.reason == "killed by SIGINT"


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Outcome(OutcomeKind.FAILED, 0.0, 0.0, signal=15), True),
        (Outcome(OutcomeKind.FAILED, 0.0, 0.0, exit_code=130), True),
        (Outcome(OutcomeKind.FAILED, 0.0, 0.0, signal=9), True),
        (Outcome(OutcomeKind.FAILED, 0.0, 0.0, exit_code=137), True),
        (Outcome(OutcomeKind.FAILED, 0.0, 0.0, signal=11), False),
        (Outcome(OutcomeKind.FAILED, 0.0, 0.0, exit_code=1), False),
        (Outcome(OutcomeKind.FAILED, 0.0, 0.0, exit_code=15), False),
        (Outcome(OutcomeKind.TIMED_OUT, 0.0, 0.0, signal=15), False),
        (Outcome(OutcomeKind.SUCCEEDED, 0.0, 0.0, exit_code=0), False),
    ],
)
def test_what_may_have_been_meant_for_all(outcome: Outcome, expected: bool) -> None:
    assert ended_by_stop(outcome) is expected
