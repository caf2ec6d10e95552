from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from minionize.cli.command import CommandLine
from minionize.errors import CallbackError, SettingsError
from minionize.task import Task
from tests.cli.conftest import Terminal


def task(param: Any) -> Task:
    return Task(param=param, id="i", attempt=1, redelivered=False, slot=3, seq=9, minion="m")


def test_a_command_per_param() -> None:
    callback = CommandLine(["p", "{%}", "{#}", "{}"])
    assert callback.runs_processes
    assert callback.command("x", task("x")).argv == ("p", "3", "9", "x")
    assert callback.command("x", task("x")).stdin is None


@pytest.mark.parametrize(
    ("param", "fed"),
    [("a\n", b"a\n"), ("\udcff", b"\xff"), (b"\0", b"\0"), (7, b"7"), ({"a": [1, None]}, b'{"a":[1,null]}')],
)
def test_stdin_gets_the_param_and_nothing_is_appended(param: Any, fed: bytes) -> None:
    command = CommandLine(["p", "{%}"], stdin=True).command(param, task(param))
    assert (command.argv, command.stdin) == (("p", "3"), fed)


def test_text_that_has_no_bytes_is_the_params_fault() -> None:
    with pytest.raises(ValueError, match="surrogates"):
        CommandLine(["p"], stdin=True).command("\ud800", task(""))


def test_whose_fault_a_missing_program_is() -> None:
    assert CommandLine(["{}"]).command("x", task("x")).program_is_param
    assert not CommandLine(["p"]).command("x", task("x")).program_is_param


def test_a_shell_line_with_a_hole_nobody_can_quote() -> None:
    with pytest.raises(SettingsError, match="MINION_PARAM"):
        CommandLine(["echo `{}`"], shell=True)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.out").touch(0o755)
    (tmp_path / "plain").touch(0o644)
    (tmp_path / "dir").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["./nosuch"], "`./nosuch`: no such program"),
        (["nosuch"], "`nosuch`: no such program"),
        (["a.out"], "`a.out`: no such program in PATH; did you mean ./a.out?"),
        (["./plain"], "`./plain`: is not executable; chmod +x ./plain"),
        (["./dir"], "`./dir`: is a directory"),
        (
            ["echo hello"],
            "`echo hello`: no such program; it looks like a line for the shell: minionize --shell 'echo h",
        ),
        (["A=1", "./a.out"], "`A=1`: no such program; it looks like a line for the shell: minionize --shell 'A=1 ./a"),
        ([""], "``: no such program"),
    ],
)
def test_a_program_that_cannot_run_is_found_out_first(folder: Path, words: list[str], message: str) -> None:
    with pytest.raises(CallbackError) as caught:
        CommandLine(words).check({"PATH": "/bin"})
    assert str(caught.value).startswith(message)


def test_programs_that_can(folder: Path) -> None:
    for words in (["./a.out"], ["sh"], ["{}"], ["bin/{/}"]):
        CommandLine(words).check({"PATH": "/bin"})
    CommandLine(["a.out"]).check({"PATH": f"/bin:{folder}"})
    CommandLine(["no such {}"], shell=True).check({})


def test_it_is_checked_before_anything_is_taken(minionize: Terminal) -> None:
    result = minionize("./nosuch", params="1\n")
    assert (result.exit_code, result.stdout) == (4, "")
    assert result.stderr == "minionize: error: `./nosuch`: no such program\n"
