"""A fleet that is watched: minions come, work, are killed, are told what to do, fall silent, leave."""

from __future__ import annotations

import csv
import signal
from io import StringIO

import pytest

from tests.acceptance.running import MINIONIZE, Minion, Place, until
from tests.mtop.acceptance.watching import (
    BEAT,
    Screen,
    announce,
    announced,
    as_json,
    done_in,
    registry,
    row_in,
    state_in,
    stats,
    without_screen,
)

pytestmark = [pytest.mark.acceptance, pytest.mark.terminal]

# Says who begins and who ends; is held while there is a file "hold", and takes no time once there is one named "go".
WORK = 'echo "$MINION_ID $1" >> begun; [ -e go ] || sleep 0.3; while [ -e hold ]; do sleep 0.02; done; '
WORK += 'echo "$MINION_ID $1" >> ended'


def start(place: Place, *words: str) -> Minion:
    """A minion on the sweep, with two slots."""
    return place.start("-e", "execo", "-j2", *BEAT, *words, "sh", "-c", WORK, "sh")


def params(place: Place, name: str, id: str) -> set[str]:
    """What a minion has begun, or ended."""
    return {line.split()[1] for line in place.lines(name) if line.startswith(id)}


def test_one_is_killed_and_the_other_gets_what_it_held(place: Place, screen: Screen) -> None:
    place.sweep("range(300)")
    (place.folder / "hold").touch()
    one, two = start(place), start(place)
    ids = [announced(place, minion)["id"] for minion in (one, two)]
    screen.mtop()
    screen.sees(*ids, "4/4", "2 live")
    (place.folder / "hold").unlink()
    for minion in (one, two):
        screen.done(minion, 3)
    screen.rate(0.5)

    # All slots are held: the one that is killed has two runs, and what it ran before is settled, on the screen too.
    (place.folder / "hold").touch()
    until(lambda: place.charged() >= held_by(place, *ids) == 4, what="four runs are held")
    left = params(place, "begun", ids[1]) - params(place, "ended", ids[1])
    assert len(left) == 2
    until(lambda: announced(place, two)["in_flight"]["count"] == 2, what="no more is in flight")
    screen.done(two, announced(place, two)["counters"]["succeeded"])
    two.kill()
    screen.sees(f"{ids[1]} is lost, with")
    # What a toast says the grid shows at its next tick.
    screen.state(two, "lost")
    held = row_in(screen.slots(two, "lost"), two)[4]
    screen.state(one, "running")
    screen.until(lambda text: ids[1] in text.partition(ids[0])[2].partition("is lost")[0], "who is lost stands last")
    screen.sees(f"1 lost with {held} params")
    screen.choose(two)
    screen.keys("Enter")
    screen.sees("The minion is lost", "nobody runs them now")
    screen.misses("running")
    screen.keys("q")
    screen.sees("F10Quit")

    (place.folder / "go").touch()
    (place.folder / "hold").unlink()
    assert one.wait() == 0
    assert left <= params(place, "ended", ids[0])
    screen.state(one, "stopped")
    screen.sees("0 live, 1 lost", "1 stopped")
    _all_agree(place, screen, *ids)
    assert int(screen.row(one)[6]) >= len(left), "they are counted as redelivered"

    # One of them is removed from the registry.
    screen.choose(two)
    screen.keys("Space")
    screen.sees("1 tagged")
    screen.keys("X")
    screen.sees("Purge: 1 minion?", "[ OK ]")
    screen.keys("y")
    screen.until(lambda text: not row_in(text, two) and "0 live, 1 stopped" in text, "it is gone")
    until(lambda: [each.announcement["id"] for each in registry(place).read()] == ids[:1], what="nor is it announced")
    assert as_json(place)[0] == 0


def held_by(place: Place, *ids: str) -> int:
    """How many runs some minions have begun and not ended."""
    return sum(len(params(place, "begun", id) - params(place, "ended", id)) for id in ids)


def _all_agree(place: Place, screen: Screen, one: str, two: str) -> None:
    """The screen, and what mtop writes without one, tell the same of minions that have ended, the lost one last."""
    status, fleet, told = as_json(place)
    ends = {id: [str(told[id][key]) for key in ("done", "failed", "redelivered", "dead")] for id in (one, two)}

    def shows_them(text: str) -> str:
        return text if (row_in(text, one)[4:8], row_in(text, two)[5:9]) == (ends[one], ends[two]) else ""

    shown = screen.until(shows_them, f"{ends} are shown")
    stopped, lost = row_in(shown, one), row_in(shown, two)
    assert (status, fleet["lost"], fleet["stopped"], fleet["troubles"]) == (1, 1, 1, ["minions are lost"])
    assert (told[one]["state"], told[two]["state"]) == ("stopped", "lost")
    assert (told[two]["busy"], told[two]["lost"], fleet["lost_params"]) == (0, int(lost[4]), int(lost[4]))
    status, table = without_screen(place, "--once", "--columns", "id,host,state,slots,done,failed,redelivered,dead")
    # The screen may have had its numbers from its server still, mtop --once can have them from its heartbeat only.
    assert state_in(shown, two) == state_in(table, two) == "lost"
    assert (status, row_in(table, one)[1:8], row_in(table, two)[3:9]) == (1, stopped[1:8], lost[3:9])
    status, text = without_screen(place, "--csv")
    written = {row["id"]: row for row in csv.DictReader(StringIO(text))}
    assert (status, written[two]["state"], written[two]["lost"], written[two]["done"]) == (1, "lost", *lost[4:6])


