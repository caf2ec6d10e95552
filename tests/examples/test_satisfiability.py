from __future__ import annotations

import json
import os
import re
import shutil
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from examples.satisfiability import run as example
from tests.examples.running import EXAMPLES, run

RUN = str(EXAMPLES / "satisfiability" / "run.py")
with_minisat = pytest.mark.skipif(
    shutil.which("minisat") is None and "CI" not in os.environ,  # there it is installed, or that is a failure
    reason="minisat is not installed",
)


def test_it_names_the_package_of_the_solver(tmp_path: Path) -> None:
    done = run(tmp_path, sys.executable, RUN, PATH=str(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "run.py: minisat is not installed; on Debian or Ubuntu: apt install minisat\n"


@pytest.mark.slow
@with_minisat
def test_sweep_with_two_kills(tmp_path: Path) -> None:
    work = tmp_path / "work"
    # Easier instances than the reader's: as many params, as many kills.
    done = run(tmp_path, sys.executable, RUN, "--variables", "150", "--work", str(work))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "260 params: 260 succeeded" in done.stdout
    assert done.stdout.count("SIGKILL to minion") == 2
    assert len(re.findall(r"\d+ params \(killed\)$", done.stdout, re.MULTILINE)) == 2
    assert "the numbers add up" in done.stdout
    params = {
        (record["param"]["ratio"], record["param"]["seed"])
        for path in work.glob("results/*.jsonl")
        for record in map(json.loads, path.read_text().splitlines())
        if record["outcome"] == "succeeded"
    }
    assert len(params) == 260
    assert len(ElementTree.parse(work / "plot.svg").findall(".//{*}circle")) == 26
    _check_sees_what_does_not_add_up(work)
    shares = dict(re.findall(r"^ +(\d\.\d)  .*? +(\d+)% ", done.stdout, re.MULTILINE))
    assert (shares["3.0"], shares["6.0"]) == ("100", "0")


def _check_sees_what_does_not_add_up(work: Path) -> None:
    records = example.read(work)
    once = {id: runs[-1:] for id, runs in records.items()}
    id, (record,) = next((id, runs) for id, runs in once.items())
    assert example.check(work, 260, once, [], []) == []
    assert any(
        "of 260" in line for line in example.check(work, 260, {k: v for k, v in once.items() if k != id}, [], [])
    )
    assert any(
        "0 times" in line for line in example.check(work, 260, {**once, id: [record | {"outcome": "failed"}]}, [], [])
    )
    assert any("2 times" in line for line in example.check(work, 260, {**once, id: [record, record]}, [], []))


@with_minisat
def test_same_param_is_the_same_instance(tmp_path: Path) -> None:
    solve = str(EXAMPLES / "satisfiability" / "solve")
    first, second, other = (run(tmp_path, solve, "4.2", seed, "60").stdout.split()[:4] for seed in ("1", "1", "2"))
    assert first == second != other


def test_what_minisat_cannot_do_is_a_failure(tmp_path: Path) -> None:
    broken = tmp_path / "minisat"
    broken.write_text("#!/bin/sh\necho out of memory >&2\nexit 3\n")
    broken.chmod(0o755)
    done = run(
        tmp_path, str(EXAMPLES / "satisfiability" / "solve"), "4.2", "1", PATH=f"{tmp_path}:{os.environ['PATH']}"
    )
    assert (done.returncode, done.stdout, done.stderr) == (3, "", "out of memory\n")
