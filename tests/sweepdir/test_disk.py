"""Disks that are full or read-only, and directories that are not ours."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from minionize.engine import Delivery, EndOfQueue
from minionize.engines.execo import ExecoEngine
from minionize.errors import EngineError, NotConnected
from tests.sweepdir.helpers import contents, engine_on, make_sweep, opened

Mount = Callable[[str], Path]


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Mount]:
    """Mount a small tmpfs with given options; remounts it when called again."""
    place = tmp_path / "mount"
    place.mkdir()
    mounted: list[Path] = []

    def mount(options: str) -> Path:
        command = ["mount", "-t", "tmpfs", "-o", ",".join(["remount"] * bool(mounted) + [options]), "tmpfs", str(place)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            pytest.skip("there is no program mount")
        if done.returncode:
            pytest.skip(f"mounting is not allowed: {done.stderr.strip()}")
        mounted.append(place)
        return place

    yield mount
    if mounted:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def _fill(folder: Path, leave: int) -> Path:
    """Fill a disk but for some bytes."""
    filler = folder / "filler"
    space = os.statvfs(folder)
    with filler.open("ab") as file:
        file.write(b"x" * (space.f_bavail * space.f_frsize - leave))
    return filler


def _work_on(engine: ExecoEngine, taken: list[Delivery]) -> None:
    """Take, ack and give back for ever; ``taken`` tells what is held."""
    while True:
        taken += engine.receive(20, 0.0)
        engine.ack(taken[:5])
        del taken[:5]
        engine.nack(taken[:5], delay=5.0)
        del taken[:5]


@pytest.mark.parametrize("pages", [0, 1, 2, 3, 4, 6, 8, 12])
def test_full_disk(mount: Mount, pages: int) -> None:
    """However little room is left: nothing is damaged or lost, and all goes on when there is room again."""
    folder = make_sweep(mount("size=512k"), {f"a long param {n} " + "x" * 100 for n in range(200)})
    engine = opened(folder)
    taken = engine.receive(20, 0.0)
    filler = _fill(folder, pages * 4096)
    with pytest.raises(NotConnected, match="No space left"):
        _work_on(engine, taken)
    # Others still can read everything.
    assert isinstance(pickle.loads((folder / "inprogress").read_bytes() or pickle.dumps(set())), set)
    before = engine_on(folder).backlog()
    filler.unlink()
    assert opened(folder, "m2").backlog().done == before.done
    engine.ack(taken)
    with suppress(EndOfQueue):
        while more := engine.receive(50, 0.0):
            engine.ack(more)
    backlog = engine.backlog()
    assert (backlog.ready, backlog.in_flight) == (backlog.delayed, 0)
    assert backlog.done == 200 - backlog.delayed


def test_full_disk_at_the_start(mount: Mount) -> None:
    """A minion that starts waits for room, and makes nothing worse."""
    folder = make_sweep(mount("size=64k"), {1, 2, 3})
    filler = _fill(folder, 0)
    engine = engine_on(folder)
    with pytest.raises(NotConnected, match="No space left"):
        engine.open()
    engine.close()
    filler.unlink()
    engine.open()
    assert len(engine.receive(5, 0.0)) == 3


def test_read_only(mount: Mount) -> None:
    """The error names directory and reason; looking still works."""
    folder = make_sweep(mount("size=64k"), {1, 2, 3})
    mount("ro")
    with pytest.raises(EngineError, match=r"Read-only file system: a minion must be able to write") as caught:
        opened(folder)
    assert not isinstance(caught.value, NotConnected)
    assert str(folder) in str(caught.value)
    assert sorted(engine_on(folder).peek()) == [1, 2, 3]
    assert engine_on(folder).backlog().ready == 3
    with pytest.raises(EngineError, match="Read-only"):
        engine_on(folder).put([4])


def test_becomes_read_only(mount: Mount) -> None:
    """What a disk with errors does while a minion runs: it waits, and loses nothing."""
    folder = make_sweep(mount("size=64k"), {1, 2, 3})
    engine = opened(folder)
    taken = engine.receive(2, 0.0)
    mount("ro")
    before = contents(folder)
    with pytest.raises(NotConnected, match="Read-only"):
        engine.ack(taken)
    assert contents(folder) == before
    mount("rw")
    engine.ack(taken)
    assert engine.backlog().done == 2


def test_not_our_directory() -> None:
    """Without the right to write, a user is told so."""
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    with TemporaryDirectory() as name:  # pytest's own are closed to others
        folder = make_sweep(Path(name), {1, 2})
        folder.chmod(0o755)
        _open_as_nobody(folder)


def _open_as_nobody(folder: Path) -> None:
    code = (
        "import os, sys; from minionize.engines.execo import ExecoEngine as Engine; os.setuid(65534);"
        "Engine(persistence_dir=sys.argv[1]).open()"
    )
    done = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=False)
    assert "EngineError" in done.stderr
    assert "Permission denied: a minion must be able to write" in done.stderr


def test_no_directory(tmp_path: Path) -> None:
    """A file in the place of the directory."""
    (tmp_path / "sweeps").write_text("")
    with pytest.raises(EngineError, match="Not a directory"):
        opened(tmp_path / "sweeps")
