"""The whole way: command line -> settings -> worker, with a file of params."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Terminal


@pytest.fixture
def out(minionize: Terminal) -> str:
    (minionize.folder / "note").write_text('#!/bin/sh\necho "$@" >> out.txt\n')
    (minionize.folder / "note").chmod(0o755)
    return "./note"


def lines(minionize: Terminal) -> list[str]:
    return (minionize.folder / "out.txt").read_text().splitlines()


def test_a_run_per_param(minionize: Terminal, out: str) -> None:
    assert minionize(out, "x", params="1\n2 3\n").exit_code == 0
    assert lines(minionize) == ["x 1", "x 2 3"]


def test_a_bare_minionize_runs_what_the_file_says(minionize: Terminal, out: str) -> None:
    (minionize.folder / ".minionize.yml").write_text("command: [./note, '$A', '{}']\nfile: {path: params.txt}\n")
    minionize.params.write_text("1\n")
    assert minionize().exit_code == 0
    assert minionize(out, "mine").exit_code == 0
    assert lines(minionize) == ["$A 1", "mine 1"]


def test_the_variables_of_the_file_reach_the_program(minionize: Terminal, out: str) -> None:
    (minionize.folder / ".minionize.yml").write_text("env: {A: of the file}\n")
    assert minionize("--shell", 'echo "$A" {} > out.txt', params="1\n").exit_code == 0
    assert lines(minionize) == ["of the file 1"]


def test_dead_params_end_with_1(minionize: Terminal) -> None:
    assert minionize("false", "--dead", params="1\n", MINION_DEAD="dead.jsonl").exit_code == 1
    assert (minionize.folder / "dead.jsonl").exists()


def test_a_switch_can_be_turned_off_again(minionize: Terminal, out: str) -> None:
    assert minionize("--no-shell", out, "$HOME", params="1\n", MINION_SHELL="1").exit_code == 0
    assert lines(minionize) == ["$HOME 1"]


def test_a_function(minionize: Terminal) -> None:
    (minionize.folder / "run_mod.py").write_text(
        "from pathlib import Path\ndef f(x):\n    with Path('out.txt').open('a') as out:\n        print(x, file=out)\n"
    )
    assert minionize("--function", "run_mod:f", params="1\n2\n").exit_code == 0
    assert lines(minionize) == ["1", "2"]


def test_params_that_end_with_nul(minionize: Terminal, out: str) -> None:
    assert minionize("-0", out, params="a\0b\0").exit_code == 0
    assert lines(minionize) == ["a", "b"]
