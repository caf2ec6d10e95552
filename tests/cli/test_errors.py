from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from minionize.cli.foreign import FOREIGN
from minionize.cli.options import OPTIONS
from tests.acceptance.running import ROOT
from tests.cli.conftest import Terminal


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--retires", "3", "echo"], "minionize: error: no such option --retires; did you mean --retries?\n"),
        (["-Z", "echo"], "minionize: error: no such option -Z\n"),
        (["--retries"], "minionize: error: option '--retries' requires an argument\n"),
        (["--retries", "x", "echo"], "minionize: error: --retries: retries is 'x'; it must be a whole number, 0 or"),
        (["-P", "none", "echo"], "minionize: error: --slots: slots is 'none'; it must be a number of slots"),
        (["--output", "all", "echo"], "minionize: error: --output: output is 'all'; it must be one of group, line"),
        (["--label", "x", "echo"], "minionize: error: --label: label is 'x'; it must be labels, such as"),
        (["--shell=1", "echo"], "minionize: error: option '--shell' does not take a value\n"),
        ([], "minionize: error: no COMMAND to run\nUsage: minionize [OPTIONS] COMMAND [ARG]...\n"),
        (["--function", "f", "-e", "file"], "minionize: error: --function f: must be MODULE:NAME"),
        (["--function", "m:f", "echo"], "minionize: error: --function m:f and COMMAND echo: give one of them\n"),
        (["-0", "-e", "memory", "echo"], "minionize: error: -0/--null is for params from a file; the engine is memory"),
        (["--shell", "echo `x {}`"], "minionize: error: shell line `echo `x {}`: the last placeholder stands after `"),
    ],
)
def test_a_mistake_of_usage_ends_with_2_and_a_remedy(minionize: Terminal, words: list[str], message: str) -> None:
    result = minionize(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(message)


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        (["-I{}", "echo"], "-I: {} stands for the param"),
        (["-n1", "echo"], "-n: each run gets one param"),
        (["-j2", "-k", "echo"], "-k: output comes as runs end"),
        (["--max-args=1", "echo"], "--max-args: each run gets"),
        (["--bar", "echo"], "--bar: that is --progress"),
    ],
)
def test_who_comes_from_xargs_or_parallel_is_told_what_it_is_here(
    minionize: Terminal, words: list[str], remedy: str
) -> None:
    result = minionize(*words)
    assert result.exit_code == 2
    assert f"no such option {remedy}" in result.stderr


def test_no_option_of_ours_is_told_to_be_foreign() -> None:
    assert not FOREIGN.keys() & {flag for entry in OPTIONS for flag in entry.flags}


def test_a_wrong_option_says_where_words_for_the_program_go(minionize: Terminal) -> None:
    assert "behind its name" in minionize("--retires", "3", "echo").stderr


def test_without_a_queue_both_ways_are_shown(minionize: Terminal) -> None:
    result = minionize("--why")
    assert result.exit_code == 2
    assert "seq 10 | minionize echo hello" in result.stderr
    assert "MINION_ENGINE=execo minionize echo hello" in result.stderr


def test_a_queue_that_cannot_be_used_ends_with_3(minionize: Terminal) -> None:
    result = minionize("-e", "file", "--why", FILE_PATH="no/such/file")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "no/such/file" in result.stderr


def test_what_comes_from_elsewhere_obeys_nothing_on_a_terminal(minionize: Terminal) -> None:
    result = minionize("-e", "\x1b[2Jfile", "--why")
    assert result.exit_code == 2
    assert "\x1b" not in result.stderr


@pytest.mark.parametrize("program", ["minionize.cli.run", "minionize.cli.launch", "minionize.cli.queue"])
def test_a_working_directory_that_is_gone(tmp_path: Path, program: str) -> None:
    lines = f"import os, sys; sys.path.append({str(ROOT)!r}); from {program} import main; os.rmdir({str(tmp_path)!r}); "
    words = {"minionize.cli.run": ["echo"], "minionize.cli.launch": ["slurm", "--", "minionize"]}.get(
        program, ["status"]
    )
    script = f"{lines}sys.argv[1:] = {words}; main()"
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert done.stderr.endswith(": error: the working directory is gone; go to one that is there (cd)\n")