def test_it_does_what_it_is_told_until_it_has_left(place: Place, screen: Screen) -> None:
    place.sweep("range(5000)")
    one, two = start(place), start(place)
    id = announced(place, one)["id"]
    screen.mtop()
    screen.sees("2 live")
    screen.choose(one)

    screen.order("F8", "slots 3")
    until(lambda: stats(place, one)["slots"] == 3, what="it has three slots")
    screen.slots(one, "3/3")
    screen.order("F7", "slots 2")
    assert stats(place, one)["slots"] == 2
    assert stats(place, two)["slots"] == 2, "it was not meant"

    screen.order("p", "paused")
    assert stats(place, one)["state"] == "paused"
    screen.state(one, "paused")
    screen.slots(one, "0/2")
    begun = params(place, "begun", id)
    screen.order("r")
    screen.state(one, "running")
    until(lambda: params(place, "begun", id) > begun, what="it goes on")

    screen.order("d", "draining")
    screen.state(one, "draining", "stopped")
    screen.state(one, "stopped")
    assert one.wait() == 0
    screen.sees("1 live, 1 stopped")
    screen.state(two, "running")
    assert params(place, "begun", id) == params(place, "ended", id), "nothing was cut off"
    count = len(params(place, "ended", id))
    screen.until(lambda text: done_in(text, one) == count, f"{count} runs of {id} are done")
    screen.keys("l")
    screen.sees(*(f"{id}: {words}" for words in ("slots +1: done", "pause: done", "resume: done", "drain: done")))


def test_one_that_is_stopped_is_stale_then_lost_then_live_again(place: Place, screen: Screen) -> None:
    place.sweep("range(5000)")
    # Seconds pass between one and the other: mtop, slow as it may be, sees both.
    minion = start(place, "--heartbeat", "1")
    screen.mtop()
    screen.state(minion, "running")
    minion.send(signal.SIGSTOP)
    screen.state(minion, "stale")
    screen.state(minion, "lost")
    screen.sees("is lost, with")
    minion.send(signal.SIGCONT)
    screen.state(minion, "running")
    screen.until(
        lambda text: "1 live" in text and "≈" not in " ".join(row_in(text, minion) or ["≈"]), "it answers again"
    )
    screen.keys("l")
    screen.sees("was running, is stale", "is lost, with", "was lost, is running")


def test_who_cannot_be_controlled_is_shown(place: Place, screen: Screen) -> None:
    place.sweep("range(5000)")
    minion = start(place, "--no-server")
    announced(place, minion)
    announce(place, "far-1-f", user="fred", host="far", process=("far", "boot", "ns", 7, 7), url="http://127.0.0.1:9")
    screen.mtop()
    screen.done(minion)
    screen.until(lambda text: row_in(text, minion)[2:4] == ["running≈", "2/2"], "it is known by heartbeats")
    screen.until(lambda text: row_in(text, "far-1-f")[1:4] == ["far", "running≈", "2/2"], "so is the other one")
    for each, why in ((minion, "it has no stats server (--no-server)"), ("far-1-f", "it belongs to fred")):
        screen.choose(each)
        screen.keys("d")
        shown = screen.sees("Drain: there is nobody to tell.", f"Left out: 1, {why}")
        assert "OK" not in shown
        screen.keys("Enter")
        screen.misses("Drain:")
        screen.keys("Enter")
        screen.sees(f"which ones is not known: {why}")
        screen.keys("q")
        screen.sees("F10Quit")
    assert minion.process.poll() is None


def test_where_nobody_is_it_says_where_it_looked_and_how_to_start_one(place: Place, screen: Screen) -> None:
    screen.mtop()
    shown = screen.sees("No minion in sight.", "Looked in", "| minionize", "mtop -r", "0 live")
    assert str(place.folder / "state/minionize/minions")[:60] in shown.replace("\n", "")
    # What it says is done.
    line = next(line for line in shown.splitlines() if "| minionize" in line).strip()
    place.start_program("sh", "-c", line.replace("minionize", '"$@"'), "sh", *MINIONIZE, *BEAT)
    screen.sees("1 live")
    screen.misses("No minion")
