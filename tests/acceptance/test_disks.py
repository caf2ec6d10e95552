"""Disks that are full or may not be written: a message, the right exit code, and nothing lost."""

from __future__ import annotations

import errno
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.running import Place, until

pytestmark = pytest.mark.acceptance

EXECO = {"MINION_ENGINE": "execo"}
# Runs take their time until the disk has room again: none of them is over before it is full, few are fetched ahead.
LINE = "echo $1 >> runs; test -e freed || sleep 0.1"


@pytest.fixture
def small(place: Place) -> Iterator[Path]:
    """A file system of 512 KiB, at ``small`` in the place."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a file system")
    folder = place.folder / "small"
    folder.mkdir()
    mount = ("mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder))
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    yield folder
    place.close()
    subprocess.run(("umount", "--lazy", str(folder)), check=True)


def fill(folder: Path) -> Path:
    """Fill a file system to its last byte, again if a file has gone meanwhile; return the file that does."""
    ballast = folder / "ballast"
    with ballast.open("ab", buffering=0) as file:
        for size in (65536, 4096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
    return ballast


def test_sweep_directory_fills_up_and_is_freed_again(place: Place, small: Path) -> None:
    place.sweep("range(60)", "small/sweeps")
    minion = place.start("sh", "-c", LINE, "sh", **EXECO, EXECO_PERSISTENCE_DIR="small/sweeps", MINION_REPORTER="json")
    until(lambda: len(place.lines("runs")) >= 5, what="runs")
    ballast = fill(small)
    until(lambda: fill(small) and re.search(r"No space left on device.*; trying again", minion.err), what="it says so")
    ballast.unlink()
    place.script("freed", "")
    assert minion.wait() == 0, minion.err
    assert "is back" in minion.err
    assert "Traceback" not in minion.err
    # What was run before is not run again: only its ack was tried again.
    assert sorted(map(int, place.lines("runs"))) == list(range(60))
    assert sorted(record["param"] for record in place.records()) == list(range(60))
    assert place.sweeper("len(s.get_done()), s.get_inprogress()", "small/sweeps") == "60 set()"


def test_sweep_directory_that_stays_full_loses_nothing(place: Place, small: Path) -> None:
    place.sweep("range(60)", "small/sweeps")
    minion = place.start("sh", "-c", "sleep 0.1", **EXECO, EXECO_PERSISTENCE_DIR="small/sweeps")
    until(lambda: (small / "sweeps" / "done").stat().st_size > 10, what="some are done")
    ballast = fill(small)
    until(lambda: fill(small) and "trying again" in minion.err, what="it says so")
    minion.kill()
    ballast.unlink()
    done = place.run("true", **EXECO, EXECO_PERSISTENCE_DIR="small/sweeps")
    assert done.returncode == 0, done.stderr
    assert place.sweeper("sorted(s.get_done()) == list(range(60)), s.get_inprogress()", "small/sweeps") == "True set()"


@pytest.mark.parametrize(
    "options", [("--reporter", "json"), ("--results", "small/r/all.jsonl")], ids=["json", "results"]
)
def test_records_that_cannot_be_written_stop_no_run(place: Place, small: Path, options: tuple[str, ...]) -> None:
    place.sweep("range(100)")
    minion = place.start(*options, "sh", "-c", LINE, "sh", **EXECO, REPORTER_JSON_DIRECTORY="small/r")
    until(lambda: len(place.lines("runs")) >= 5, what="runs")
    ballast = fill(small)
    # What is left of a last block goes first.
    until(lambda: fill(small) and "failed, params run on" in minion.err, what="it says so")
    ballast.unlink()
    place.script("freed", "")
    assert minion.wait() == 0, minion.err
    assert sorted(map(int, place.lines("runs"))) == list(range(100))
    assert place.sweeper("len(s.get_done())") == "100"
    # No line is torn, and those from before and after are there.
    (file,) = (small / "r").iterdir()
    assert file.read_bytes().count(b"\n") == len(place.records("small/r")) >= 12
    assert place.records("small/r")[-1]["settled"] == "ack"


def test_dead_params_stay_in_a_file_queue_until_their_evidence_is_written(place: Place, small: Path) -> None:
    minion = place.start(
        "--dead", "small/dead.jsonl", "sh", "-c", "echo $1 >> runs; test $1 = ok", "sh", stdin=subprocess.PIPE
    )
    with minion.stdin as sink:
        until(lambda: (small / "dead.jsonl").exists())
        ballast = fill(small)
        sink.write(b"bad\nok\n")
        until(lambda: fill(small) and "trying again" in minion.err, what="it says so")
        ballast.unlink()
    assert minion.wait() == 1, minion.err
    assert place.lines("runs") == ["bad", "ok"], "no run is repeated for that"
    assert [record["param"] for record in place.records("small/dead")] == ["bad"]


def test_read_only_sweep_directory(place: Place, small: Path) -> None:
    place.sweep("range(3)", "small/sweeps")
    subprocess.run(("mount", "-o", "remount,ro", str(small)), check=True)
    done = place.run("echo", **EXECO, EXECO_PERSISTENCE_DIR="small/sweeps")
    assert (done.returncode, done.stdout) == (3, b"")
    (message,) = done.stderr.decode().splitlines()
    assert "Read-only file system: a minion must be able to write in the sweep directory small/sweeps" in message
    assert "must be able to write" in place.why(**EXECO, EXECO_PERSISTENCE_DIR="small/sweeps")


@pytest.mark.parametrize("slots", ["1", "2"])
def test_full_stdout(place: Place, slots: str) -> None:
    """With one slot the program itself sees it, with more minionize does: the params go back in both cases."""
    place.sweep("range(5)")
    with Path("/dev/full").open("wb", buffering=0) as full:
        done = place.run("-j", slots, "/bin/echo", out=full, **EXECO)
    assert done.returncode == 4
    assert b"No space left on device" in done.stderr, done.stderr
    assert place.sweeper("len(s.get_remaining())") == "5"
