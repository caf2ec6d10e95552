"""Minions that mean harm: their servers hang, lie, flood; their texts are escape sequences; their clocks are off."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest

from tests.acceptance.running import Place, until
from tests.mtop.acceptance.watching import Screen, announce, as_json
from tests.mtop.fleet_server import HOSTILE, announcement, fleet
from tests.mtop.live.hostile import http, serving_badly

pytestmark = [pytest.mark.acceptance, pytest.mark.terminal]

# A title, another screen, colours, the cursor, the clipboard, a question, a C1 control, markup, and other directions.
EVIL = (
    "\x1b]0;PWNED\x07\x1b]2;PWNED\x1b\\\x1b[?1049l\x1b[31;45mPWNED\x1b[2J\x1b[H\x1b]52;c;UFdORUQ=\x07\x1b[6n\x9b31mPWNED"
    "\r\n\x00\x08\x7f[bold red]PWNED[/] [@click=app.quit]PWNED[/] \u202ePWNED\u2066 日本"
)
SENT = (
    b"\x1b]0;PWN", b"\x1b]2;PWN", b"\x1b[31;45m", b"\x1b]52;c;UFd", b"\x1b[6n", b"\xc2\x9b", b"\xe2\x80\xae", b"\x00",
)  # fmt: skip
HOURS = 40 * 3600.0
ODD = {
    "hang", "trickle", "huge", "endless head", "endless header", "error", "schema 2", "NaN", "garbage", "reset", "gzip",
    "redirect",
}  # fmt: skip


def wicked() -> dict[str, Any]:
    """What a minion says of itself."""
    said = dict.fromkeys(("host", "queue", "engine", "command", "version", "why"), EVIL)
    ahead = time.time() + HOURS
    backlog = {"ready": 10, "in_flight": 2, "dead": None, "exact": True, "as_of": ahead}
    return {**said, "labels": {"job": EVIL, EVIL: EVIL}, "started": ahead, "backlog": backlog}


def answers(id: str) -> Callable[[bytes], bytes]:
    """A server whose every text is wicked."""
    stats: dict[str, Any] = {**announcement(0, None), **wicked(), "id": id, "user": ""}
    tasks = [
        {"id": f"{number}{EVIL}/../../drain", "param": param, "attempt": 1, "redelivered": False, "slot": number,
         "pid": 1, "started": -1e9, "age": 5.0, "cpu": None, "rss": None}
        for number, param in enumerate((EVIL, {EVIL: [EVIL]}, "x" * 500_000))
    ]  # fmt: skip
    failure = {
        "id": EVIL, "param": EVIL, "slot": 1, "at": 9e15, "cause": EVIL, "settled": EVIL, "outcome": EVIL,
        "exit_code": 1, "signal": None, "reason": EVIL,
        "stderr": f"{EVIL}\n" * 100, "argv": [EVIL], "host": EVIL, "minion": EVIL,
        "attempt": 1, "started": -9e15, "ended": 9e15,
    }  # fmt: skip
    cause = {"cause": EVIL, "count": 7, "first": -9e15, "last": 9e15, "samples": [EVIL]}
    told: dict[str, Any] = {
        "stats": stats,
        "tasks": tasks,
        "failures": {"schema": 1, "total": 7, "causes": [cause], "failures": [failure]},
        "output": {"id": EVIL, "stdout": f"{EVIL}\n" * 1000, "stderr": EVIL},
    }

    def answer(head: bytes) -> bytes:
        path = head.split(b" ", 2)[1].decode().rpartition("/")[2]
        if path not in told:
            return http(json.dumps({"detail": EVIL}).encode(), "409 Conflict", f"X-{id}: PWNED", "Set-Cookie: a=b")
        return http(json.dumps(told[path]).encode())

    return answer


def _all_run(place: Place, ids: list[str]) -> bool:
    """Tell whether mtop without a screen finds these running; one that did not answer in time is asked again."""
    status, _, told = as_json(place)
    assert status in (0, 1)
    return {told[id]["state"] for id in ids} == {"running"}


def test_the_hostile_disturb_nobody(place: Place, screen: Screen) -> None:
    here = os.uname().nodename
    with ExitStack() as stack:
        urls = stack.enter_context(fleet(3, [name for name in HOSTILE if name in ODD], dead=1))
        for number, (id, url) in enumerate(urls.items()):
            plain = id if id.startswith("node") else f"odd-{number}-{id.replace(' ', '')}"
            announce(place, plain, url=url, token="hush", host=here, every=2.0)
        evil = stack.enter_context(serving_badly(answers("wicked-1-e")))
        announce(place, "wicked-1-e", **{**wicked(), "url": evil.url, "token": "hush", "heartbeat": 0.0})
        screen.mtop(size=(140, 40))
        good = [id for id in urls if id.startswith("node")]
        rows = {id: screen.row(id) for id in (*good, "wicked-1-e")}
        title = screen.flag("pane_title")

        # The others are polled as if nothing was.
        for id in good:
            screen.done(id, int(rows[id][4]) + 6)
        screen.until(lambda text: text.count("≈") >= len(ODD), "what is known by heartbeats is marked")

        # Keys are answered at once, whatever is looked at.
        screen.choose("wicked-1-e")
        for keys, words in (
            (("Enter",), "[1 In flight]"), (("5",), "[5 Info]"), (("2",), "[2 Failures]"), (("3",), "[3 Output]"),
            (("4",), "[4 Latency]"), (("6",), "[6 Events]"), (("1",), "[1 In flight]"), (("K",), "Kill the run"),
            (("y",), "▌ kill"), (("Enter",), "[3 Output]"), (("q",), "F10Quit"), (("g",), "7 of 1 cause"),
            (("Enter",), "stderr"), (("q",), "Failures by cause"), (("q",), "F10Quit"), (("l",), "What has happened"),
            (("q",), "F10Quit"), (("F5",), "node-0 (3)"), (("F5",), "▾"), (("F5",), "▾"), (("F5",), "F10Quit"),
            (("d",), "Drain: 1 minion?"), (("y",), "1 FAILED"), (("q",), "F10Quit"), (("y",), "copied"),
        ):  # fmt: skip
            began = time.monotonic()
            screen.keys(*keys)
            shown = screen.sees(words)
            assert time.monotonic() - began < 5.0, f"{keys} took long"
            assert len(shown.splitlines()) == 40
            assert "\x1b" not in shown
        until(lambda: _all_run(place, good), 60.0, "they are seen without a screen")
        assert screen.flag("pane_title") == title
        for bad in SENT:
            assert bad not in screen.written, bad
        screen.writes(b"PWNED")
        screen.keys("q")
        assert screen.ended() == 0
        until(lambda: screen.flag("alternate_on") == "0")
