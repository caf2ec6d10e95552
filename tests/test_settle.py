from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from minionize.settle import LONGEST_DELAY, Ack, Dead, Nack, Policy, classify, crashed_too_often, settle
from minionize.task import Outcome, OutcomeKind

CODES = st.integers(0, 255)
LISTS = st.frozensets(CODES, max_size=4)
POLICIES = st.builds(
    Policy,
    retries=st.integers(0, 8),
    retry_delay=st.floats(0, 1e6),
    exit_retry=LISTS,
    exit_dead=LISTS,
    exit_stop=LISTS,
    max_crashes=st.integers(1, 8),
)
JITTERS = st.floats(0, 1, exclude_max=True)
COUNTS = st.none() | st.integers(0, 2000)
RUN_TO_THE_END = (OutcomeKind.SUCCEEDED, OutcomeKind.FAILED, OutcomeKind.TIMED_OUT, OutcomeKind.COULD_NOT_START)


def an_outcome(
    kind: OutcomeKind, exit_code: int | None = None, signal: int | None = None, stop: bool = False
) -> Outcome:
    return Outcome(kind=kind, started=0.0, ended=1.0, exit_code=exit_code, signal=signal, stop=stop)


OUTCOMES = st.builds(
    an_outcome, st.sampled_from(OutcomeKind), st.none() | CODES, st.none() | st.integers(1, 64), st.booleans()
)


def listed(outcome: Outcome, policy: Policy) -> bool:
    return outcome.exit_code in policy.exit_dead | policy.exit_retry | policy.exit_stop


@given(OUTCOMES, COUNTS, COUNTS, POLICIES, JITTERS)
def test_it_has_one_verdict_for_everything(
    outcome: Outcome, attempt: int | None, crashes: int | None, policy: Policy, jitter: float
) -> None:
    verdict = settle(outcome, attempt, crashes, policy, jitter)
    assert isinstance(verdict, (Ack, Nack, Dead))
    if isinstance(verdict, Nack):
        assert 0.0 <= verdict.delay <= LONGEST_DELAY
        assert verdict.charge or verdict.delay == 0.0
    if isinstance(verdict, Dead):
        assert verdict.reason


@given(OUTCOMES, COUNTS, COUNTS, POLICIES, JITTERS)
def test_a_param_is_done_only_if_it_succeeded(
    outcome: Outcome, attempt: int | None, crashes: int | None, policy: Policy, jitter: float
) -> None:
    verdict = settle(outcome, attempt, crashes, policy, jitter)
    succeeded = outcome.kind is OutcomeKind.SUCCEEDED and not listed(outcome, policy)
    assert isinstance(verdict, Ack) == succeeded


@given(OUTCOMES, COUNTS, COUNTS, POLICIES, JITTERS)
def test_who_was_preempted_or_could_not_start_is_not_charged(
    outcome: Outcome, attempt: int | None, crashes: int | None, policy: Policy, jitter: float
) -> None:
    assume(outcome.kind in (OutcomeKind.PREEMPTED, OutcomeKind.COULD_NOT_START))
    could_not_start = outcome.kind is OutcomeKind.COULD_NOT_START
    assume(not (could_not_start and listed(outcome, policy)))
    assert settle(outcome, attempt, crashes, policy, jitter) == Nack(0.0, charge=False, stop=could_not_start)


@given(st.sampled_from(RUN_TO_THE_END), CODES, COUNTS, COUNTS, POLICIES, JITTERS)
def test_the_lists_win(
    kind: OutcomeKind, code: int, attempt: int | None, crashes: int | None, policy: Policy, jitter: float
) -> None:
    verdict = settle(an_outcome(kind, code), attempt, crashes, policy, jitter)
    if code in policy.exit_dead:
        assert isinstance(verdict, Dead)
    elif code in policy.exit_retry:
        assert isinstance(verdict, Dead) or (isinstance(verdict, Nack) and verdict.charge)
    elif code in policy.exit_stop:
        assert verdict == Nack(0.0, charge=False, stop=True)


