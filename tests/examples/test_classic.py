"""The examples that the page of 0.3.4 shows, word for word."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.blocks import environment
from tests.examples.running import copied, run

pytestmark = pytest.mark.acceptance
FILL = "from execo_engine.sweep import ParamSweeper; ParamSweeper('sweeps', sweeps=range({}), save_sweeps=True)"


def test_hello(tmp_path: Path) -> None:
    done = run(copied("classic", tmp_path), "./hello.sh")
    assert done.returncode == 0, done.stderr
    assert sorted(done.stdout.splitlines()) == [f"hello {n}" for n in range(10)]


@pytest.mark.slow
def test_records(tmp_path: Path) -> None:
    # One after the other they would sleep for 45 s.
    done = run(copied("classic", tmp_path), "./records.sh", MINION_SLOTS="10")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [f"{n} ack {n}" for n in range(10)]


def test_oar_jobs(tmp_path: Path) -> None:
    directory = copied("classic", tmp_path)
    assert run(directory, sys.executable, "-c", FILL.format(60)).returncode == 0
    (directory / ".env").write_text("MINION_ENGINE=execo\n")
    jobs = [
        subprocess.Popen(
            ["./oar.sh"],
            cwd=directory,
            env=environment(directory) | {"OAR_JOB_ID": number, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in ("1287856", "1287857")
    ]
    outputs = [job.communicate(timeout=60) for job in jobs]
    assert [job.returncode for job in jobs] == [0, 0], outputs
    said = [line for out, _ in outputs for line in out.splitlines() if line.startswith("hello from ")]
    assert sorted(int(line.split()[-1]) for line in said) == list(range(60))
    assert {line.split()[2] for line in said} <= {"1287856", "1287857"}
