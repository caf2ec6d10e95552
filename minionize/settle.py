"""How a run is settled: (Outcome, attempt, policy) -> Ack | Nack | Dead. Pure.

    outcome                    verdict
    exit code in exit_dead     Dead
    exit code in exit_retry    Nack, charged, with delay; Dead when the retries are exhausted
    exit code in exit_stop     Nack, not charged, and the minion stops
    succeeded                  Ack
    failed, timed out          Nack, charged, with delay; Dead when the retries are exhausted
    could not start, 126, 127  Nack, not charged, and the minion stops
    preempted                  Nack at once, not charged, whatever the exit code

The lists win over everything but a preemption, in the order in which they stand here.
"""

from __future__ import annotations

from dataclasses import dataclass

from minionize.task import Outcome, OutcomeKind

__all__ = ["Ack", "Dead", "Nack", "Policy", "Verdict", "classify", "crashed_too_often", "settle"]

LONGEST_DELAY = 3600.0
"""No param waits longer than this for its next attempt, in seconds."""

CANNOT_START = frozenset({126, 127})
"""What a shell, env or nice exits with when the program behind it cannot be run, or does not exist."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What the user wants done with params that do not succeed.

    Attributes:
        retries: How many times a param is run again after a failure.
        retry_delay: Seconds before the first retry; doubled for each further one, with jitter.
        exit_retry: Exit codes that ask for another attempt.
        exit_dead: Exit codes that give the param up, retries or not.
        exit_stop: Exit codes that give the param back and stop the minion.
        max_crashes: So many deliveries without an outcome, because their minion died, and the param is dead.
    """

    retries: int = 0
    retry_delay: float = 1.0
    exit_retry: frozenset[int] = frozenset({75})
    exit_dead: frozenset[int] = frozenset()
    exit_stop: frozenset[int] = frozenset()
    max_crashes: int = 5


@dataclass(frozen=True, slots=True)
class Ack:
    """The param is done."""


@dataclass(frozen=True, slots=True)
class Nack:
    """The param goes back.

    Attributes:
        delay: Not before so many seconds.
        charge: Whether the delivery counts as an attempt.
        stop: Whether the minion must take no more.
    """

    delay: float = 0.0
    charge: bool = True
    stop: bool = False


@dataclass(frozen=True, slots=True)
class Dead:
    """The param is given up.

    Attributes:
        reason: Why, in words.
    """

    reason: str


Verdict = Ack | Nack | Dead

_ACK = Ack()
_BACK = Nack(charge=False)
_BACK_AND_STOP = Nack(charge=False, stop=True)


def settle(outcome: Outcome, attempt: int | None, crashes: int | None, policy: Policy, jitter: float) -> Verdict:
    """Decide what becomes of a param after its run.

    Args:
        outcome: How the run ended.
        attempt: The delivery's attempt, from 1; None counts as 1.
        crashes: How many of the attempts before ended without an outcome; they eat no retries.
        policy: What the user wants.
        jitter: A random number, 0 or more and below 1, that spreads the delay over 0.5 to 1.5 times itself.
    """
    kind = outcome.kind
    if kind is OutcomeKind.PREEMPTED:
        return _BACK
    code = outcome.exit_code
    if code is not None:
        if code in policy.exit_dead:
            return Dead(f"{describe(outcome)}, which --exit-dead lists")
        if code in policy.exit_retry:
            return _again(outcome, attempt, crashes, policy, jitter)
        if code in policy.exit_stop:
            return _BACK_AND_STOP
    if kind is OutcomeKind.SUCCEEDED:
        return _ACK
    if kind is OutcomeKind.COULD_NOT_START or (kind is OutcomeKind.FAILED and code in CANNOT_START):
        return _BACK_AND_STOP
    return _again(outcome, attempt, crashes, policy, jitter)


def _again(outcome: Outcome, attempt: int | None, crashes: int | None, policy: Policy, jitter: float) -> Verdict:
    failures = max(1, (attempt or 1) - (crashes or 0))
    if failures > policy.retries:
        tries = f" (attempt {failures} of {policy.retries + 1})" if policy.retries else ""
        return Dead(f"{describe(outcome)}{tries}")
    # The bound on the exponent only keeps the power finite: the longest delay is reached long before.
    delay = policy.retry_delay * 2.0 ** min(failures - 1, 64) * (0.5 + jitter)
    return Nack(delay=min(delay, LONGEST_DELAY), charge=True, stop=outcome.stop)


def classify(exit_code: int, policy: Policy) -> OutcomeKind:
    """Tell which outcome an exit code is: the same rules as ``settle``, for the counters and the record."""
    if exit_code == 0:
        return OutcomeKind.SUCCEEDED
    if exit_code in CANNOT_START and exit_code not in policy.exit_dead | policy.exit_retry:
        return OutcomeKind.COULD_NOT_START
    return OutcomeKind.FAILED


def crashed_too_often(attempt: int | None, crashes: int | None, policy: Policy) -> bool:
    """Tell whether a param must be given up before it is run, for it kept killing its minions.

    A queue that tells crashes says so itself. One that counts deliveries only has failed at most
    ``retries`` of them, or the param would be dead: the rest of those before this one were crashes.

    Args:
        attempt: The delivery's attempt, from 1; None where the queue cannot tell.
        crashes: Runs before that ended without an outcome; None where the queue cannot tell.
        policy: What the user wants.
    """
    if crashes is None:
        crashes = (attempt or 1) - 1 - policy.retries
    return crashes >= policy.max_crashes


def describe(outcome: Outcome) -> str:
    """Say in a few words how a run ended."""
    if outcome.kind is OutcomeKind.TIMED_OUT:
        return outcome.reason or f"timed out after {outcome.duration:.1f} s"
    if outcome.reason:
        return outcome.reason
    if outcome.signal is not None:
        return f"killed by signal {outcome.signal}"
    if outcome.exit_code is not None:
        return f"exit code {outcome.exit_code}"
    return outcome.kind.value.replace("_", " ")
