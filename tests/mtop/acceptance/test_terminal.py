"""mtop and its terminal: how it is left behind, sizes, colours, what it can draw, the mouse."""

from __future__ import annotations

import re
import signal
from functools import partial

import pytest

from tests.acceptance.running import Place, until
from tests.mtop.acceptance.watching import MTOP, Screen, announce, environ

pytestmark = [pytest.mark.acceptance, pytest.mark.terminal]

COLOUR = re.compile(rb"\x1b\[(?:[0-9;:]*[;:])?(?:3[0-9]|4[0-9]|9[0-7]|10[0-7])(?:[;:][0-9;:]*)?m")
SIZES = [(200, 60), (60, 20), (80, 24), (30, 6), (120, 30)]


@pytest.fixture(autouse=True)
def fleet(place: Place) -> None:
    """Two minions that are not there."""
    announce(place, "ant-1-x", state="idle", busy=0)
    announce(place, "bee-1-x", labels={"job": "日本"})


def is_sane(screen: Screen) -> None:
    """Nothing is left of mtop in the terminal."""
    screen.has_flags(alternate_on=0, mouse_any_flag=0, mouse_sgr_flag=0, keypad_flag=0, cursor_flag=1, wrap_flag=1)
    settings = {"icanon", "echo", "isig", "ixon", "icrnl", "opost"}
    screen.until(lambda text: settings <= set(text.split()), "the settings are as they were")
    until(lambda: b"\x1b[?2004l" in screen.written.rpartition(b"\x1b[?2004h")[2], what="pasting is as it was")
    until(lambda: screen.written.count(b"\x1b[<u") >= screen.written.count(b"\x1b[>") > 0, what="so are keys")


@pytest.mark.parametrize("key", ["q", "F10", "C-c"])
def test_a_key_leaves_it(screen: Screen, key: str) -> None:
    screen.mtop()
    screen.sees("ant-1-x", "bee-1-x")
    screen.has_flags(alternate_on=1, mouse_any_flag=1)
    screen.keys(key)
    assert screen.ended() == 0
    is_sane(screen)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_leaves_it(screen: Screen, number: int) -> None:
    screen.mtop()
    screen.sees("ant-1-x")
    screen.send(number)
    assert screen.ended() == 128 + number
    is_sane(screen)
    assert "Traceback" not in screen.text()


def test_it_does_not_outlive_its_terminal(screen: Screen) -> None:
    screen.mtop()
    screen.sees("ant-1-x")
    process = screen.process
    screen.close()
    until(lambda: not process.exists(), what="it is gone")


def test_ctrl_z_gives_the_terminal_back_for_a_while(place: Place, screen: Screen) -> None:
    screen.start(("bash", "--norc", "--noprofile", "-i"), environ(place, PS1="shell> "))
    screen.sees("shell>")
    screen.type(" ".join(MTOP) + "\n")
    screen.sees("ant-1-x")
    screen.keys("C-z")
    screen.sees("Stopped", "shell>")
    screen.has_flags(alternate_on=0, mouse_any_flag=0, cursor_flag=1)
    screen.type("fg\n")
    screen.sees("ant-1-x", "F10Quit")
    screen.has_flags(alternate_on=1, mouse_any_flag=1)
    screen.keys("q")
    # What is typed before the shell asks for it is lost.
    screen.until(lambda text: text.rstrip().endswith("shell>"), "a prompt")
    screen.type("exit\n")
    assert screen.ended() == 0


def test_its_window_may_change(screen: Screen) -> None:
    screen.mtop()
    screen.sees("ant-1-x")
    for width, height in SIZES:
        screen.resize(width, height)
        screen.until(partial(_fills, width=width, height=height), f"{width}x{height}")
    screen.keys("Enter")
    screen.sees("[1 In flight]")
    screen.resize(60, 20)
    screen.until(lambda text: "EscBack" in text.splitlines()[-1], "a drill-down")
    assert len(screen.text().splitlines()) == 20


