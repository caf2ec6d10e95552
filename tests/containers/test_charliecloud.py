"""Charliecloud: real containers, run by real minions."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.running import Place, alive, opened, until
from tests.brokers.server import need
from tests.containers.trees import busybox_tree

pytestmark = [pytest.mark.container, pytest.mark.acceptance]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need("ch-run", "charliecloud")
    tree = busybox_tree(tmp_path_factory.mktemp("tree") / "busy box")
    (tree / "out").mkdir()
    (tree / "in").mkdir()
    return tree


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with opened(tmp_path) as place:
        yield place


class Runs:
    """Starts minions whose runs see the directory of the test as /out."""

    def __init__(self, place: Place, tree: Path) -> None:
        self.place, self.tree = place, tree

    def words(self, words: tuple[str, ...]) -> tuple[str, ...]:
        return ("--container", f"charliecloud://{self.tree}", "--volume", f"{self.place.folder}:/out", *words)

    def run(self, *words: str, params: bytes = b"p\n", **environ: str) -> Any:
        return self.place.run(*self.words(words), params=params, MINION_REPORTER="json", **environ)

    def start(self, *words: str, **environ: str) -> Any:
        (self.place.folder / "params").write_text("a\n")
        path = str(self.place.folder / "params")
        return self.place.start(*self.words(words), FILE_PATH=path, MINION_REPORTER="json", **environ)

    def settled(self) -> list[tuple[Any, ...]]:
        return [(r["outcome"], r["exit_code"], r["settled"]) for r in self.place.records()]


@pytest.fixture
def runs(place: Place, tree: Path) -> Runs:
    return Runs(place, tree)


def test_runs_in_two_slots_without_a_user_name(runs: Runs) -> None:
    script = 'echo "out $1 $(ls /)"; echo "err $1" >&2; exit $1'
    done = runs.run("-j2", "--", "sh", "-c", script, "sh", params=b"0\n3\n", USER="")
    assert done.returncode == 1, done.stderr
    assert sorted(runs.settled()) == [("failed", 3, "dead"), ("succeeded", 0, "ack")]
    failed = next(record for record in runs.place.records() if record["exit_code"] == 3)
    assert failed["stderr"] == "err 3\n"
    assert "sys" in failed["stdout"]


def test_input_variables_user_and_directory(runs: Runs) -> None:
    script = (
        'cat; pwd; id -u; echo "$SECRET"; env | cut -d= -f1 | grep MINION_[APIS] | sort | tr "\\n" " "; touch /out/made'
    )
    options = ("--user", "65534:65534", "--workdir", "/etc", "--env", "SECRET", "--stdin")
    done = runs.run(*options, "--", "sh", "-c", script, params=b"fed\n", SECRET="a b\n'c'\"")
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode().splitlines() == [
        "fed/etc", "65534", "a b", "'c'\"", "MINION_ATTEMPT MINION_ID MINION_PARAM MINION_PARAM_ID MINION_SLOT "
    ]  # fmt: skip
    assert (runs.place.folder / "made").exists()


def test_a_program_that_the_image_has_not(runs: Runs) -> None:
    done = runs.run("--", "no-such-program", params=b"a\nb\n")
    assert done.returncode == 4
    assert b"no-such-program: not found" in done.stderr
    assert runs.settled() == [("could_not_start", 127, "nack")]


def test_a_program_that_is_the_param_is_its_fault(runs: Runs) -> None:
    for code in 126, 127:
        runs.place.script(f"ends-{code}", f"#!/bin/sh\nexit {code}\n")
    done = runs.run("--", "{}", params=b"/out/ends-126\n/out/ends-127\n/not/there\n/etc\ntrue\n")
    assert done.returncode == 1, done.stderr
    assert [settled for *_, settled in runs.settled()] == ["dead", "dead", "dead", "dead", "ack"]


@pytest.mark.parametrize("name", ["", "example.com/img:1"], ids=["directory", "name"])
def test_an_image_that_vanishes_is_no_fault_of_a_param(runs: Runs, tree: Path, name: str) -> None:
    folder = runs.place.folder
    kept = folder / "img" / "example.com%img+1"
    kept.parent.mkdir()
    shutil.copytree(tree, kept, symlinks=True)
    storage = {"CH_IMAGE_STORAGE": str(folder)} if name else {}
    script = "touch /out/begun; while [ ! -e /out/go ]; do sleep 0.05; done; exit 1"
    minion = runs.start("--container", f"charliecloud://{name or kept}", "--", "sh", "-c", script, **storage)
    until(lambda: (folder / "begun").exists(), what="a run")
    # From outside: inside, the host's own directories are mounted below it.
    kept.rename(folder / "away")
    (folder / "go").touch()
    assert minion.wait() == 4
    assert f"the image is gone: {kept}" in minion.err
    assert runs.settled() == [("could_not_start", 1, "nack")]


def test_an_image_without_a_shell(runs: Runs, tmp_path: Path) -> None:
    bare = busybox_tree(tmp_path / "bare")
    (bare / "bin/sh").unlink()
    (bare / "out").mkdir()
    done = Runs(runs.place, bare).run("--", "echo", "hello")
    assert (done.returncode, done.stdout) == (0, b"hello p\n")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--container", "charliecloud:///not/there"), "there is no directory /not/there"),
        (("--container", "charliecloud://example.com/other:1"), "ch-image pull example.com/other:1"),
        (("--workdir", "/not/there"), "can't cd to /not/there: No such file or directory"),
        (("--volume", "/not/there:/in"), "source not found: /not/there"),
        (("--volume", "/etc:/not/there"), "Read-only file system"),
    ],
)
def test_what_cannot_be_run_is_told_before_any_param_is_taken(runs: Runs, options: tuple[str, ...], words: str) -> None:
    done = runs.run(*options, "--", "true")
    assert done.returncode == 4
    assert words in done.stderr.decode()
    assert b".c:" not in done.stderr
    assert runs.place.records() == []


def test_without_charliecloud(runs: Runs) -> None:
    (runs.place.folder / "bin").mkdir()
    done = runs.run("--", "true", PATH=str(runs.place.folder / "bin"))
    assert done.returncode == 4
    assert b"`ch-run`: no such program; on Debian: apt install charliecloud" in done.stderr


STUBBORN = """
    trap '' TERM
    setsid sh -c 'trap "" TERM; echo $$ > /out/pid.1; sleep 1000; sleep 1000' &
    echo $$ > /out/pid.2
    while :; do sleep 1000; done
