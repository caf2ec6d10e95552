"""The README's two commands in a fresh clone, and what a built wheel holds. Needs the package index."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.docs.blocks import blocks, environment

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow


def clone(target: Path) -> None:
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(target)], check=True)


def bash(command: str, directory: Path) -> subprocess.CompletedProcess[str]:
    environ = environment(Path.home()) | {"PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    return subprocess.run(["bash", "-c", command], cwd=directory, env=environ, capture_output=True, text=True)


def test_two_commands_of_the_readme(tmp_path: Path) -> None:
    first, second = [block.text for block in blocks((ROOT / "README.md").read_text()) if block.language == "bash"][:2]
    url = "https://gitlab.inria.fr/msimonin/minionize"
    assert url in first
    done = bash(first.replace(url, f"{ROOT} minionize"), tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [f"hello {n}" for n in range(1, 11)]
    # Of the tests a few will do: all of them run anyway.
    done = bash(f"{second.strip()} tests/test_architecture.py", tmp_path / "minionize")
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout


def test_wheel_holds_what_it_must(tmp_path: Path) -> None:
    clone(tmp_path / "clone")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(tmp_path), "./clone"]
    subprocess.run(build, cwd=tmp_path, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    package = tmp_path / "clone" / "minionize"
    files = [*package.rglob("*.py"), *package.glob("*/assets/*")]
    ours = {str(path.relative_to(tmp_path / "clone")) for path in files}
    assert ours | {"minionize/py.typed", "minionize/minionize.schema.json"} <= names
    assert not [name for name in names if name.startswith(("tests/", "docs/", "examples/"))]
    assert any(name.endswith("LICENSE") for name in names)
