"""A minion that is stopped past its lease loses its params, and finds that out when it wakes."""

from __future__ import annotations

import re
import signal

import pytest

from tests.acceptance.running import Place, until

pytestmark = pytest.mark.acceptance

LEASE = {"MINION_ENGINE": "execo", "EXECO_LEASE": "1", "MINION_REPORTER": "json"}
# The first attempt goes on until it may end; it says so when it could.
PROGRAM = """#!/bin/sh
echo "$1 $MINION_ATTEMPT" >> begun
test -e woken && exit 0
until test -e end; do sleep 0.02; done
echo "$1" >> late
"""


def taken_over(place: Place, *options: str, ends: bool = False) -> str:
    """Stop a minion with two runs until another has run all, then wake it; return what it said.

    ``ends``: its runs come to their end when it knows that they are lost.
    """
    place.sweep("range(4)")
    program = place.script("program", PROGRAM)
    minion = place.start("-j", "2", *options, program, **LEASE)
    until(lambda: len(place.lines("begun")) == place.charged() == 2, what="runs")
    minion.send(signal.SIGSTOP)
    place.script("woken", "")
    # It lingers until the lease of the other has run out.
    done = place.run("--exit-when-empty", "10", "--max-params", "4", program, **LEASE)
    assert done.returncode == 0, done.stderr.decode()
    assert place.sweeper("len(s.get_done()), s.get_inprogress()") == "4 set()"
    before = place.records()
    assert len(before) == 4
    minion.send(signal.SIGCONT)
    until(lambda: minion.err.count("the lease of param") == 2, what="it knows")
    if ends:
        place.script("end", "")
    assert minion.wait() == 0, minion.err
    assert place.records() == before, "a run whose lease was lost settles nothing"
    assert re.search(r"^minionize: 0 done, 0 failed, 0 retried, 0 dead, 2 lost in", minion.err, re.MULTILINE), (
        minion.err
    )
    assert minion.err.count("the lease of param") == 2
    assert place.sweeper("len(s.get_done()), s.get_inprogress()") == "4 set()"
    until(lambda: not place.processes(), what="its runs are gone")
    return minion.err


def test_another_takes_over_and_the_woken_one_kills_its_runs(place: Place) -> None:
    taken_over(place)
    assert place.lines("late") == []
    # The runs that were lost count as begun: the next is a second attempt.
    assert sorted(int(line.split()[1]) for line in place.lines("begun")) == [1, 1, 1, 1, 2, 2]


def test_a_lost_run_may_finish_and_still_settles_nothing(place: Place) -> None:
    taken_over(place, "--on-lease-lost", "finish", ends=True)
    assert len(place.lines("late")) == 2


def test_a_minion_that_is_stopped_for_less_than_its_lease_goes_on(place: Place) -> None:
    place.sweep("range(4)")
    minion = place.start("sh", "-c", "echo $1 >> begun; sleep 0.2", "sh", **{**LEASE, "EXECO_LEASE": "300"})
    until(lambda: place.lines("begun"), what="a run")
    minion.send(signal.SIGSTOP)
    assert place.run("echo", **{**LEASE, "EXECO_LEASE": "300"}).returncode == 0
    minion.send(signal.SIGCONT)
    assert minion.wait() == 0
    assert "lost" not in minion.err
    assert sorted(record["param"] for record in place.records()) == [0, 1, 2, 3]
