"""mtop in a terminal, beside the minions of a place; and what other ways there are to know these."""

from __future__ import annotations

import json
import os
import pwd
import re
import subprocess
import sys
from typing import Any

import httpx

from minionize.host import identity
from minionize.registries.directory import DirectoryRegistry
from minionize.testing.announcements import make_announcement
from tests.acceptance.running import Minion, Place, until
from tests.mtop.acceptance.terminal import PATIENCE, Terminal

MTOP = (sys.executable, "-m", "mtop")
ME = pwd.getpwuid(os.getuid()).pw_name
BEAT = ("--heartbeat", "0.2")
_TAKEN = ("PATH", "PYTHONPATH", "XDG_STATE_HOME", "MINIONIZE_TEST_PLACE")


def environ(place: Place, **more: str) -> dict[str, str]:
    """The environment of mtop: nothing of the user's own is in it."""
    ours = place.environ()
    said = {name: ours[name] for name in _TAKEN}
    return {**said, "HOME": str(place.folder), "TERM": "tmux-256color", "LANG": "C.UTF-8", **more}


class Screen(Terminal):
    """A terminal in which mtop shows the minions of a place."""

    def __init__(self, place: Place) -> None:
        super().__init__(place.folder)
        self._place = place

    def mtop(self, *words: str, size: tuple[int, int] = (120, 30), **more: str) -> None:
        """Start ``mtop WORDS``."""
        self.start((*MTOP, *words), environ(self._place, **more), size)

    def row(self, minion: Minion | str) -> list[str]:
        """Wait for the line of a minion; return its words: id, host, state, slots, done, failed ..."""
        return self.until(lambda text: row_in(text, minion), f"a line of {minion}")

    def state(self, minion: Minion | str, *wanted: str) -> str:
        """Wait until a minion is in one of some states; return it."""

        def reached(text: str) -> str:
            found = state_in(text, minion)
            return found if found in wanted or not wanted else ""

        return self.until(reached, f"{minion} is {' or '.join(wanted)}")

    def done(self, minion: Minion | str, least: int = 1) -> int:
        """Wait until at least so many runs of a minion are shown as done; return how many."""

        def enough(text: str) -> int:
            number = done_in(text, minion)
            return number if number >= least else 0

        return self.until(enough, f"{least} runs of {minion} are done")

    def choose(self, minion: Minion | str) -> None:
        """Put the cursor on a minion, by a search."""
        self.keys("F3")
        self.sees("Search:")
        self.type(_name(minion))
        self.sees(f"Search: {_name(minion)}")
        self.keys("Escape")
        self.sees("F10Quit")

    def slots(self, minion: Minion | str, wanted: str) -> str:
        """Wait until this stands for the slots of a minion; return the text of the screen."""
        return self.until(
            lambda text: text if row_in(text, minion)[3:4] == [wanted] else "", f"the slots of {minion} are {wanted}"
        )

    def order(self, key: str, *answer: str) -> None:
        """Press a key that gives an order, say yes, and wait for this answer."""
        self.keys(key)
        self.sees("[ OK ]")
        self.keys("y")
        self.sees("ANSWER", "1 done", *answer)
        self.keys("q")
        self.misses("ANSWER")

    def rate(self, least: float) -> None:
        """Wait until at least so many runs are done per second, as the meter has it."""

        def enough(text: str) -> bool:
            found = re.search(r"Done/s +([\d.]+)", text)
            return found is not None and float(found[1]) >= least

        self.until(enough, f"{least:g} runs are done per second")


def _name(minion: Minion | str) -> str:
    return minion if isinstance(minion, str) else f"-{minion.pid}-"


def row_in(text: str, minion: Minion | str) -> list[str]:
    """Return the words of a minion's line, on the screen or of --once; none if it is not there."""
    _, _, grid = re.split(r"^[ ]?(ID).*$", text, maxsplit=1, flags=re.MULTILINE) if "ID" in text else ("", "", "")
    rows = (line.lstrip(" *!").split() for line in grid.splitlines())
    return next((row for row in rows if row and _name(minion) in row[0]), [])


def state_in(text: str, minion: Minion | str) -> str:
    """The state that is shown of a minion, however it is known."""
    return (row_in(text, minion)[2:] or [""])[0].rstrip("≈~")


def done_in(text: str, minion: Minion | str) -> int:
    """How many runs of a minion are shown as done."""
    return int((row_in(text, minion)[4:] or ["0"])[0])


def failed_in(text: str, minion: Minion | str) -> int:
    """How many runs of a minion are shown as failed."""
    return int((row_in(text, minion)[5:] or ["0"])[0])


def registry(place: Place) -> DirectoryRegistry:
    """Where the minions of a place announce themselves."""
    return DirectoryRegistry(str(place.folder / "state/minionize/minions"), {})


def announce(place: Place, id: str, **changes: Any) -> None:
    """Announce a minion that is not there; by default one of this user and host, whose process lives."""
    said: dict[str, Any] = {"user": ME, "host": os.uname().nodename, "url": None, "token": None, "labels": {}}
    registry(place).announce(make_announcement(id, **{**said, "process": identity(), **changes}))


def announced(place: Place, minion: Minion) -> dict[str, Any]:
    """What a minion announces, when it does."""

    def found() -> dict[str, Any] | None:
        all_of_them = (dict(seen.announcement) for seen in registry(place).read())
        return next((each for each in all_of_them if each["pid"] == minion.pid), None)

    return until(found, PATIENCE, f"an announcement of {minion.pid}; it said: {minion.err}") or {}


def stats(place: Place, minion: Minion) -> dict[str, Any]:
    """The numbers of a minion, of its own server."""
    answer: dict[str, Any] = httpx.get(f"{announced(place, minion)['url']}/stats", timeout=PATIENCE).json()
    return answer


def without_screen(place: Place, *words: str) -> tuple[int, str]:
    """Run mtop without a screen; return its exit status, and what it writes."""
    done = subprocess.run(
        (*MTOP, *words), cwd=place.folder, env=environ(place), capture_output=True, text=True, timeout=120, check=False
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout


def as_json(place: Place, *words: str) -> tuple[int, dict[str, Any], dict[int | str, dict[str, Any]]]:
    """Run ``mtop --json``; return its exit status, what it tells of the fleet, and of each minion by its id."""
    status, text = without_screen(place, "--json", *words)
    told = json.loads(text)
    return status, told["fleet"], {minion["id"]: minion for minion in told["minions"]}
