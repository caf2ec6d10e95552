"""Dead params of queues that keep none: durable in a file before the ack."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from minionize.engine import Delivery, Features, Undecodable
from minionize.engines.memory import MemoryEngine
from minionize.errors import NotConnected, SettingsError
from minionize.records import read_records
from minionize.worker.dead_file import DeadFile
from tests.worker.faulty import Faulty, times
from tests.worker.running import ENVIRON, run, shell, words

_KEEPS_NONE: dict[str, Any] = {name: getattr(MemoryEngine.features, name) for name in Features.__dataclass_fields__} | {
    "dead_letter": False
}


class KeepsNone(Faulty):
    features = Features(**_KEEPS_NONE)

    def dead_letter(self, *_: Any) -> None:
        raise AssertionError("it has no place for dead params")


def _delivery(number: int) -> Delivery:
    return Delivery(f"param {number}", str(number), 1)


@contextmanager
def _full(path: Path, more: int) -> Iterator[None]:
    """Let no file grow beyond the size of this one and a little."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    size = path.stat().st_size if path.exists() else 0
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + more, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_what_cannot_be_decoded_is_kept_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "dead.jsonl"
    raw = '{"half": "\udcff' + "x" * 10_000
    ran = run(shell("true"), engine=KeepsNone([Undecodable(raw, "no JSON")]), dead=str(path))
    assert (ran.code, ran.left) == (1, (1, 0, 0, 0))
    (entry,) = read_records(path)
    assert entry["param"] == raw
    assert "no JSON" in entry["reason"]


def test_dead_params_go_to_the_file_and_are_acked(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "place" / "dead.jsonl"
    ran = run(shell("echo no >&2; exit $1"), engine=KeepsNone([0, 3, 4]), dead=str(path), slots=2)
    assert (ran.code, ran.left) == (1, (3, 0, 0, 0))
    entries = sorted(read_records(path), key=lambda entry: entry["param"])
    assert [(e["param"], e["reason"], e["exit_code"], e["stderr"]) for e in entries] == [
        (3, "exit code 3", 3, "no\n"),
        (4, "exit code 4", 4, "no\n"),
    ]
    assert ran.counters["dead"] == 2
    assert f"dead params go to {path}" in capfd.readouterr().err


def test_by_default_they_go_to_the_state_directory(tmp_path: Path) -> None:
    ran = run(words("false"), engine=KeepsNone(["p"]), environ={**ENVIRON, "XDG_STATE_HOME": str(tmp_path)})
    path = tmp_path / "minionize" / "dead" / f"{ran.minion.id}.jsonl"
    assert [entry["param"] for entry in read_records(path)] == ["p"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_no_file_is_made_where_nobody_dies(tmp_path: Path) -> None:
    run(words("true"), engine=KeepsNone(["p"]), environ={**ENVIRON, "XDG_STATE_HOME": str(tmp_path)})
    assert list((tmp_path / "minionize" / "dead").iterdir()) == []


def test_a_place_that_cannot_be_written_is_known_before_the_first_param(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="--dead /dev/null/x"):
        run(words("true"), engine=KeepsNone(["p"]), dead="/dev/null/x")


def test_an_ack_that_fails_writes_no_second_entry(tmp_path: Path) -> None:
    path = tmp_path / "dead"
    engine = KeepsNone(["p"], times(3, "ack", NotConnected("away")))
    ran = run(words("false"), engine=engine, dead=str(path))
    assert ran.left == (1, 0, 0, 0)
    assert len(list(read_records(path))) == 1


def test_a_full_disk_keeps_the_param_in_the_queue_and_the_file_whole(tmp_path: Path) -> None:
    path = tmp_path / "dead"
    file = DeadFile(str(path), ENVIRON, "m", lambda _: None)
    file.write(_delivery(1), "reason", {})
    with _full(path, 20), pytest.raises(NotConnected, match="cannot be written"):
        file.write(_delivery(2), "reason", {})
    assert [entry["id"] for entry in read_records(path)] == ["1"]
    file.write(_delivery(3), "reason", {})
    file.close()
    assert [entry["id"] for entry in read_records(path)] == ["1", "3"]
    assert path.read_bytes().count(b"\n") == 2


def test_odd_params_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / "dead"
    file = DeadFile(str(path), ENVIRON, "m", lambda _: None)
    for param in ("\udcff\n", {1: {2}}, b"\xff", float("nan")):
        file.write(Delivery(param, "1"), "reason", {"stderr": "\udcff"})
    file.close()
    assert len(list(read_records(path))) == 4


def test_a_torn_last_line_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "dead"
    path.write_text('{"id":"1"}\n{"id":')
    assert list(read_records(path)) == [{"id": "1"}]


def test_a_torn_last_line_does_not_spoil_the_next(tmp_path: Path) -> None:
    """What a killed minion left behind in a file that the user named."""
    path = tmp_path / "dead"
    path.write_text('{"id":"1"}\n{"id":')
    file = DeadFile(str(path), ENVIRON, "m", lambda _: None)
    file.write(_delivery(2), "reason", {})
    file.close()
    assert [entry["id"] for entry in read_records(path)] == ["1", "2"]


@pytest.mark.skipif(os.getuid() != 0, reason="needs to give up root's rights for a while")
def test_without_a_state_directory_the_temporary_one_is_taken(tmp_path: Path) -> None:
    closed, temporary = tmp_path / "closed", tmp_path / "tmp"
    closed.mkdir(mode=0o500)
    temporary.mkdir(mode=0o777)
    temporary.chmod(0o777)
    tmp_path.chmod(0o755)
    for folder in tmp_path.parents[:2]:
        folder.chmod(folder.stat().st_mode | 0o055)
    os.seteuid(65534)
    try:
        file = DeadFile(None, {"XDG_STATE_HOME": str(closed), "TMPDIR": str(temporary)}, "m", lambda _: None)
        file.write(_delivery(1), "reason", {})
        file.close()
    finally:
        os.seteuid(0)
    assert file.path.is_relative_to(temporary)
