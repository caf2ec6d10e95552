from __future__ import annotations

import subprocess

import pytest

from minionize.quoting import shell_line
from tests.cli.conftest import Terminal


def test_it_prints_each_command_line(minionize: Terminal) -> None:
    result = minionize("--dry-run", "echo", "it's", "{}", "{#}", params="a b\n*\n")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "echo 'it'\"'\"'s' 'a b' 1\necho 'it'\"'\"'s' '*' 2\n"


@pytest.mark.parametrize(("dry", "lines"), [("1", 1), ("yes", 1), ("anything", 1)])
def test_dry_does_the_same(minionize: Terminal, dry: str, lines: int) -> None:
    assert minionize("echo", params="a\n", DRY=dry).stdout == "echo a\n" * lines


def test_it_shows_what_goes_to_stdin(minionize: Terminal) -> None:
    assert minionize("--dry-run", "--stdin", "cat", params="a b\n").stdout == "printf %s 'a b' | cat\n"


def test_it_shows_the_shell_line(minionize: Terminal) -> None:
    assert minionize("--dry-run", "--shell", "echo {}", params="$x\n").stdout == "/bin/sh -c 'echo '\"'\"'$x'\"'\"''\n"


def test_it_says_what_cannot_be_run(minionize: Terminal) -> None:
    result = minionize("--dry-run", "echo", "{a}", params='{"a": 1}\n{"b": 2}\n{\n', FILE_DECODER="json")
    assert (result.exit_code, result.stdout) == (0, "echo 1\n")
    first, second = result.stderr.splitlines()
    assert first == "minionize: param {\"b\":2}: no field 'a' in the param for {a}: it has the fields b"
    assert second.startswith("minionize: param {: ")


def test_it_shows_as_many_as_would_be_run(minionize: Terminal) -> None:
    assert minionize("--dry-run", "--max-params", "2", "echo", params="1\n2\n3\n").stdout == "echo 1\necho 2\n"


def test_it_shows_calls(minionize: Terminal) -> None:
    (minionize.folder / "dry_mod.py").write_text("def f(x): pass\n")
    assert minionize("--dry-run", "--function", "dry_mod:f", params="\x1b[1m\n").stdout == "dry_mod:f(\\x1b[1m)\n"


def test_a_terminal_obeys_nothing_and_a_shell_reads_it_back(minionize: Terminal) -> None:
    param = "a'\x1b[2J\\\t\udcff\u202e\x07é"
    result = minionize("--dry-run", "printf", "%s", params=f"{param}\n")
    assert result.stdout.rstrip("\n").isprintable()
    printed = subprocess.run(["bash", "-c", result.stdout], capture_output=True, check=True).stdout
    assert printed.decode("utf-8", "surrogateescape") == param


def test_words_are_quoted_one_by_one() -> None:
    assert shell_line(["a", "b c", "", "\n"]) == "a 'b c' '' $'\\n'"
