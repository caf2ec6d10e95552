"""Runs examples as a reader would: in a copy of their directory, with the programs of this environment."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.docs.blocks import environment

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def copied(name: str, tmp_path: Path) -> Path:
    """Copy one directory of the examples, without what a reader's runs left there."""
    ignored = shutil.ignore_patterns("__pycache__", "sweeps", "minion-report", "*.csv", ".env")
    return Path(shutil.copytree(EXAMPLES / name, tmp_path / name, ignore=ignored))


def run(directory: Path, *argv: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a program of an example to its end."""
    return subprocess.run(
        argv,
        cwd=directory,
        env={**environment(directory), "PIP_DISABLE_PIP_VERSION_CHECK": "1", **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )
