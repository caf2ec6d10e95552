from __future__ import annotations

import pytest
from click.shell_completion import ShellComplete

from minionize.cli.run import main


def complete(*words: str) -> list[str]:
    *before, incomplete = words
    shell = ShellComplete(main, {}, "minionize", "_MINIONIZE_COMPLETE")
    return [f"{item.type}:{item.value}" for item in shell.get_completions(before, incomplete)]


def test_options_are_completed() -> None:
    assert complete("--retr") == ["plain:--retries", "plain:--retry-delay"]


def test_words_of_an_option_are_completed() -> None:
    assert complete("--output", "g") == ["plain:group"]
    assert "plain:memory" in complete("-e", "")
    assert complete("--results", "x") == ["file:x"]


@pytest.mark.parametrize("words", [("echo", "--ret"), ("-j", "2", "./a.out", "--help"), ("echo", "")])
def test_behind_the_command_only_files_are(words: tuple[str, ...]) -> None:
    assert complete(*words) == [f"file:{words[-1]}"]


def test_programs_are_completed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/bin:/no/such/place")
    assert "plain:sleep" in complete("slee")
    assert complete("./slee") == ["file:./slee"]