"""


def stubborn(runs: Runs) -> list[int]:
    """The processes of a run that ignores TERM, one of them in a session of its own."""
    files = [runs.place.folder / f"pid.{number}" for number in (1, 2)]
    until(lambda: all(file.exists() and file.read_text().strip() for file in files), what="processes")
    pids = [int(file.read_text()) for file in files]
    assert all(map(alive, pids))
    return pids


def test_a_run_whose_time_is_out_ends_with_all_its_processes(runs: Runs) -> None:
    done = runs.start("--timeout", "5", "--grace", "0.2", "--", "sh", "-c", STUBBORN)
    pids = stubborn(runs)
    assert done.wait() == 1
    until(lambda: not any(map(alive, pids)), what="their end")
    assert [settled[0] for settled in runs.settled()] == ["timed_out"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_of_a_minion_that_is_ended(runs: Runs, number: int) -> None:
    minion = runs.start("--grace", "0.2", "--", "sh", "-c", STUBBORN)
    pids = stubborn(runs)
    os.kill(minion.pid, number)
    assert minion.wait() == (143 if number == signal.SIGTERM else -number)
    until(lambda: not any(map(alive, pids)), what="their end")
    if number == signal.SIGTERM:
        assert [settled[2] for settled in runs.settled()] == ["nack"]
