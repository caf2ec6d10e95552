from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.examples.running import copied, run

pytestmark = pytest.mark.acceptance
JSON_LINES = {"MINION_ENGINE": "file", "FILE_PATH": "params.jsonl", "FILE_DECODER": "json"}


def results(directory: Path) -> list[dict[str, str]]:
    with (directory / "results.csv").open(newline="") as table:
        return list(csv.DictReader(table))


def test_process_callback(tmp_path: Path) -> None:
    done = run(copied("callbacks", tmp_path), "python", "process_callback.py", **JSON_LINES)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [f"a.out was given: --arg1 {n} {n}0" for n in (1, 2, 3)]


def test_func_callback(tmp_path: Path) -> None:
    done = run(copied("callbacks", tmp_path), "python", "func_callback.py", **JSON_LINES)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [f"myfunc was given: {n} {n}0" for n in (1, 2, 3)]


@pytest.mark.parametrize(
    "command", [("python", "decorator.py"), ("minionize", "--function", "decorator:product")], ids=["run", "function"]
)
def test_decorator(command: tuple[str, ...], tmp_path: Path) -> None:
    directory = copied("callbacks", tmp_path)
    done = run(directory, *command, **JSON_LINES)
    assert done.returncode == 0, done.stderr
    assert [each["result"] for each in results(directory)] == ["10", "40", "90"]


def test_config_file(tmp_path: Path) -> None:
    directory = copied("config-file", tmp_path)
    done = run(directory, "minionize")
    assert done.returncode == 0, done.stderr
    greetings = [f"hello, {name}" for name in ("Ada", "Edsger", "Grace", "Leslie")]
    assert sorted(done.stdout.splitlines()) == greetings
    assert sorted(each["stdout"].strip() for each in results(directory)) == greetings
