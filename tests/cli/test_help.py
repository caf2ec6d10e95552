from __future__ import annotations

import re

import pytest

from minionize.cli.help import help_text
from minionize.errors import ExitCode
from minionize.settings import SETTINGS
from minionize.version import __version__
from tests.cli.conftest import Terminal


def test_help_shows_every_setting_with_its_variable() -> None:
    words = " ".join(help_text(1000).split())
    for setting in SETTINGS:
        for flag in setting.flags:
            assert re.search(rf"(?<!\S){re.escape(flag)}[ ,]", words), flag
        assert re.search(rf"\[{setting.env}[,\]]", words), setting.env


def test_help_shows_every_exit_code() -> None:
    lines = help_text(200)
    for code in ExitCode:
        number = "128\\+N" if code is ExitCode.SIGNAL else str(int(code))
        assert re.search(rf"^  {number} +\S", lines, re.MULTILINE)


@pytest.mark.parametrize("width", [1, 60, 80, 100, 300])
def test_help_fits_the_terminal(width: int) -> None:
    assert max(map(len, help_text(width).splitlines())) <= max(60, min(width, 118))


@pytest.mark.parametrize("words", [["-h"], ["--help"], ["--help", "./a.out"], ["-j", "2", "--help"]])
def test_help_needs_nothing_else(minionize: Terminal, words: list[str]) -> None:
    result = minionize(*words, MINION_RETRIES="wrong")
    assert result.exit_code == 0
    assert result.stdout.startswith("Usage: minionize [OPTIONS] COMMAND [ARG]...\n")


def test_version(minionize: Terminal) -> None:
    assert minionize("--version").stdout == f"minionize {__version__}\n"


def test_defaults_are_shown() -> None:
    words = " ".join(help_text(1000).split())
    for shown in ("[MINION_RETRIES, default 0]", "[MINION_EXIT_RETRY, default 75]", "[MINION_GRACE, default 10]"):
        assert shown in words
