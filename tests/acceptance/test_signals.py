"""Signals that stop a minion: what runs is ended or finished, params go back uncharged, and the exit code tells."""

from __future__ import annotations

import signal
import subprocess
import time

import pytest

from minionize.registries.directory import DirectoryRegistry
from tests.acceptance.running import Minion, Place, until

pytestmark = pytest.mark.acceptance

SOON = 30.0
"""Seconds until a minion has left, on a busy machine; what runs would take a minute."""

STOPS = [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGUSR2, 140)]
LONG = "#!/bin/sh\necho $1 $MINION_ATTEMPT >> begun\nexec sleep 60\n"
STUBBORN = "#!/bin/sh\ntrap '' TERM INT\necho $1 $MINION_ATTEMPT >> begun\nsleep 60 & wait\nwait\n"
# Ends when it may.
SHORT = "#!/bin/sh\necho $1 $MINION_ATTEMPT >> begun\nuntil [ -e go ]; do sleep 0.02; done\necho $1 >> ended\n"


def started(place: Place, text: str, *options: str, slots: int = 2, **environ: str) -> Minion:
    place.sweep("range(5)")
    words = ("-j", str(slots), *options, place.script("program", text))
    minion = place.start(*words, MINION_ENGINE="execo", MINION_REPORTER="json", **environ)
    until(lambda: len(place.lines("begun")) >= slots, what="runs")
    return minion


def assert_all_uncharged(place: Place) -> None:
    """Another minion runs all that is left, each as its first attempt."""
    (place.folder / "begun").unlink()
    left = place.sweeper("sorted(s.get_remaining())")
    done = place.run("sh", "-c", "echo $1 $MINION_ATTEMPT >> begun", "sh", MINION_ENGINE="execo")
    assert done.returncode == 0, done.stderr
    assert str(sorted(int(line.split()[0]) for line in place.lines("begun"))) == left
    assert {line.split()[1] for line in place.lines("begun")} == {"1"}


@pytest.mark.parametrize(("number", "code"), STOPS)
def test_runs_are_ended_and_given_back(place: Place, number: int, code: int) -> None:
    minion = started(place, LONG)
    minion.send(number)
    assert minion.wait(SOON) == code
    assert [(record["outcome"], record["settled"]) for record in place.records()] == [("preempted", "nack")] * 2
    assert not place.processes()
    assert place.sweeper("len(s.get_remaining()), s.get_inprogress()") == "5 set()"
    assert_all_uncharged(place)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR2])
def test_oar_jobs_ask_to_be_resubmitted_while_work_is_left(place: Place, number: int) -> None:
    minion = started(place, LONG, OAR_JOB_ID="7")
    minion.send(number)
    assert minion.wait(SOON) == 99


def test_oar_jobs_that_finish_the_last_param_do_not(place: Place) -> None:
    minion = started(place, SHORT, "--on-stop", "finish", slots=5, OAR_JOB_ID="7")
    minion.send(signal.SIGUSR2)
    (place.folder / "go").touch()
    assert minion.wait() == 0
    assert len(place.lines("ended")) == 5


def test_finish(place: Place) -> None:
    minion = started(place, SHORT, "--on-stop", "finish", "--heartbeat", "0.1")
    minion.send(signal.SIGTERM)
    until_it_drains(place)
    (place.folder / "go").touch()
    assert minion.wait() == 143
    # What was running has ended well; nothing else was begun.
    assert len(place.lines("ended")) == len(place.lines("begun")) == 2
    assert place.sweeper("len(s.get_done()), len(s.get_remaining())") == "2 3"
    assert_all_uncharged(place)


@pytest.mark.parametrize("options", [(), ("--on-stop", "finish")], ids=["abandon", "finish"])
def test_second_signal_means_now(place: Place, options: tuple[str, ...]) -> None:
    minion = started(place, STUBBORN, "--grace", "50", "--heartbeat", "0.1", *options)
    minion.send(signal.SIGTERM)
    began = time.monotonic()
    # It has seen the first one when it takes no more; that it waits is what the first one means.
    until_it_drains(place)
    time_passes(0.3)
    assert minion.process.poll() is None
    minion.send(signal.SIGINT)
    assert minion.wait(SOON) == 143
    assert time.monotonic() - began < SOON
    until(lambda: not place.processes(), SOON, "all is gone")
    assert_all_uncharged(place)


def test_a_checkpoint_that_comes_again_hurries_nobody(place: Place) -> None:
    minion = started(place, SHORT, "--on-stop", "finish", "--heartbeat", "0.1", OAR_JOB_ID="7")
    minion.send(signal.SIGUSR2)
    until_it_drains(place)
    minion.send(signal.SIGUSR2)
    time_passes(0.5)
    (place.folder / "go").touch()
    assert minion.wait() == 99
    assert len(place.lines("ended")) == 2
    assert_all_uncharged(place)


def test_grace(place: Place) -> None:
    minion = started(place, STUBBORN, "--grace", "0.5")
    began = time.monotonic()
    minion.send(signal.SIGTERM)
    assert minion.wait(SOON) == 143
    assert time.monotonic() - began >= 0.5
    assert [(record["outcome"], record["signal"]) for record in place.records()] == [("preempted", 9)] * 2


@pytest.mark.parametrize("slots", [1, 2])
@pytest.mark.parametrize(("number", "code"), STOPS)
def test_functions(place: Place, slots: int, number: int, code: int) -> None:
    place.sweep("range(5)")
    text = "import time\ndef f(param):\n    open('begun', 'a').write(f'{param}\\n')\n    time.sleep(60)\n"
    place.script("work.py", text)
    minion = place.start("-j", str(slots), "--function", "work:f", MINION_ENGINE="execo", MINION_REPORTER="json")
    until(lambda: len(place.lines("begun")) >= slots, what="calls")
    minion.send(number)
    assert minion.wait(SOON) == code
    assert [(record["outcome"], record["settled"]) for record in place.records()] == [("preempted", "nack")] * slots
    assert_all_uncharged(place)


def test_a_signal_while_waiting_for_params(place: Place) -> None:
    minion = place.start("echo", stdin=subprocess.PIPE)
    with minion.stdin as sink:
        sink.write(b"a\n")
        until(lambda: minion.out == "a\n")
        minion.send(signal.SIGTERM)
        assert minion.wait(SOON) == 143


def until_it_drains(place: Place) -> None:
    """Wait until a minion has heard that it is to leave."""
    registry = DirectoryRegistry(str(place.folder / "state/minionize/minions"), {})
    until(lambda: [seen.announcement["state"] for seen in registry.read()] == ["draining"], what="it drains")


def time_passes(seconds: float) -> None:
    """Let a while go by in which nothing must happen."""
    end = time.monotonic() + seconds
    until(lambda: time.monotonic() > end)
