"""What runs in minions, what it writes, why it failed; and ending it."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import pytest

from tests.acceptance.running import Minion, Place, until
from tests.mtop.acceptance.watching import BEAT, Screen, announced, row_in, stats

pytestmark = [pytest.mark.acceptance, pytest.mark.terminal]

# Goes on until it may end.
TALKS = 'n=0; while [ ! -e go ]; do n=$((n + 1)); echo "$1 says $n"; echo "$1 warns" >&2; sleep 0.2; done'
FAILS = 'if [ "$1" = stay ]; then while [ ! -e go ]; do sleep 0.1; done; exit 0; fi; [ -e mended ] && exit; '
FAILS += 'case $1 in [0-9]) echo "no such case: $1" >&2; exit 4;; *) echo "cannot open /data/$1" >&2; exit 5;; esac'


def start(place: Place, script: str, *words: str) -> Minion:
    """A minion on the sweep, with one slot."""
    return place.start("-e", "execo", *BEAT, *words, "sh", "-c", script, "sh")


def runs(text: str) -> list[str]:
    """The params of the runs that are shown."""
    _, _, table = text.partition("PARAM")
    return [row[-1] for line in table.splitlines() if "running" in (row := line.split())]


def said(text: str, param: str) -> int:
    """The last number that a run is shown to have said; 0 for none."""
    return max(map(int, re.findall(rf"{param} says (\d+)", text)), default=0)


def test_a_run_is_seen_heard_and_killed(place: Place, screen: Screen) -> None:
    place.sweep("['first', 'second', 'third']")
    minion = start(place, TALKS, "-j2")
    id = announced(place, minion)["id"]
    screen.mtop()
    screen.until(lambda text: row_in(text, minion)[3:4] == ["2/2"], "two runs")
    screen.keys("Enter")
    screen.sees(id, "[1 In flight]", "PARAM", "runs sh -c")
    param = screen.until(lambda text: runs(text)[0] if len(runs(text)) == 2 else "", "both runs")

    screen.keys("Enter")
    screen.sees("[3 Output]", f"{param} says ", f"{param} warns")
    count = screen.until(lambda text: said(text, param), "what it has said")
    screen.until(lambda text: said(text, param) >= count + 2, "it goes on")

    screen.keys("1")
    screen.sees("[1 In flight]")
    screen.keys("K")
    screen.sees("Kill the run of this param: 1 minion?", param, id)
    screen.keys("Enter")
    screen.misses("Kill the run")
    assert stats(place, minion)["counters"]["failed"] == 0, "Cancel is the default"
    screen.keys("K")
    screen.sees("[ OK ]")
    screen.keys("y")
    screen.sees(f"kill {param}: done, killed")
    until(lambda: stats(place, minion)["counters"]["failed"] == 1)
    screen.keys("2")
    screen.sees("[2 Failures]", "signal 15", param, "killed on request", f"{param} warns", "1 cause")
    screen.keys("1")
    screen.until(lambda text: len(runs(text)) == 2 and param not in runs(text), "another one runs instead")
    screen.keys("6")
    screen.sees(f"{id}: kill {param}: done, killed")
    (place.folder / "go").touch()
    assert minion.wait() == 1


def _asked_until(screen: Screen, words: str, text: str) -> bool:
    """Tell whether words are shown; who did not answer in time is asked again."""
    if "did not tell" in text:
        screen.keys("r")
        screen.misses("did not tell")
    return words in text


def causes(text: str) -> list[tuple[str, str]]:
    """How often each cause was met, and in how many minions."""
    return [(row[0], row[-3]) for line in text.splitlines() if "exit code" in line and len(row := line.split()) > 3]


def test_failures_of_the_fleet_by_cause_and_what_is_dead_once_more(place: Place, screen: Screen) -> None:
    place.sweep("[1, 2, 3, 4, 'stay', 'x', 'y']", "one")
    place.sweep("[5, 'stay']", "two")
    fleet = [
        place.start("-e", "execo", "-j2", *BEAT, "sh", "-c", FAILS, "sh", EXECO_PERSISTENCE_DIR=name)
        for name in ("one", "two")
    ]
    ids = [announced(place, minion)["id"] for minion in fleet]
    screen.mtop()
    screen.until(
        lambda text: (row_in(text, fleet[0])[5:6], row_in(text, fleet[1])[5:6]) == (["6"], ["1"]), "all failed"
    )
    screen.keys("g")
    screen.until(partial(_asked_until, screen, "7 of 2 causes"), "all is told")
    screen.sees("asked 2 of 2")
    screen.until(lambda text: causes(text) == [("5", "2"), ("2", "1")], "the most frequent first, in so many minions")
    screen.keys("Enter")
    screen.sees("5 failures in 2 minions", "exit 4", "no such case: ", "stderr", *ids)
    screen.keys("q")
    screen.sees("Failures by cause")
    screen.keys("q")
    screen.sees("F10Quit")

    Path(place.folder / "mended").touch()
    screen.choose(fleet[0])
    screen.order("D", "requeued 6 dead params")
    screen.until(lambda text: row_in(text, fleet[0])[4:5] == ["6"], "all of them are done now")
    assert screen.row(fleet[1])[4] == "0", "of the other queue nothing was meant"
    (place.folder / "go").touch()
    assert [minion.wait() for minion in fleet] == [1, 1]


def test_readonly_it_gives_no_orders(place: Place, screen: Screen) -> None:
    place.sweep("['only']")
    minion = start(place, TALKS)
    screen.mtop("--readonly")
    screen.sees("read-only")
    screen.state(minion, "running")
    for key in ("d", "p", "F8", "D"):
        screen.keys(key)
        shown = screen.sees("this mtop is read-only")
        assert "OK" not in shown
    screen.keys("Enter")
    shown = screen.sees("[1 In flight]", "only")
    assert "Kill" not in shown
    screen.keys("K")
    screen.sees("this mtop is read-only")
    assert stats(place, minion)["slots"] == 1
    (place.folder / "go").touch()
    assert minion.wait() == 0
