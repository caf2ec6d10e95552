"""What a minion does when its time ends: the decision, by a clock that stands still."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from minionize.stats.histogram import Histogram
from minionize.worker.asking import ask
from minionize.worker.controls import Controls
from minionize.worker.lifetime import Lifetime, Plan, plan
from minionize.worker.options import Options
from minionize.worker.schedulers import SCHEDULERS, Answer, End, Scheduler
from minionize.worker.why import why
from tests.worker.running import until

SLURM = SCHEDULERS[1]
VALUES = {"max_lifetime": 1000.0, "expect": None, "grace": 10.0, "margin": 5.0}


class _Loop(Controls):
    """Controls with a number of busy slots."""

    slots_in_use = 0

    @property
    def busy(self) -> int:
        return self.slots_in_use


class _Case:
    """A lifetime that began at 0, and what it says and does."""

    def __init__(self, environ: Mapping[str, str] | None = None, busy: int = 1, **values: Any) -> None:
        self.now = 0.0
        self.said: list[str] = []
        self.latency = Histogram()
        self.loop = _Loop(Options())
        self.loop.slots_in_use = busy
        self.lifetime = Lifetime(
            {**VALUES, **values}, environ or {}, self.latency, self.said.append,
            clock=lambda: self.now, wall=lambda: 5000.0 + self.now, age=lambda scheduler, environ: 100.0,
        )  # fmt: skip
        self.lifetime.start(self.loop, False)

    def at(self, now: float) -> float:
        self.now = now
        return self.lifetime.tick(now)

    @property
    def does(self) -> tuple[bool, bool, bool]:
        """Whether it takes no more, ends what runs, and kills it."""
        return self.loop.draining, self.loop.abandoning, self.loop.hurried


@pytest.mark.parametrize(
    ("end", "grace", "margin", "expected"),
    [
        (1000.0, 10.0, 5.0, Plan(985.0, 995.0, 1000.0)),
        (1000.0, 0.0, 0.0, Plan(1000.0, 1000.0, 1000.0)),
        # Half of a short time is for work.
        (15.0, 10.0, 5.0, Plan(7.5, 12.5, 15.0)),
        (0.0, 10.0, 5.0, Plan(0.0, 0.0, 0.0)),
        (-1.0, 10.0, 5.0, Plan(-1.0, -1.0, -1.0)),
    ],
)
def test_plan(end: float, grace: float, margin: float, expected: Plan) -> None:
    assert plan(0.0, end, grace, margin) == expected


def test_it_takes_while_nothing_is_known_and_ends_what_runs_in_time() -> None:
    case = _Case()
    case.at(984.9)
    assert case.does == (False, False, False)
    assert case.at(985.0) == 985.0, "the loop has to go round again"
    assert case.does == (True, True, False)
    assert case.said == ["the lifetime ends in 15 s (--max-lifetime): what still runs is ended and given back"]
    assert case.at(985.1) == 995.0
    case.at(995.0)
    assert case.does == (True, True, True)
    assert case.at(996.0) > 1e9
    assert len(case.said) == 1


def test_it_comes_back_when_something_is_due() -> None:
    case = _Case(expect=100.0)
    assert case.at(500.0) == 501.0
    assert case.at(884.5) == 885.0
    assert case.does == (False, False, False)
    assert case.at(885.0) == 885.0
    assert case.does == (True, False, False)
    assert case.at(886.0) == 887.0
    assert case.at(984.5) == 985.0


@pytest.mark.parametrize(("now", "takes"), [(884.9, True), (885.0, False)])
def test_by_expect_it_takes_no_param_that_would_not_end_in_time(now: float, takes: bool) -> None:
    case = _Case(expect=100.0)
    case.latency.add(1.0)
    case.at(now)
    assert case.does == (not takes, False, False)
    told = (
        "the lifetime ends in 115 s (--max-lifetime), less 15 s for grace and margin, "
        "and a param takes 100 s (--expect): this minion takes no more"
    )
    assert case.said == ([] if takes else [told])
    assert case.loop.expired == (None if takes else told)


@pytest.mark.parametrize(("now", "takes"), [(870.0, True), (890.0, False)])
def test_by_nearly_all_runs_before(now: float, takes: bool) -> None:
    case = _Case()
    for duration in [*[100.0] * 96, *[900.0] * 4]:
        case.latency.add(duration)
    case.at(now)
    assert case.does == (not takes, False, False)
    if not takes:
        assert "and a param takes about 100 s" in case.said[0]


def test_the_first_run_counts_before_it_has_been_recorded() -> None:
    case = _Case()
    case.at(600.0)
    assert 600.0 > case.loop.longest > 300.0
    case.now = 600.5
    case.loop.on_long(600.0)
    assert case.does == (True, False, False)
    case.at(601.0)
    assert len(case.said) == 1


def test_one_long_run_among_many_short_ones_ends_nothing() -> None:
    case = _Case()
    for _ in range(100):
        case.latency.add(1.0)
    case.now = 700.0
    case.loop.on_long(600.0)
    assert not case.loop.draining
    assert case.latency.count == 100


def test_what_does_not_fit_from_the_start_is_not_taken() -> None:
    case = _Case(expect=2000.0, busy=0)
    assert case.does == (True, False, False)
    assert (
        case.lifetime.too_late() == "the lifetime ends in 1000 s (--max-lifetime), and a param takes 2000 s (--expect)"
    )


def test_the_first_end_counts() -> None:
    oar = {"OAR_JOB_ID": "7", "OAR_JOB_WALLTIME_SECONDS": "600"}
    case = _Case({**oar, "SLURM_JOB_ID": "8", "SLURM_JOB_END_TIME": "5300"})
    assert case.lifetime.end == End(300.0, "the job", "Slurm")
    assert _Case(oar, max_lifetime=None).lifetime.plan == Plan(485.0, 495.0, 500.0)


def test_a_minion_that_finishes_at_a_stop_cannot_outlive_the_end() -> None:
    case = _Case()
    case.loop._finishes = True
    case.loop.stop(signal.SIGTERM)
    case.at(900.0)
    assert (case.does, case.loop.expired) == ((True, False, False), None)
    case.at(985.0)
    assert case.does == (True, True, False)
    assert case.loop.expired is not None


def test_without_any_end_there_is_nothing_to_do() -> None:
    assert not _Case(max_lifetime=None).lifetime.limited
    assert not _Case({"OAR_JOB_ID": "7"}, max_lifetime=None).lifetime.limited


def test_only_the_signal_that_it_sent_itself_is_its_own() -> None:
    case = _Case()
    assert not case.lifetime.rings(signal.SIGUSR2)
    case.now = 985.0
    case.lifetime._rung = True
    assert not case.lifetime.rings(signal.SIGTERM)
    assert case.lifetime.rings(signal.SIGUSR2)
    assert case.does == (True, True, False)
    assert case.said == [], "a handler of signals must not write"
    case.lifetime.close()
    assert len(case.said) == 1


def test_the_checkpoint_signal_that_comes_again_says_nothing_new() -> None:
    loop = Controls(Options(on_stop="finish"))
    loop.stop(signal.SIGUSR2)
    loop.stop(signal.SIGUSR2)
    assert (loop.abandoning, loop.hurried) == (False, False)
    loop.stop(signal.SIGTERM)
    assert (loop.abandoning, loop.hurried) == (True, True)


def _command(folder: Path, text: str) -> Scheduler:
    path = folder / "squeue"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return SLURM._replace(ask=lambda environ: (str(path),))


@pytest.mark.parametrize(
    ("text", "answer", "said"),
    [
        ("echo 1:30", Answer(left=90.0), ""),
        ("echo UNLIMITED", Answer(), ""),
        ("echo who knows", Answer(), "the time left, 'who', is no time"),
        ("echo 1:30; exit 3", Answer(), "exit code 3"),
        ("exec sleep 60", Answer(), "no answer within 0.1 s"),
    ],
)
def test_asking(text: str, answer: Answer, said: str, tmp_path: Path) -> None:
    words: list[str] = []
    assert ask(_command(tmp_path, text), {}, 30.0 if text[1] == "c" else 0.1, threading.Event(), words.append) == answer
    assert len(words) == bool(said)
    assert said in "".join(words)


def test_a_command_that_is_not_there(tmp_path: Path) -> None:
    said: list[str] = []
    nowhere = SLURM._replace(ask=lambda environ: (str(tmp_path / "squeue"),))
    assert ask(nowhere, {}, 30.0, threading.Event(), said.append) == Answer()
    assert said == [
        f"the end of the job is not known: {tmp_path}/squeue: No such file or directory (--max-lifetime sets one)"
    ]


def test_a_minion_that_leaves_does_not_wait_for_the_answer(tmp_path: Path) -> None:
    closed = threading.Event()
    closed.set()
    said: list[str] = []
    assert ask(_command(tmp_path, "exec sleep 60"), {}, 60.0, closed, said.append) == Answer()
    assert said == []


def test_the_scheduler_is_asked_in_the_background(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _command(tmp_path, "echo 5:00")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    case = _Case({"SLURM_JOB_ID": "7"}, max_lifetime=None)
    assert case.lifetime.limited
    assert case.lifetime.plan is None
    assert case.at(1.0) == 2.0
    until(lambda: case.lifetime.limited and case.lifetime.plan)
    case.lifetime.close()
    assert case.lifetime.end == End(301.0, "the job", "Slurm")
    assert case.said == []


def test_its_statistics_say_why_it_leaves() -> None:
    told = why(
        "draining", busy=1, slots=1, signal=None, fault=None, trouble=None, slowed=False,
        expired="the job ends in 9 s (OAR)", ended=False, backlog=None,
    )  # fmt: skip
    assert told == "the job ends in 9 s (OAR)"
