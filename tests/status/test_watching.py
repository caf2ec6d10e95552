from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from minionize.errors import SettingsError
from minionize.status.filters import Filter
from minionize.status.session import Session
from minionize.status.watching import interrupted, watched
from tests.status.making import NOON, line


def session(path: Path, said: list[str] | None = None) -> Session:
    return Session([str(path)], Filter(), (said if said is not None else []).append)


def test_the_state_is_shown_again_and_at_last_for_good() -> None:
    shown: list[bool] = []
    answers = iter([False, False, True])
    watched(shown.append, lambda seconds: next(answers), 2.0)
    assert shown == [False, False, True]


def test_ctrl_c_ends_the_wait_also_when_it_came_before() -> None:
    with interrupted() as ended:
        assert not ended(0.0)
        os.kill(os.getpid(), signal.SIGINT)
        assert ended(10.0)
        assert not ended(0.0)
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def test_only_what_is_new_is_read(tmp_path: Path) -> None:
    path = tmp_path / "m1.jsonl"
    path.write_bytes(line() * 3)
    reading = session(path)
    assert reading.status(NOON)["records"] == 3
    # What has been read need not be a record any more.
    path.write_bytes(b"#" * path.stat().st_size)
    with path.open("ab") as file:
        file.write(line(minion="m2") * 2)
    status = reading.status(NOON)
    assert (status["records"], status["passed_over"]) == (5, 0)


def test_a_place_that_is_made_anew_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "m1.jsonl"
    path.write_bytes(line() * 3)
    reading = session(path)
    reading.status(NOON)
    path.write_bytes(line())
    assert reading.status(NOON)["records"] == 1


def test_a_place_may_come_later(tmp_path: Path) -> None:
    reading = session(tmp_path / "report")
    for _ in range(2):
        with pytest.raises(SettingsError, match="No such file"):
            reading.status(NOON)
    (tmp_path / "report").mkdir()
    with pytest.raises(SettingsError, match="no records"):
        reading.status(NOON)
    (tmp_path / "report" / "m1.jsonl").write_bytes(line())
    assert reading.status(NOON)["records"] == 1


def test_progress_is_told(tmp_path: Path) -> None:
    path = tmp_path / "m1.jsonl"
    path.write_bytes(line() * 10)
    told: list[tuple[int, int]] = []
    Session([str(path)], Filter(), print, lambda *each: told.append(each)).status(NOON)
    assert told[-1] == (path.stat().st_size, path.stat().st_size)
