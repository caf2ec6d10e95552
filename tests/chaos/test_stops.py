"""Minions are stopped past their leases and woken again, at random, some for good: nothing is lost."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter

import pytest

from tests.acceptance.running import Minion, Place, until

pytestmark = pytest.mark.chaos

PARAMS = 120
MINIONS = 4
STOPS = 8
EXECO = {"MINION_ENGINE": "execo", "EXECO_LEASE": "1.5", "MINION_REPORTER": "json"}


def start(place: Place) -> Minion:
    words = ("-j", "2", "--exit-when-empty", "3", "sh", "-c", "sleep 0.05; echo $1 >> runs", "sh")
    return place.start(*words, **EXECO)


def stop_at_random(place: Place, minions: list[Minion]) -> None:
    """Stop one after the other for longer than a lease; some are killed in their sleep."""
    chance = random.Random(4)
    asleep: list[tuple[float, Minion]] = []
    for count in range(1, STOPS + 1):
        until(lambda: len(place.lines("runs")) >= count * 8, what="runs")  # noqa: B023
        awake = [minion for minion in minions if all(minion is not other for _, other in asleep)]
        victim = awake[chance.randrange(len(awake))]
        victim.send(signal.SIGSTOP)
        asleep.append((time.monotonic() + 2.0, victim))
        if len(asleep) < MINIONS - 1 and count < STOPS:
            continue
        while asleep:
            due, sleeper = asleep.pop(0)
            until(lambda: time.monotonic() > due)  # noqa: B023
            if chance.random() < 0.3:
                sleeper.kill()
                minions[minions.index(sleeper)] = start(place)
            else:
                sleeper.send(signal.SIGCONT)


def test_stopped_past_the_lease(place: Place) -> None:
    place.sweep(f"range({PARAMS})")
    minions = [start(place) for _ in range(MINIONS)]
    stop_at_random(place, minions)
    assert [minion.wait() for minion in minions] == [0] * MINIONS, [minion.err for minion in minions]
    assert place.sweeper(f"sorted(s.get_done()) == list(range({PARAMS})), s.get_inprogress()") == "True set()"
    # A record is written before the ack: where the ack was refused, the same param has another one.
    acked = Counter(record["param"] for record in place.records() if record["settled"] == "ack")
    assert set(acked) == set(range(PARAMS))
    # How many leases were lost on the way is chance; that a lost one is not acked is in test_leases.py.
    assert all("Traceback" not in minion.err for minion in place.minions)
    until(lambda: not place.processes(), what="all processes ended")
