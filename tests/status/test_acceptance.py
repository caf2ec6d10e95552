"""Real minions write records, one is killed; what they did is read meanwhile and afterwards."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.running import Place, opened, until

pytestmark = pytest.mark.acceptance

STATUS = (sys.executable, "-m", "minionize.cli.status")
PROGRAM = """\
#!/bin/sh
while [ -e hold ]; do sleep 0.02; done
case $1 in
    *7) echo "bad param $1" >&2; exit 3;;
    *) sleep 0.1;;
esac
"""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with opened(tmp_path) as place:
        yield place


def ask(place: Place, *words: str) -> dict[str, Any]:
    done = place.run_program(*STATUS, "--json", *words)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def counted(answer: dict[str, Any]) -> dict[str, int]:
    return {name: each["count"] for name, each in answer["outcomes"].items() if each["count"]}


def test_during_and_after_a_sweep_in_which_a_minion_is_killed(place: Place) -> None:
    program = place.script("program", PROGRAM)
    place.python("from execo_engine.sweep import ParamSweeper as P; P('sweeps', range(200), save_sweeps=True)")
    # They linger, for they must still be there when one of them is killed that has all that is left.
    words = ("-j2", "--exit-when-empty", "3", "--reporter", "json", program)
    job = {"OAR_JOB_ID": "4242"}
    (place.folder / "hold").touch()
    minions = [place.start(*words, **job), place.start(*words, **job), place.start(*words)]
    until(lambda: place.charged() == 6, what="each of them has its runs")
    (place.folder / "hold").unlink()
    until(lambda: len({each["minion"] for each in place.records()}) == 3 and len(place.records()) > 30)
    during = ask(place)
    assert 30 <= during["records"] <= 200
    minions[0].kill()
    # 1 where some param was given up; on a busy machine the others may have had all of these.
    assert {minion.wait() for minion in minions[1:]} <= {0, 1}
    records = place.records()
    after = ask(place)
    assert during["records"] <= after["records"] == len(records)
    assert counted(after) == {
        name: sum(each["outcome"] == name for each in records) for name in {each["outcome"] for each in records}
    }
    assert {each["param"] for each in records} == set(range(200))
    (cause,) = after["failures"]
    assert (cause["cause"], cause["count"]) == ("exit code 3: bad param N", counted(after)["failed"])
    assert {each["minion"]: each["records"] for each in after["minions"]} == {
        name: sum(each["minion"] == name for each in records) for name in {each["minion"] for each in records}
    }
    assert {each["name"]: each["minions"] for each in after["jobs"]} == {"4242": 2, None: 1}
    assert after["first"] == min(each["started"] for each in records)
    assert after["last"] == max(each["ended"] for each in records)
    shown = place.run_program(*STATUS).stdout.decode()
    assert "exit code 3: bad param N" in shown
    assert "on 1 host" in shown


def test_watch_shows_what_comes_and_ends_at_ctrl_c(place: Place) -> None:
    watch = place.start_program(*STATUS, "--watch", "0.1", "--json", "report.jsonl")
    (place.folder / "report.jsonl").write_bytes(b"")
    program = place.script("program", PROGRAM)
    place.run("--results", "report.jsonl", program, params=b"1\n2\n7\n")

    def last() -> dict[str, Any]:
        lines = watch.out.splitlines()
        return json.loads(lines[-1]) if lines and watch.out.endswith("\n") else {}

    until(lambda: last().get("records") == 3)
    watch.send(signal.SIGINT)
    assert watch.wait() == 0
    assert "Traceback" not in watch.err
    assert counted(last()) == {"succeeded": 2, "failed": 1}


def test_a_reader_that_leaves_is_no_error(place: Place) -> None:
    place.run("--reporter", "json", "true", params=b"1\n")
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([*STATUS], cwd=place.folder, stdout=write, stderr=subprocess.PIPE, env=place.environ())
    os.close(write)
    assert done.returncode == 128 + signal.SIGPIPE
    assert done.stderr == b""


def test_a_full_disk_is_told(place: Place) -> None:
    place.run("--reporter", "json", "true", params=b"1\n")
    for words in ([], ["--json"], ["--csv"], ["--html", "/dev/full"]):
        with open("/dev/full", "wb") as full:
            done = subprocess.run(
                [*STATUS, *words], cwd=place.folder, stdout=full, stderr=subprocess.PIPE, env=place.environ()
            )
        assert done.returncode == 2, words
        assert b"No space left on device" in done.stderr
        assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("colour", [True, False])
def test_watch_on_a_terminal(place: Place, colour: bool) -> None:
    ours, theirs = pty.openpty()
    environ = {"TERM": "xterm", **({} if colour else {"NO_COLOR": "1"})}
    watch = subprocess.Popen(
        [*STATUS, "--watch", "0.1"],
        cwd=place.folder,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**place.environ(**environ), "COLUMNS": "80", "LINES": "24"},
    )
    os.close(theirs)
    seen = b""

    def shown(words: bytes) -> bool:
        nonlocal seen
        with suppress(OSError):
            seen += os.read(ours, 1 << 16)
        return words in seen

    until(lambda: shown(b"minion-report: No such file or directory"))
    place.run("--reporter", "json", "sh", "-c", "exit $1", "sh", params=b"0\n0\n3\n")
    until(lambda: shown(b"3 records of 1 minion"))
    before = len(seen)
    watch.send_signal(signal.SIGINT)
    # What is left on the screen is the whole of it, not what fits on one.
    until(lambda: shown(b"took") and b"took" in seen[before:])
    assert watch.wait(60) == 0
    os.close(ours)
    assert b"Traceback" not in seen
    assert (b"\x1b[31m" in seen) is colour
