from __future__ import annotations

import asyncio
import gzip
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from minionize.errors import SettingsError
from minionize.registry import Seen
from minionize.testing.announcements import make_announcement
from mtop.demo.feed import DemoFeed
from mtop.feed import Unanswered
from mtop.model.fleet import Fleet
from mtop.model.minion import Minion
from mtop.orders import PAUSE
from mtop.recording.record import RecordingFeed
from mtop.recording.replay import ReplayFeed
from tests.mtop.recording.making import START, Clock, Scripted, record, settle


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]


@pytest.fixture
def recorded(tmp_path: Path) -> Iterator[tuple[Scripted, RecordingFeed, Fleet, Path]]:
    script = Scripted()
    path = tmp_path / "x.gz"
    feed = RecordingFeed(script, str(path))
    feed.start()
    yield script, feed, Fleet("user", START), path
    feed.close()


def test_the_first_line_says_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "x.gz"
    record(path, 3)
    header, first, *more = lines(path)
    assert (header["mtop"], header["user"]) == (1, "ada")
    assert {"version", "started", "words", "fields"} <= header.keys()
    assert (first["whole"], first["t"], len(first["rows"])) == (True, 0.0, 12)
    assert [line["t"] for line in more] == [1.0, 2.0, 3.0]
    assert not any(line["whole"] for line in more)


def test_every_minute_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "x.gz"
    record(path, 125, count=3)
    assert [line["t"] for line in lines(path)[1:] if line["whole"]] == [0.0, 60.0, 120.0]


def test_it_stays_small(tmp_path: Path) -> None:
    path = tmp_path / "x.gz"
    record(path, 100, count=100)
    assert path.stat().st_size / 100 / 100 < 15


def test_secrets_stay_out(recorded: tuple[Scripted, RecordingFeed, Fleet, Path]) -> None:
    script, feed, fleet, path = recorded

    def tell(fleet: Fleet) -> None:
        hidden = make_announcement("a-1-b", url="http://secret-host:1", token="s3cret-token")
        fleet.announced("dir:/x", [Seen(hidden, 0.0)], script.now)
        fleet.looked_up(["http://user:s3cret@other:1/"], script.now, "s3cret-too")

    script.script = tell
    feed.tell(fleet)
    feed.close()
    text = gzip.decompress(path.read_bytes())
    assert b"a-1-b" in text
    for secret in (b"s3cret", b"secret-host", b"http:"):
        assert secret not in text
    assert {minion.key for minion in replayed(path)} == {"a-1-b", "other:1"}


def replayed(path: Path) -> Fleet:
    feed = ReplayFeed(str(path), Clock())
    fleet = Fleet("user", 0.0)
    feed.tell(fleet)
    return fleet


def test_what_was_flushed_can_be_read_when_mtop_is_killed(tmp_path: Path) -> None:
    clock, path = Clock(), tmp_path / "x.gz"
    feed = RecordingFeed(DemoFeed(5, clock=clock), str(path))
    fleet = Fleet("ada", clock.now)
    feed.start()
    for _ in range(20):
        feed.tell(fleet)
        clock.now += 1.0
        settle(feed)
    replay = ReplayFeed(str(path), clock)
    assert replay.length >= 15.0
    assert "ends in the middle" in replay.troubles()[0]
    feed.close()
    assert ReplayFeed(str(path), clock).length == 19.0


def test_a_full_disk_is_said_once_and_stops_nothing(
    recorded: tuple[Scripted, RecordingFeed, Fleet, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    script, feed, fleet, path = recorded
    write, room = os.write, [1_000]

    def full(fd: int, data: bytes) -> int:
        some = write(fd, data[: room[0]])
        room[0] -= some
        if not some:
            raise OSError(28, "No space left on device")
        return some

    monkeypatch.setattr("mtop.recording.sink.os.write", full)
    heard = []

    def tell(fleet: Fleet) -> None:
        heard.append(script.now)
        many = [make_announcement(f"a-{number}-b", command=os.urandom(40).hex()) for number in range(50)]
        fleet.announced("dir:/x", [Seen(each, 0.0) for each in many], script.now)

    script.script = tell
    for _ in range(10):
        feed.tell(fleet)
        script.now += 5.0
        settle(feed)
    monkeypatch.undo()
    assert len(heard) == 10
    assert feed.troubles() == ["a trouble of its own", f"recording to {path} has stopped: No space left on device"]
    feed.close()
    assert "ends in the middle" in ReplayFeed(str(path), Clock()).troubles()[0]


def test_a_disk_that_hangs_holds_up_nothing(
    recorded: tuple[Scripted, RecordingFeed, Fleet, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    script, feed, fleet, _ = recorded
    write, goes_on = os.write, threading.Event()

    def hang(fd: int, data: bytes) -> int:
        goes_on.wait(60)
        return write(fd, data)

    monkeypatch.setattr("mtop.recording.sink.os.write", hang)
    script.script = lambda fleet: fleet.looked_up([f"http://h{script.now}:1"], script.now)
    for _ in range(50):
        feed.tell(fleet)
        script.now += 5.0
    assert "too slow" in feed.troubles()[-1]
    goes_on.set()
    feed.close()


def test_a_screen_that_asks_often_makes_no_more_lines(
    recorded: tuple[Scripted, RecordingFeed, Fleet, Path],
) -> None:
    script, feed, fleet, path = recorded
    script.script = lambda fleet: fleet.looked_up([f"http://h{script.now}:1"], script.now)
    for _ in range(50):
        feed.tell(fleet)
        script.now += 0.2
    feed.close()
    assert 10 <= len(lines(path)) - 1 <= 12


def test_time_that_is_wound_back_is_not_recorded(recorded: tuple[Scripted, RecordingFeed, Fleet, Path]) -> None:
    script, feed, fleet, path = recorded
    script.script = lambda fleet: fleet.looked_up([f"http://h{script.now}:1"], script.now)
    for step in (0.0, 5.0, -3.0, 4.0):
        script.now += step
        feed.tell(fleet)
    feed.close()
    assert [line["t"] for line in lines(path)[1:]] == [0.0, 5.0, 6.0]


def test_all_else_is_that_of_the_other_feed(recorded: tuple[Scripted, RecordingFeed, Fleet, Path]) -> None:
    script, feed, fleet, _ = recorded
    assert (feed.place, feed.user, feed.live) == (script.place, script.user, script.live)
    assert (feed.clock(), feed.wall()) == (script.clock(), script.wall())
    assert script.started
    script.wound = True
    assert feed.wind(fleet)
    assert feed.cost() == script.cost()
    feed.set_interval(3.0)
    feed.purge([])
    minion = Minion("a", make_announcement("a"), 0.0)
    for answer in (feed.tasks(minion), feed.failures(minion), feed.output(minion, "x"), feed.order(minion, PAUSE)):
        with pytest.raises(Unanswered, match="nobody"):
            asyncio.run(answer)
    feed.close()
    assert script.closed


def test_nothing_is_left_behind_by_a_feed_that_never_began(tmp_path: Path) -> None:
    feed = RecordingFeed(Scripted(), str(tmp_path / "x.gz"))
    feed.close()
    feed.close()
    assert ReplayFeed(str(tmp_path / "x.gz"), Clock()).length == 0.0


def test_an_old_file_is_not_written_over(tmp_path: Path) -> None:
    record(tmp_path / "x.gz", 1)
    with pytest.raises(SettingsError, match="there is such a file"):
        RecordingFeed(Scripted(), str(tmp_path / "x.gz"))
