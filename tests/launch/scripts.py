"""Scripts are read by shellcheck, and run by bash with a stand-in for minionize."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.brokers.server import need

HOSTILE = [
    "two words",
    "it's",
    '"quoted"',
    "$(touch owned)",
    "`touch owned`",
    "; touch owned",
    "line\n#OAR -l nodes=99\n#SBATCH --nodes=99\ntouch owned",
    "a\\b\ttab",
    "${HOME} $HOME $$ $$(x)",
    "é ☃",
    "-n",
    "",
    "*",
    "!!",
    "\udcff\udcfe bytes",
]

_MINIONIZE = """\
#!/bin/bash
printf '%s\\0' "$@" >"$OUT.words"
printf '%s' "$HOSTILE" >"$OUT.part"
mv "$OUT.part" "$OUT.env"
exit "${STATUS:-0}"
"""


def check(script: str, folder: Path) -> None:
    """Have shellcheck and bash read it."""
    path = folder / "checked.sh"
    path.write_text(script)
    for words in ([need("shellcheck", "shellcheck"), "--shell=bash", str(path)], ["bash", "-n", str(path)]):
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{done.stdout}{done.stderr}\n{script}"


def run(script: str, folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run it in a directory, with a minionize that only notes what it was given."""
    programs = folder / "bin"
    programs.mkdir(exist_ok=True)
    (programs / "minionize").write_text(_MINIONIZE)
    (programs / "minionize").chmod(0o755)
    env = {"PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(folder), "OUT": str(folder / "out"), **environ}
    path = folder / "run.sh"
    path.write_text(script)
    return subprocess.run(["bash", str(path)], cwd=folder, env=env, capture_output=True, text=True, check=False)


def words_of(folder: Path) -> list[str]:
    """What minionize was given."""
    return os.fsdecode((folder / "out.words").read_bytes()).split("\0")[:-1]
