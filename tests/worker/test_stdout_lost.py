"""Our own stdout takes nothing any more: what did not get through is given back."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.worker.command import MINIONIZE, environ, minionize


def _pipeline(cwd: Path, line: str) -> tuple[list[int], str, str]:
    """Run a shell line with $M for minionize; return the pipeline's exit codes, stdout, stderr."""
    script = f'{line}; echo "${{PIPESTATUS[@]}}" > codes'
    ended = subprocess.run(
        ["bash", "-c", script],
        cwd=cwd,
        env=environ({"M": " ".join(MINIONIZE)}),
        capture_output=True,
        text=True,
        timeout=30,
    )
    return list(map(int, (cwd / "codes").read_text().split())), ended.stdout, ended.stderr


def _left(cwd: Path) -> int:
    """How many lines of params are not in the journal."""
    journal = cwd / "journal"
    return 2000 - len(journal.read_text().split()) if journal.exists() else 2000


@pytest.mark.parametrize("options", ["", "-j2", "-j2 --output line", "--tag"])
def test_head_ends_it_quietly(options: str, tmp_path: Path) -> None:
    codes, out, err = _pipeline(
        tmp_path, f"seq 2000 | FILE_JOURNAL=journal $M --dead dead {options} sh -c 'echo $1; sleep 0.001' sh | head -1"
    )
    assert codes[1:] == [141, 0]
    assert out.count("\n") == 1
    assert "error" not in err.lower()
    assert "Traceback" not in err
    assert " 0 dead" in err
    assert "given back" in err
    assert _left(tmp_path) > 1000


def test_a_reader_that_has_all_it_wants_is_no_fault(tmp_path: Path) -> None:
    codes, out, _ = _pipeline(tmp_path, "seq 3 | $M -j2 sh -c 'echo $1' sh | head -3")
    assert codes[1:] == [0, 0]
    assert sorted(out.split()) == ["1", "2", "3"]


def test_a_program_that_fails_while_nobody_reads_is_given_back(tmp_path: Path) -> None:
    program = "sh -c 'trap \"\" PIPE; echo $1 2>/dev/null || exit 1' sh"
    line = f"seq 2000 | FILE_JOURNAL=journal $M --dead dead {program} | head -1"
    codes, _, err = _pipeline(tmp_path, line)
    assert codes[1:] == [141, 0]
    assert " 0 dead" in err
    assert _left(tmp_path) > 1000


@pytest.mark.parametrize("options", [["-j2"], ["--output", "line", "-j2"], ["--tag"]])
def test_a_full_device_gives_back_and_says_so(options: list[str], tmp_path: Path) -> None:
    with open("/dev/full", "w") as full:
        ended = minionize(*options, "echo", "hello", cwd=tmp_path, params=range(20), stdout=full)
    assert ended.returncode == 4
    assert "No space left on device" in ended.stderr
    assert " 0 dead" in ended.stderr
    assert "0 done" in ended.stderr


_INLINE = """
def talk(n):
    print("x" * 200_000 if n == "3" else n, flush=n == "2")
"""


@pytest.mark.parametrize("options", [[], ["-j2"]])
def test_functions_whose_prints_nobody_reads_are_given_back(options: list[str], tmp_path: Path) -> None:
    (tmp_path / "mod.py").write_text(_INLINE)
    minion = " ".join([*MINIONIZE, *options])
    line = f"seq 2000 | FILE_JOURNAL=journal {minion} --dead dead --function mod:talk | head -1"
    codes, _, err = _pipeline(tmp_path, line)
    assert codes[1:] == [141, 0]
    assert " 0 dead" in err
    assert "Traceback" not in err
    assert _left(tmp_path) > 500


@pytest.mark.parametrize("closed", ["0<&-", "1>&-", "2>&-", "0<&- 1>&- 2>&-"])
def test_closed_standard_streams_do_no_harm(closed: str, tmp_path: Path) -> None:
    """What is opened next must not take their place and be written to by the programs."""
    (tmp_path / "params").write_text("1\n2\n3\n")
    program = "sh -c 'cat; echo $1; echo e$1 >&2' sh"
    line = f"{' '.join(MINIONIZE)} -e file -j2 --results results.jsonl {program} {closed}"
    env = environ({"FILE_PATH": "params"})
    ended = subprocess.run(["bash", "-c", line], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=30)
    assert ended.returncode == 0
    records = [json.loads(row) for row in (tmp_path / "results.jsonl").read_text().splitlines()]
    assert sorted((r["param"], r["stdout"], r["stderr"]) for r in records) == [
        (str(n), f"{n}\n", f"e{n}\n") for n in (1, 2, 3)
    ]
    if "1>" not in closed:
        assert sorted(ended.stdout.split()) == ["1", "2", "3"]
