"""minionize 0.3.4 in a virtual environment of its own, to compare with."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from shutil import rmtree

from benchmarks.harness import Bench

REQUIREMENTS = ("minionize[execo]==0.3.4", "numpy<2", "setuptools<81")
VARIABLE = "MINIONIZE_034"


def install(bench: Bench) -> Path | None:
    """Return its program: of the environment that $MINIONIZE_034 names, or of one made in the user's cache.

    It is made once; without a package index the comparison is left out.
    """
    named = os.environ.get(VARIABLE)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "minionize-benchmarks"
    place = Path(named) if named else cache / f"0.3.4-py{sys.version_info[0]}.{sys.version_info[1]}"
    program = place / "bin" / "minionize"
    if program.exists():
        return program
    if bench.scale < 1:
        # Only the benchmark itself is tried.
        return None
    if named:
        raise SystemExit(f"{VARIABLE}={named}: there is no {program}")
    bench.say(f"installing minionize 0.3.4 in {place}")
    try:
        subprocess.run([sys.executable, "-m", "venv", place], check=True, capture_output=True)
        subprocess.run([place / "bin" / "pip", "install", "--quiet", *REQUIREMENTS], check=True, capture_output=True)
        # Old packages warn and are slow to import at first; compile them now.
        subprocess.run([program, "true"], env={"PATH": os.environ["PATH"]}, capture_output=True)
    except subprocess.CalledProcessError as error:
        rmtree(place, ignore_errors=True)
        bench.say(f"minionize 0.3.4 cannot be installed, so it is left out: {error.stderr.decode()[-500:]}")
        return None
    return program