@given(st.sampled_from([OutcomeKind.FAILED, OutcomeKind.TIMED_OUT]), st.none() | CODES, POLICIES, JITTERS)
def test_a_param_that_always_fails_is_dead_after_its_retries(
    kind: OutcomeKind, code: int | None, policy: Policy, jitter: float
) -> None:
    outcome = an_outcome(kind, code)
    assume(code not in policy.exit_stop)
    assume(kind is OutcomeKind.TIMED_OUT or code not in (126, 127) or code in policy.exit_retry)
    runs = 1
    while isinstance(verdict := settle(outcome, runs, 0, policy, jitter), Nack):
        assert verdict.charge
        runs += 1
    assert isinstance(verdict, Dead)
    assert runs == (1 if code in policy.exit_dead else policy.retries + 1)


@given(st.lists(st.booleans(), max_size=40), POLICIES, JITTERS)
def test_a_param_that_fails_or_crashes_ends_dead_in_bounded_deliveries(
    crashing: list[bool], policy: Policy, jitter: float
) -> None:
    failures = crashes = 0
    for crash in [*crashing, *[False] * 9]:
        attempt = failures + crashes + 1
        if crashed_too_often(attempt, crashes, policy):
            assert crashes == policy.max_crashes
            return
        if crash:
            crashes += 1
            continue
        failures += 1
        if isinstance(settle(an_outcome(OutcomeKind.FAILED), attempt, crashes, policy, jitter), Dead):
            assert failures == policy.retries + 1
            return
    pytest.fail("delivered for ever")


@given(st.integers(1, 100), POLICIES)
def test_without_a_count_of_crashes_no_failure_is_taken_for_one(attempt: int, policy: Policy) -> None:
    if attempt <= policy.retries + 1:
        assert not crashed_too_often(attempt, None, policy)
    if attempt > policy.retries + policy.max_crashes:
        assert crashed_too_often(attempt, None, policy)


def test_nothing_is_known_of_crashes() -> None:
    assert not crashed_too_often(None, None, Policy(max_crashes=1))


def test_the_delay_doubles_and_spreads() -> None:
    policy = Policy(retries=100, retry_delay=2.0)
    failed = an_outcome(OutcomeKind.FAILED, 1)
    assert settle(failed, 1, 0, policy, 0.5) == Nack(2.0)
    assert settle(failed, 2, 0, policy, 0.5) == Nack(4.0)
    assert settle(failed, 3, 2, policy, 0.0) == Nack(1.0)
    assert settle(failed, 90, 0, policy, 0.0) == Nack(LONGEST_DELAY)
    assert settle(failed, None, None, policy, 0.5) == Nack(2.0)


def test_a_worker_fault_stops_the_minion_while_the_param_is_tried_elsewhere() -> None:
    failed = an_outcome(OutcomeKind.FAILED, stop=True)
    assert settle(failed, 1, 0, Policy(retries=1), 0.5) == Nack(1.0, stop=True)


def test_the_reason_says_how_it_ended() -> None:
    assert settle(an_outcome(OutcomeKind.FAILED, 3), 1, 0, Policy(), 0.0) == Dead("exit code 3")
    assert settle(an_outcome(OutcomeKind.FAILED, 3), 2, 0, Policy(retries=1), 0.0) == Dead(
        "exit code 3 (attempt 2 of 2)"
    )
    assert settle(an_outcome(OutcomeKind.TIMED_OUT, 143), 1, 0, Policy(), 0.0) == Dead("timed out after 1.0 s")
    killed = an_outcome(OutcomeKind.FAILED, signal=11)
    assert settle(killed, 1, 0, Policy(), 0.0) == Dead("killed by signal 11")


@given(CODES, POLICIES)
def test_the_counters_say_what_settle_does(code: int, policy: Policy) -> None:
    kind = classify(code, policy)
    assert (kind is OutcomeKind.SUCCEEDED) == (code == 0)
    if kind is OutcomeKind.COULD_NOT_START:
        verdict = settle(an_outcome(kind, code), 1, 0, policy, 0.0)
        assert verdict == Nack(0.0, charge=False, stop=True)
