"""Everything from COMMAND on reaches the program as it is: with real processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SHOW = (sys.executable, "-c", "import os, sys; os.write(1, b'|'.join(map(os.fsencode, sys.argv[1:])))")
"""A program that shows its arguments."""


def minionize(folder: Path, *words: str | bytes, stdin: bytes = b"p\n") -> subprocess.CompletedProcess[bytes]:
    environ = {key: value for key, value in os.environ.items() if not key.startswith(("MINION_", "FILE_"))}
    environ["PYTHONPATH"] = str(Path(__file__).resolve().parents[2])
    return subprocess.run(
        [sys.executable, "-m", "minionize", *words],
        input=stdin,
        capture_output=True,
        cwd=folder,
        env=environ,
        timeout=60,
    )


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["-h", "--version"],
        ["-j", "4", "-e"],
        ["--retries=3"],
        ["--"],
        ["--", "-v", "--"],
        ["", " ", "*", "$HOME", "~", "a\nb", "'", '"', "\\"],
        ["--no-such-option", "-Z"],
        [b"\xff\xfe", "é"],
        ["--dry-run"],
        ["{print $1}", "${HOME}", '{"a": 1}'],
    ],
)
def test_words_of_the_program_are_its_own(tmp_path: Path, words: list[str | bytes]) -> None:
    done = minionize(tmp_path, *SHOW, *words)
    assert (done.returncode, done.stdout) == (0, b"|".join(map(os.fsencode, [*words, "p"]))), done.stderr


@pytest.mark.parametrize("options", [["--"], ["-j1", "--"], ["--slots", "1", "--retries=0", "--"]])
def test_two_dashes_before_the_command_are_ours_and_those_behind_its_own(tmp_path: Path, options: list[str]) -> None:
    done = minionize(tmp_path, *options, *SHOW, "--", "-v")
    assert done.stdout == b"--|-v|p", done.stderr


def test_a_param_is_data_with_all_its_bytes(tmp_path: Path) -> None:
    done = minionize(tmp_path, *SHOW, "{}!", stdin=b"\xff $(id) ; 'x\" \\n\n")
    assert done.stdout == b"\xff $(id) ; 'x\" \\n!", done.stderr


def test_the_old_way_of_a_line_in_one_word_names_the_new_one(tmp_path: Path) -> None:
    done = minionize(tmp_path, "echo hello | cat")
    assert (done.returncode, done.stdout) == (4, b"")
    assert b"minionize --shell 'echo hello | cat'" in done.stderr
    done = minionize(tmp_path, "--shell", "echo hello {} | cat")
    assert (done.returncode, done.stdout) == (0, b"hello p\n"), done.stderr


def test_a_reader_that_leaves_is_no_traceback(tmp_path: Path) -> None:
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    with subprocess.Popen(
        [sys.executable, "-m", "minionize", "--dry-run", "echo", "x" * 1000],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path, env=environ,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.close()
        _, err = process.communicate(b"p\n" * 1000, timeout=60)
    assert (process.returncode, err) == (141, b"")


@pytest.mark.parametrize("option", ["--help", "--show-config", "--version"])
def test_a_full_disk_is_no_traceback(tmp_path: Path, option: str) -> None:
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    with Path("/dev/full").open("wb") as full:
        words = [sys.executable, "-m", "minionize", option]
        done = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, cwd=tmp_path, env=environ, timeout=60)
    assert (done.returncode, done.stderr) == (2, b"minionize: error: standard output: No space left on device\n")
