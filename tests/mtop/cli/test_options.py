from __future__ import annotations

import re

import pytest
from click.shell_completion import ShellComplete

from minionize.version import __version__
from mtop.cli.main import main
from mtop.cli.options import SECTIONS
from mtop.columns import COLUMNS
from mtop.config import THEMES
from mtop.filters import parse
from mtop.once.health import Health
from mtop.view import TREES
from tests.mtop.cli.conftest import Terminal


def test_version(mtop: Terminal) -> None:
    result = mtop("--version")
    assert (result.stdout, result.stderr, result.exit_code) == (f"mtop {__version__}\n", "", 0)


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_tells_all(mtop: Terminal, flag: str) -> None:
    result = mtop(flag)
    assert result.exit_code == 0
    text = result.stdout
    assert text.startswith("Usage: mtop [OPTIONS] [URL]...")
    for title, options in SECTIONS:
        assert f"\n{title}:\n" in text
        assert all(flag in text for option in options for flag in option.opts)
    assert all(column.key in text for column in COLUMNS)
    flat = re.sub(r"\s+", " ", text)
    assert all(f"{int(each)} {each.meaning}" in flat for each in Health)
    assert all(theme in text for theme in THEMES)
    assert "|".join(TREES) in text
    assert max(map(len, text.splitlines())) <= 100


def test_filters_in_the_help_are_ones(mtop: Terminal) -> None:
    text = mtop("--help").stdout
    part = text[text.index("\nFilters:\n") : text.index("\nColumns:\n")]
    for words in re.findall(r"^  (\S.*?)  ", part, re.MULTILINE):
        parse(words)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--onec"], "no such option --onec; did you mean --once?"),
        (["--json", "--csv"], "--json, --csv: give one of them"),
        (["--once", "-d", "1"], "-d: --once looks once; --json -d 1 writes a line each time"),
        (["--csv", "-d", "1"], "-d: --csv looks once"),
        (["--json", "--once", "-d", "2.5"], "-d: --once looks once; --json -d 2.5"),
        (["--demo", "3", "--replay", "x"], "--demo, --replay: give one of them"),
        (["--demo", "3", "-r", "dir:/x"], "--demo, -r: give one of them"),
        (["--demo", "3", "http://h:1"], "--demo, URL: give one of them"),
        (["--replay", "x", "http://h:1", "-r", "dir:x"], "--replay, -r, URL: give one of them"),
        (["--token-file", "x"], "--token-file is for minions at URLs"),
        (["--record", "x", "--json"], "--record is for the screen; leave out --json"),
        (["--serve", "8000", "--once"], "--serve is for the screen; leave out --once"),
        (["--record", "x", "--serve", "8000"], "--record, --serve: give one of them"),
        (["--record", "x", "--replay", "y"], "--record, --replay: give one of them"),
        (["--replay", "x", "--json", "-d", "1"], "-d: --replay looks at the end; leave it out"),
        (["-s", "faild"], "'-s' / '--sort': no column 'faild'; did you mean failed?"),
        (["--tree", "hosts"], "no tree 'hosts'; did you mean host?"),
        (["--theme", "lihgt"], "no theme 'lihgt'; did you mean light?"),
        (["--columns", "id,faild"], "no column 'faild'; did you mean failed?"),
        (["--columns", ","], "no column is named"),
        (["-d", "0"], "'0' is no number of seconds from 0.1 to 3600"),
        (["-d", "nan"], "'nan' is no number of seconds"),
        (["-d", "soon"], "'soon' is no number of seconds"),
        (["--demo", "0"], "'0' is no number from 1 to 100000"),
        (["--serve", "x"], "'x' is no port, nor HOST:PORT"),
        (["--serve", "70000"], "'70000' is no port"),
        (["--serve", ":80"], "':80' is no port"),
        (["-F", "faild>0", "--once"], "filter, character 1: no column 'faild'"),
        (["-F", "faild>0", "--serve", "0"], "filter, character 1: no column 'faild'"),
        (["-F", "faild>0"], "filter, character 1: no column 'faild'"),
        (["./minions"], "'./minions' is no URL of a minion; registries go behind -r"),
        (["redis://u:hush@db"], "'db' is no URL of a minion; registries go behind -r"),
        (["ftp://h:1"], "'ftp://h:1': no URL of a minion; write http://HOST:PORT"),
        (["http://u:hush@h:1"], "'http://h:1': there is no user or password"),
        (["--once", "-r", "dri:/x"], "no registry 'dri:'; did you mean dir?"),
        (["--once", "-r", "none"], "nowhere to look: the registry is none"),
        ([], "the screen needs a terminal, for stderr too; --once, --json and --csv do without"),
        (["--replay", "gone", "--once"], "gone"),
    ],
)  # fmt: skip
def test_mistakes_are_told(mtop: Terminal, words: list[str], message: str) -> None:
    result = mtop(*words)
    assert result.stderr.startswith("mtop: error: ")
    assert message in result.stderr
    assert "hush" not in result.stderr
    assert (result.stdout, result.exit_code) == ("", 2)


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [
        (["h:1", "https://h/x"], "urls", ("http://h:1", "https://h/x")),
        (["dns+http://minions:8000"], "urls", ("dns+http://minions:8000",)),
        (["--serve", "8000"], "serve", ("127.0.0.1", 8000)),
        (["--serve", "[::1]:0"], "serve", ("::1", 0)),
        (["--serve", "my.host:1"], "serve", ("my.host", 1)),
        (["--columns", "id, rate,id"], "columns", ("id", "rate")),
        (["-d", "1e1"], "delay", 10.0),
    ],
)
def test_values_are_understood(words: list[str], name: str, value: object) -> None:
    with main.make_context("mtop", words) as context:
        assert context.params[name] == value


@pytest.mark.parametrize(
    ("words", "last", "expected"),
    [
        (["--tree"], "h", ["host"]),
        (["--sort"], "re", ["redelivered", "retried"]),
        (["--columns"], "id,ret", ["id,retried"]),
        (["--theme"], "", list(THEMES)),
    ],
)
def test_words_are_completed(words: list[str], last: str, expected: list[str]) -> None:
    found = ShellComplete(main, {}, "mtop", "_MTOP_COMPLETE").get_completions(words, last)
    assert [item.value for item in found] == expected
