"""Many minions in one directory at once; killed ones; a full disk."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from minionize.errors import RegistryError
from minionize.registries.directory import DirectoryRegistry
from minionize.registry import liveness
from minionize.testing.registry import make_announcement

ROOT = Path(__file__).resolve().parents[2]


def start(folder: Path, how: str, flag: Path) -> subprocess.Popen[str]:
    script = [sys.executable, str(ROOT / "tests/registries/minions.py"), str(folder), how, str(flag)]
    return subprocess.Popen(script, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, text=True, stdout=-1)


@pytest.mark.slow
def test_fifty_minions_and_a_reader(tmp_path: Path) -> None:
    place = tmp_path / "minions"
    minions = [start(place, "leave", tmp_path / "enough") for _ in range(50)]
    reader, seen, reads = DirectoryRegistry(str(place), {}), set[str](), 0
    while any(minion.poll() is None for minion in minions):
        found = {each.announcement["id"] for each in reader.read()}
        assert seen <= found, "once announced, always found"
        assert reader.passed_over == 0, "nothing is torn"
        seen, reads = found, reads + (len(found) == 50)
        if reads > 50:
            (tmp_path / "enough").touch()
        time.sleep(0.01)
    said = dict(minion.communicate()[0].split() for minion in minions)
    assert reads > 50
    assert len(said) == 50
    left = {each.announcement["id"]: each for each in reader.read()}
    assert {id: str(each.announcement["busy"]) for id, each in left.items()} == said, "the final numbers"
    assert {liveness(each) for each in left.values()} == {"stopped"}
    assert len(os.listdir(place)) == 51, "and .cleaned"


@pytest.mark.chaos
def test_killed_minions_leave_no_half_announcement(tmp_path: Path) -> None:
    place = tmp_path / "minions"
    reader = DirectoryRegistry(str(place), {})
    for round in range(1, 6):
        minions = [start(place, "stay", tmp_path) for _ in range(8)]
        # Each is killed in the midst of it: they do nothing but write.
        while len(reader.read()) < 8 * round:
            assert all(minion.poll() is None for minion in minions)
        for minion in minions:
            minion.kill()
        for minion in minions:
            minion.communicate()
        found = reader.read()
        assert reader.passed_over == 0
        assert len(found) == 8 * round
        assert {liveness(each) for each in found} == {"lost"}, "at once on this host"


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a file system")
    folder = tmp_path / "small"
    folder.mkdir()
    if subprocess.run(("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder), capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(("umount", "--lazy", folder), check=True)


def fill(folder: Path) -> Path:
    """Fill a file system to its last byte; return the file that does."""
    ballast = folder / "ballast"
    with ballast.open("ab", buffering=0) as file:
        for size in (4096, 1):
            with suppress(OSError):
                while True:
                    file.write(b"x" * size)
    return ballast


@pytest.mark.acceptance
def test_a_full_disk(small: Path) -> None:
    registry = DirectoryRegistry(str(small / "minions"), {})
    registry.announce(make_announcement("host-1-a", busy=1))
    file = small / "minions/host-1-a.json"
    os.utime(file, (0, 0))
    ballast = fill(small)
    newcomer = DirectoryRegistry(str(small / "minions"), {})
    for each, id in ((registry, "host-1-a"), (newcomer, "host-2-a")):
        with pytest.raises(RegistryError, match=r"small/minions: No space left on device; make room there"):
            each.announce(make_announcement(id, busy=2))
    (seen,) = registry.read()
    assert (seen.announcement["busy"], liveness(seen)) == (1, "live"), "old numbers, but it lives"
    assert {path.name for path in file.parent.iterdir()} == {".cleaned", "host-1-a.json"}
    ballast.unlink()
    for each, id in ((registry, "host-1-a"), (newcomer, "host-2-a")):
        each.announce(make_announcement(id, busy=3))
    assert [each.announcement["busy"] for each in registry.read()] == [3, 3]


@pytest.mark.acceptance
def test_a_file_system_that_became_read_only(small: Path) -> None:
    registry = DirectoryRegistry(str(small / "minions"), {})
    registry.announce(make_announcement("host-1-a"))
    subprocess.run(("mount", "-o", "remount,ro", small), check=True)
    with pytest.raises(RegistryError, match=r"Read-only file system; name a directory that you can write"):
        registry.announce(make_announcement("host-1-a"))
    with pytest.raises(RegistryError, match="Read-only file system"):
        registry.forget(["host-1-a"])
    (seen,) = DirectoryRegistry(str(small / "minions"), {}).read()
    assert seen.age < 60, "by this host's clock, where nothing else is to be had"
    subprocess.run(("mount", "-o", "remount,rw", small), check=True)
    registry.announce(make_announcement("host-1-a"))
