from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from minionize.status.terminal.bars import bar, lifetime, sparkline
from minionize.status.terminal.canvas import Canvas, canvas_of, plain
from minionize.status.terminal.plots import nice_ticks
from minionize.status.terminal.text import text
from tests.status.making import lively, run, summed


class Stream(io.TextIOWrapper):
    """Standard output as it may be."""

    def __init__(self, terminal: bool, encoding: str = "utf-8") -> None:
        super().__init__(io.BytesIO(), encoding=encoding)
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


@pytest.mark.parametrize("width", [40, 60, 80, 100, 160])
@pytest.mark.parametrize("colour", [False, True])
def test_no_line_is_wider_than_the_terminal(width: int, colour: bool) -> None:
    shown = text(summed(lively()), Canvas(width, colour=colour))
    assert max(len(plain(line)) for line in shown.splitlines()) <= width
    assert ("\x1b[" in shown) is colour


def test_every_part_is_there() -> None:
    shown = text(summed(lively()), Canvas(100))
    for words in (
        "200 records of 5 minions on 3 hosts", "succeeded", "failed", "preempted", "timed out", "wasted", "settled: ",
        "exit code 3: no <b>N</...> & such", "runs per minute: succeeded, failed, preempted", "in flight",
        "p50 ", "p95 ", "p99 ", "up to ", "host ", "job ", "minion ", "█",
    ):  # fmt: skip
        assert words in shown, words


def test_colours_are_taken_away_and_nothing_else() -> None:
    status = summed(lively())
    shown = plain(text(status, Canvas(100, colour=True))).splitlines()
    assert [line.rstrip() for line in shown] == text(status, Canvas(100)).splitlines()


@pytest.mark.parametrize("height", [10, 22, 30, 60])
def test_a_screen_is_not_overrun(height: int) -> None:
    shown = text(summed(lively()), Canvas(80, height))
    assert len(shown.splitlines()) <= height
    assert "200 records" in shown


def test_ascii_is_ascii() -> None:
    assert text(summed(lively()), Canvas(100, ascii=True)).isascii()


def test_foreign_words_obey_nothing() -> None:
    evil = "\x1b[2Jevil\u202e\n\r"
    runs = [run("failed", minion=evil, host=evil, job=evil, id=evil, stderr=evil, reason=evil)] * 3
    shown = text(summed(runs, places=[evil]), Canvas(160))
    assert "evil" in shown
    assert "\x1b" not in shown
    assert "\u202e" not in shown


@pytest.mark.parametrize("number", [0, 1, 2])
def test_few_records_are_shown_too(number: int) -> None:
    shown = text(summed([run()] * number, left_out=3, passed_over=2), Canvas(80))
    assert f"{number} record" in shown
    assert "3 records left out by the filters" in shown
    assert "2 lines passed over" in shown


def test_long_lists_are_cut_and_say_so() -> None:
    runs = [run("failed", minion=f"m{n}", host=f"h{n}", reason="word" + chr(97 + n // 26) + chr(97 + n % 26))
            for n in range(50)]  # fmt: skip
    shown = text(summed(runs), Canvas(100))
    assert "and 30 by 30 more causes" in shown
    assert "and 30 more hosts" in shown
    assert "and 30 more minions" in shown


@pytest.mark.parametrize(
    ("terminal", "environ", "colour"),
    [
        (True, {"TERM": "xterm"}, True),
        (True, {"TERM": "xterm", "NO_COLOR": "1"}, False),
        (True, {"TERM": "xterm", "NO_COLOR": ""}, True),
        (True, {"TERM": "dumb"}, False),
        (False, {"TERM": "xterm"}, False),
    ],
)
def test_colours_only_where_they_are_wanted(terminal: bool, environ: dict[str, str], colour: bool) -> None:
    assert canvas_of(Stream(terminal), environ).colour is colour


@pytest.mark.parametrize(
    ("environ", "width"),
    [({}, 100), ({"COLUMNS": "70"}, 70), ({"COLUMNS": "5"}, 40), ({"COLUMNS": "9999"}, 160), ({"COLUMNS": "x"}, 100)],
)
def test_width_where_there_is_no_terminal(environ: dict[str, str], width: int) -> None:
    assert canvas_of(Stream(False), environ).width == width
    assert canvas_of(None, environ).width == width


def test_encoding_decides_about_ascii() -> None:
    assert canvas_of(Stream(False, "ascii"), {}).ascii
    assert canvas_of(Stream(False, "latin-1"), {}).ascii
    assert not canvas_of(Stream(False), {}).ascii


@pytest.mark.parametrize(("highest", "number"), [(0, 3), (1, 4), (0.013, 3), (7, 2), (1e9, 5), (9.99999, 4)])
def test_ticks_are_round_and_reach_the_highest(highest: float, number: int) -> None:
    ticks = nice_ticks(highest, number)
    assert ticks[0] == 0
    assert ticks[-1] >= highest
    assert 2 <= len(ticks) <= 2 * number + 2


@pytest.mark.parametrize(("share", "drawn"), [(0, ""), (1e-9, "▏"), (0.5, "█████"), (0.55, "█████▌"), (1, "█" * 10)])
def test_bar(share: float, drawn: str) -> None:
    assert bar(share, 10) == drawn


def test_sparkline() -> None:
    assert sparkline([0, 1, 4, 8], 10, 8) == " ▂▅█"
    assert sparkline([0, 2, 4, 8], 2, 8) == "▂▇"
    assert sparkline([], 10, 8) == sparkline([1], 10, 0) == ""


@pytest.mark.parametrize(
    ("life", "drawn"), [((0, 100), "█" * 10), ((0, 0), "█"), ((100, 100), " " * 9 + "█"), ((50, 80), "     ███")]
)
def test_lifetime(life: tuple[float, float], drawn: str) -> None:
    assert lifetime(*life, 0, 100, 10) == drawn


def test_progress_is_for_terminals_and_goes_away() -> None:
    from minionize.status.progress import Progress

    now = [0.0]
    for terminal in (True, False):
        stream = Stream(terminal)
        now[0] = 0.0
        progress = Progress(stream, lambda: now[0])
        progress.tell(1_000_000, 10_000_000)
        for now[0] in (0.6, 0.61, 0.8):
            progress.tell(5_000_000, 10_000_000)
        progress.end()
        written = stream.buffer.getvalue().decode()  # type: ignore[attr-defined]
        assert ("50 % of 10 MB" in written) is terminal
        assert written.count("reading") == (2 if terminal else 0)
        assert not terminal or written.endswith("\r\x1b[K")


def test_no_file_of_another_kind_is_needed(tmp_path: Path) -> None:
    places: dict[str, Any] = {"places": [str(tmp_path)]}
    assert str(tmp_path) in text(summed([run()], **places), Canvas(160))
