from __future__ import annotations

import pytest
from click.shell_completion import ShellComplete

from minionize.cli.queue import main
from minionize.version import __version__
from tests.queue.conftest import Terminal
from tests.test_architecture import CLIENTS, HEAVY, imported_by, inside

COMMANDS = ("fill", "status", "peek", "dead", "requeue", "copy", "purge")


def test_help_names_every_command(queue: Terminal) -> None:
    said = queue("--help").stdout
    assert said.startswith("Usage: minion-queue [OPTIONS] COMMAND [ARGS]...\n")
    assert all(f"\n  {name} " in said for name in COMMANDS)
    assert set(main.commands) == set(COMMANDS)
    assert queue().exit_code == 2


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_and_json(queue: Terminal, name: str) -> None:
    said = queue(name, "--help").stdout
    assert said.startswith(f"Usage: minion-queue {name} [OPTIONS]")
    assert "--json" in said
    assert "-e, --engine NAME" in said


def test_version(queue: Terminal) -> None:
    assert queue("--version").stdout == f"minion-queue {__version__}\n"


@pytest.mark.parametrize("words", [["--help"], ["fill", "--help"], ["--version"]])
def test_help_imports_nothing_heavy(words: list[str]) -> None:
    loaded = imported_by("-c", f"import sys; sys.argv[1:] = {words}; from minionize.cli.queue import main; main()")
    assert inside(loaded, "minionize.cli.queue")
    heavy = ("minionize.worker", "minionize.engines", "minionize.sweepdir", "minionize.settings")
    assert not inside(loaded, *CLIENTS, *HEAVY, *heavy)


def test_a_command_does_not_import_the_worker() -> None:
    script = "import sys; sys.argv[1:] = ['fill', '--dry-run', '--sweep', 'x=1']; from minionize.cli.queue import main"
    assert not inside(imported_by("-c", f"{script}; main()"), *CLIENTS, *HEAVY, "minionize.worker")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "missing command\nTry 'minion-queue --help'"),
        (["filll"], "no command 'filll'; did you mean fill?"),
        (["x"], "no command 'x'; known are copy"),
        (["status", "--jsn"], "no such option --jsn; did you mean --json?"),
        (["peek", "-n", "x"], "invalid value for '-n'"),
        (["status", "x"], "got unexpected extra argument (x)"),
    ],
)
def test_a_mistake_of_usage_ends_with_2(queue: Terminal, words: list[str], message: str) -> None:
    result = queue(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("minion-queue: error: ")
    assert message in result.stderr


def complete(*words: str) -> list[str]:
    *before, incomplete = words
    shell = ShellComplete(main, {}, "minion-queue", "_MINION_QUEUE_COMPLETE")
    return [item.value for item in shell.get_completions(before, incomplete)]


def test_completion() -> None:
    assert complete("pe") == ["peek"]
    assert complete("-e", "ex") == ["execo"]
    assert complete("copy", "--to", "fi") == ["file"]
    assert complete("dead", "--summ") == ["--summary"]