def _fills(text: str, width: int, height: int) -> bool:
    """Tell whether a screen is as large as that, used from the first line to the last, and shows both minions."""
    lines = text.splitlines()
    fits = len(lines) == height and all(len(line) <= width for line in lines)
    if not fits or not lines[0].startswith("Done/s") or "F1Help" not in lines[-1]:
        return False
    return height < 20 or all(words in text for words in ("ant-1-x", "bee-1-x", "2 live"))


def test_without_colours_the_cursor_is_seen(screen: Screen) -> None:
    screen.mtop(NO_COLOR="1", COLORTERM="truecolor")
    screen.sees("ant-1-x", "bee-1-x")
    for key, under, other in (("Home", "ant-1-x", "bee-1-x"), ("Down", "bee-1-x", "ant-1-x")):
        screen.keys(key)
        screen.until(partial(_only_reversed, screen, under, other), f"{under} is reversed, {other} is not")
    for key, words in (("F8", "nobody to tell"), ("F6", "Sort by"), ("F2", "SET-UP"), ("C-p", "Search for")):
        screen.keys(key)
        screen.sees(words)
        screen.keys("Escape")
        screen.misses(words)
    assert COLOUR.findall(screen.written) == []


def _only_reversed(screen: Screen, one: str, other: str, _: str) -> bool:
    """Tell whether of two words only one stands on the screen with ink and ground reversed."""
    found, on = [], False
    for look, text in re.findall(r"(?:\x1b\[([0-9;]*)m)?([^\x1b]*)", screen.text(styles=True)):
        for code in look.split(";"):
            on = {"7": True, "0": False, "27": False}.get(code, on)
        found.append(text if on else "")
    return one in "".join(found) and other not in "".join(found)


def test_with_colours_states_differ(screen: Screen) -> None:
    screen.mtop(COLORTERM="truecolor")
    screen.sees("ant-1-x", "bee-1-x")
    screen.keys("Down")
    screen.until(lambda _: len(set(_looks(screen, "ant-1-x", "bee-1-x"))) == 2, "one of two lines is under the cursor")
    until(lambda: COLOUR.search(screen.written), what="a colour is written")


def _looks(screen: Screen, *ids: str) -> list[str]:
    """The sequences before some ids; none while one of them has none."""
    found = [re.search(rf"((?:\x1b\[[0-9;]*m ?)+){id}", screen.text(styles=True)) for id in ids]
    return [each[1] for each in found if each] if all(found) else []


@pytest.mark.parametrize(
    "more",
    [{"TERM": "dumb"}, {"LANG": "C"}, {"LC_ALL": "POSIX"}, {"TERM": "linux"}],
    ids=lambda more: str(*more.items()),
)
def test_where_there_is_nothing_but_ascii(screen: Screen, more: dict[str, str]) -> None:
    screen.mtop(**more)  # type: ignore[arg-type]
    screen.sees("ant-1-x", "bee-1-x", "ID^", "||||", "running~")
    screen.keys("F5")
    screen.sees("(2)")
    screen.keys("F2")
    screen.sees("Cancel")
    assert screen.written.isascii()
    assert screen.text().isascii()


def test_the_mouse(screen: Screen) -> None:
    screen.mtop()
    screen.sees("ant-1-x", "bee-1-x", "F10Quit")
    at = next(number for number, line in enumerate(screen.text().splitlines()) if "bee-1-x" in line)
    for _ in range(2):
        screen.click(5, at)
    screen.sees("[1 In flight]", "bee-1-x")
    screen.click(screen.until(lambda text: text.splitlines()[-1].find("Back") + 1, "a key bar") - 1, 29)
    screen.sees("F10Quit")


def test_the_mouse_is_left_to_the_terminal(screen: Screen) -> None:
    screen.mtop("--no-mouse")
    screen.sees("ant-1-x")
    assert screen.flag("mouse_any_flag") == "0"
    assert b"\x1b[?1003h" not in screen.written


def test_what_it_copies_and_saves(place: Place, screen: Screen) -> None:
    screen.mtop()
    screen.sees("ant-1-x")
    screen.keys("y")
    screen.sees("copied")
    screen.writes(b"\x1b]52;c;")
    screen.keys("C-s")
    screen.sees("saved")
    (svg,) = place.folder.glob("mtop-*.svg")
    assert "ant-1-x" in svg.read_text()
