"""Several minions, and plain scripts, on one sweep directory."""

from __future__ import annotations

import subprocess
from collections import Counter

import pytest

from tests.acceptance.running import Minion, Place, until

pytestmark = pytest.mark.acceptance

EXECO = {"MINION_ENGINE": "execo", "MINION_REPORTER": "json"}
PLAIN = """
from execo_engine.sweep import ParamSweeper
sweeper = ParamSweeper("sweeps")
while (param := sweeper.get_next()) is not None:
    if param % 3:
        open("plain", "a").write(f"{param}\\n")
        sweeper.done(param)
    else:
        sweeper.cancel(param)
    if len(sweeper.get_done()) > 75:
        break
    sweeper.full_update()
"""


def test_eight_minions_run_each_param_once(place: Place) -> None:
    place.sweep("range(2000)")
    minions = [place.start("-j", "2", "true", **EXECO) for _ in range(8)]
    assert [minion.wait() for minion in minions] == [0] * 8
    assert Counter(record["param"] for record in place.records()) == Counter(range(2000))
    assert {(r["attempt"], r["redelivered"], r["settled"]) for r in place.records()} == {(1, False, "ack")}
    done = [int(minion.err.partition("minionize: ")[2].split()[0]) for minion in minions]
    by_minion = Counter(record["minion"] for record in place.records())
    assert sorted(filter(None, done)) == sorted(by_minion.values())
    assert place.sweeper("len(s.get_done()), len(s.get_remaining()), s.get_inprogress()") == "2000 0 set()"


def test_a_plain_script_works_at_the_same_time(place: Place) -> None:
    place.sweep("range(150)")
    # They take their time until the script has had its first.
    line = "echo $1 >> runs; test -e plain || sleep 0.1"
    minions = [place.start("sh", "-c", line, "sh", **EXECO) for _ in range(2)]
    until(lambda: place.lines("runs"))
    place.python(PLAIN)
    assert [minion.wait() for minion in minions] == [0, 0]
    assert place.lines("plain"), "the script should have had its share"
    assert sorted(map(int, place.lines("runs") + place.lines("plain"))) == list(range(150))
    assert place.sweeper("len(s.get_done()), s.get_inprogress()") == "150 set()"


def test_what_a_plain_script_holds_is_left_alone(place: Place) -> None:
    place.sweep("range(5)")
    held = place.sweeper("s.get_next()")
    done = place.run("echo", **EXECO)
    assert done.returncode == 0
    assert sorted(done.stdout.decode().split()) == sorted({str(n) for n in range(5)} - {held})
    assert place.sweeper("s.get_inprogress()") == f"{{{held}}}"


def test_max_params(place: Place) -> None:
    place.sweep("range(20)")
    done = place.run("-j", "3", "--max-params", "7", "echo", **EXECO)
    assert (done.returncode, len(done.stdout.split())) == (0, 7)
    assert place.sweeper("len(s.get_done()), len(s.get_remaining()), s.get_inprogress()") == "7 13 set()"


def test_one_that_lingers_takes_over_from_one_that_is_killed(place: Place) -> None:
    place.sweep("range(2)")
    words = ("sh", "-c", "echo $1 >> runs; test -e go || sleep 60", "sh")
    first = place.start("-j", "2", *words, **EXECO)
    until(lambda: len(place.lines("runs")) == 2, what="runs")
    second = place.start("--exit-when-empty", "60", "--max-params", "2", *words, **EXECO)
    until(lambda: len(list((place.folder / "sweeps/minionize/leases").glob("*.json"))) == 2, what="the second has come")
    leaves = place.run(*words, **EXECO)
    assert (leaves.returncode, len(place.lines("runs"))) == (0, 2), "one that does not linger leaves at once"
    place.script("go", "")
    first.kill()
    assert second.wait() == 0
    assert len(place.lines("runs")) == 4
    assert sorted(record["param"] for record in place.records()) == [0, 1]


def test_one_that_lingers_leaves_when_its_time_is_over(place: Place) -> None:
    place.sweep("range(2)")
    done = place.run("--exit-when-empty", "0.3", "echo", **EXECO)
    assert done.returncode == 0
    assert len(done.stdout.split()) == 2


def why_with(place: Place, minion: Minion) -> str:
    said = place.why(MINION_ENGINE="execo")
    minion.kill()
    return said.removeprefix("engine execo: ")


def test_why(place: Place) -> None:
    assert "minionize: error" in place.why(MINION_ENGINE="execo")
    assert "sweeps" in place.why(MINION_ENGINE="execo")
    place.sweep("range(3)")
    assert "3 ready: this minion would run" in place.why(MINION_ENGINE="execo")
    busy = place.start("-j", "3", "sh", "-c", "echo >> runs; sleep 60", **EXECO)
    until(lambda: len(place.lines("runs")) == 3, what="runs")
    assert "all that is left, 3, is in flight at other minions" in why_with(place, busy)
    failing = place.start("--retries", "1", "--retry-delay", "60", "false", **EXECO)
    until(lambda: len(place.records()) == 3, what="failures")
    assert "nothing ready: 3 delayed, not before their time" in until(
        lambda: said if "3 delayed" in (said := place.why(MINION_ENGINE="execo")) else ""
    )
    failing.kill()
    place.sweep("['bad']", "other")
    other = {"MINION_ENGINE": "execo", "EXECO_PERSISTENCE_DIR": "other"}
    assert place.run("false", **other).returncode == 1
    assert "the queue is empty; 0 done, 1 dead-lettered" in place.why(**other)


def test_why_takes_nothing(place: Place) -> None:
    before = place.sweep("range(3)")
    place.why(MINION_ENGINE="execo")
    assert place.sweeper("len(s.get_remaining()), s.get_inprogress()") == "3 set()"
    assert subprocess.run(("ls", before / "minionize/leases"), capture_output=True).stdout == b""
