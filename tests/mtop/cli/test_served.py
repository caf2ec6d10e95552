"""``mtop --serve`` as a user has it: the real command, a real browser."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.acceptance.running import until
from tests.status.browser import opened, program

pytestmark = pytest.mark.slow


@contextmanager
def serving(*words: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The address that is printed, and the process."""
    command = [sys.executable, "-m", "mtop", "--serve", "0", *words]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            yield process.stderr.readline().split()[1], process
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


@pytest.mark.skipif(program() is None and not os.environ.get("CI"), reason="there is no browser")
def test_a_browser_shows_it_and_asks_nobody_else(tmp_path: Path) -> None:
    chromium = program()
    assert chromium is not None
    with serving("--demo", "5") as (url, process), opened(chromium) as page:
        assert process.stderr is not None
        page.call("Page.navigate", url=url)
        shown = "new Promise(done => { const look = () => document.body?.classList.contains('-first-byte') ? done(true)"
        assert page.ask(f"{shown} : setTimeout(look, 50); look(); }})")
        origin = url.partition("?")[0]
        assert page.ask("location.href") == origin
        assert page.ask("document.cookie") == ""
        assert page.requests
        assert [each for each in page.requests if not each.startswith((origin, "data:"))] == []
        assert [each for each in page.complaints if "Security Policy" in each or "Failed to load" in each] == []
        picture = tmp_path / "page.png"

        def is_drawn() -> bool:
            page.picture(picture)
            return picture.stat().st_size > 5_000

        until(is_drawn, what="a picture with something in it")
        assert json.loads(page.ask("JSON.stringify([...document.scripts].map(each => each.src))")) == [
            f"{origin}static/js/textual.js"
        ]
    assert process.returncode == 0


def test_it_ends_by_ctrl_c_and_says_nothing_more() -> None:
    with serving("--demo", "5", "--readonly") as (url, process):
        assert url.startswith("http://127.0.0.1:")
    assert process.returncode == 0
