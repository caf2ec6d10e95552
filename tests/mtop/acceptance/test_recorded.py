"""What was seen is seen again: recordings, post-mortems; and seen in a browser."""

from __future__ import annotations

import re
import signal

import httpx
import pytest

from tests.acceptance.running import Place, until
from tests.mtop.acceptance.watching import BEAT, MTOP, Screen, announced, as_json, environ, failed_in, row_in

pytestmark = [pytest.mark.acceptance, pytest.mark.terminal]


def test_a_recording_shows_what_was_seen(place: Place, screen: Screen, other: Screen) -> None:
    place.sweep("range(5000)")
    one, two = (place.start("-e", "execo", *BEAT, "sh", "-c", "sleep 0.2; exit 3") for _ in range(2))
    ids = [announced(place, minion)["id"] for minion in (one, two)]
    screen.mtop("--record", "seen.mtop")
    screen.until(lambda text: all(failed_in(text, id) for id in ids), "both fail")
    two.kill()
    screen.sees("is lost, with")
    screen.choose(one)
    screen.keys("p")
    screen.sees("Pause: 1 minion?")
    screen.keys("y")
    screen.sees("1 done")
    screen.keys("q")
    screen.state(one, "paused")
    shown = screen.slots(one, "0/1")
    screen.send(signal.SIGTERM)
    assert screen.ended() == 128 + signal.SIGTERM
    one.kill()
    assert (place.folder / "seen.mtop").stat().st_mode & 0o077 == 0, "params may be secret"

    # On the screen, wound to its end.
    other.mtop("--replay", "seen.mtop")
    other.sees(*ids, "Space", "x1")
    other.keys(*["Right"] * 6)
    other.sees("lost", "paused")
    ends = [row_in(shown, id)[2:8] for id in ids]
    other.until(lambda text: [row_in(text, id)[2:8] for id in ids] == ends, f"the rows end with {ends}")
    other.keys("d")
    other.keys("l")
    log = other.sees("What has happened", f"{ids[1]} is lost")
    assert "OK" not in log, "a recording takes no orders"
    other.keys("q")
    other.sees("F10Quit")
    other.keys("q")
    assert other.ended() == 0

    # And without a screen.
    status, fleet, told = as_json(place, "--replay", "seen.mtop")
    assert (status, fleet["lost"], fleet["live"]) == (1, 1, 1)
    assert [told[id]["state"] for id in ids] == ["paused", "lost"]
    assert [str(told[ids[0]][key]) for key in ("done", "failed")] == row_in(shown, one)[4:6]


def test_the_records_of_a_run_are_a_post_mortem(place: Place, screen: Screen) -> None:
    place.sweep("range(20)")
    script = ("sh", "-c", 'sleep 0.02; [ "$1" -ne 7 ]', "sh")
    done = place.run("-e", "execo", "-j2", *script, MINION_REPORTER="json", MINION_REGISTRY="none")
    assert done.returncode == 1
    (report,) = place.folder.glob("minion-report*")
    screen.mtop("--replay", str(report))
    screen.sees("x1")
    screen.keys("Right")
    screen.matches(r"stopped .* 19 +1 ")
    screen.keys("g")
    screen.sees("1 of 1 cause", "exit code 1")


def test_it_is_served(place: Place) -> None:
    server = place.start_program(*MTOP, "--serve", "0", **environ(place))
    where = until(lambda: re.search(r"http://127\.0\.0\.1:\d+\S*", server.err), what="it says where it is")
    assert where is not None
    with httpx.Client(timeout=60, follow_redirects=True) as browser:
        page = browser.get(where[0])
    assert page.status_code == 200
    assert "mtop" in page.text
    assert re.findall(r'(?:src|href)="(?:https?:)?//(?!127\.0\.0\.1)', page.text) == [], "nothing comes from elsewhere"
    server.send(signal.SIGINT)
    assert server.wait() == 0
    until(lambda: place.processes() == [], what="all has gone")
