"""Servers written in Java: their jars, fetched once by Maven into a cache outside the checkout."""

from __future__ import annotations

import os
import subprocess
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.brokers.server import need

_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
_FETCHING = 600.0  # seconds


def jars(name: str) -> Path:
    """The directory with the jars that ``tests/brokers/NAME.pom.xml`` asks for.

    Where they cannot be had the test is skipped; under CI it fails.
    """
    pom = (Path(__file__).parent / f"{name}.pom.xml").read_bytes()
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "minionize-tests"
    place = home / f"{name}-{sha256(pom).hexdigest()[:12]}"
    if not place.exists():
        mvn = need("mvn", "maven")
        home.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=home) as folder:
            _fetch(mvn, pom, Path(folder))
            try:
                (Path(folder) / "lib").rename(place)
            except OSError:
                # Another one was quicker.
                assert place.exists()
    return place


def _fetch(mvn: str, pom: bytes, folder: Path) -> None:
    (folder / "pom.xml").write_bytes(pom)
    words = [mvn, "-B", "-ntp", "-q", "-f", str(folder / "pom.xml"), _COPY, "-DincludeScope=runtime"]
    done = subprocess.run(
        [*words, f"-DoutputDirectory={folder / 'lib'}"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_FETCHING,
    )
    if done.returncode:
        reason = f"Maven cannot fetch the jars: {done.stdout[-2000:]}{done.stderr[-2000:]}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
