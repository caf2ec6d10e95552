"""The benchmarks run. Whether they reach their targets is for a quiet machine to tell, at full scale."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.run import NAMES

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.broker) if name == "brokers" else name for name in NAMES]
)
def test_benchmark_runs(name: str, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    small = ["--scale", "0.01", "--rounds", "1", "--quiet", "--json", str(report)]
    done = subprocess.run([sys.executable, "benchmarks/run.py", *small, name], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr
    assert report.exists(), done.stderr
    assert all(figure["median"] > 0 for figure in json.loads(report.read_text())["figures"][name])
