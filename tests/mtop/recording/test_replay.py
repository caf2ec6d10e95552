from __future__ import annotations

import asyncio
import gzip
import math
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minionize.errors import SettingsError
from mtop.demo.feed import DemoFeed
from mtop.feed import Player, Unanswered
from mtop.format import Glyphs
from mtop.model.fleet import Fleet
from mtop.orders import PAUSE
from mtop.recording.played import SPEEDS
from mtop.recording.record import RecordingFeed
from mtop.recording.replay import ReplayFeed
from tests.mtop.recording.making import Clock, Viewer, known, record, shown

LONG = 200


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of a demo in which one is lost, some leave, one comes, and one is told to pause."""
    path = tmp_path_factory.mktemp("recording") / "x.gz"
    record(path, LONG, count=20, each=forget_one)
    return path


def forget_one(fleet: Fleet, second: int) -> None:
    if second == 90:
        fleet.forget([next(minion.key for minion in fleet if minion.state == "stopped")], fleet.now)


def viewer(path: Path) -> Viewer:
    clock = Clock(50.0)
    return Viewer(ReplayFeed(str(path), clock), clock)


@pytest.mark.parametrize("end", [".gz", ".zst"])
def test_it_is_the_same_fleet_again(tmp_path: Path, end: str) -> None:
    if end == ".zst":
        pytest.importorskip("zstandard", exc_type=ImportError)
    pictures: list[dict[str, object]] = []
    histories: list[list[float]] = []

    def each(fleet: Fleet, second: int) -> None:
        pictures.append(shown(fleet))
        histories.append(next(iter(fleet)).history.values())

    path = tmp_path / f"x{end}"
    last = record(path, 130, count=20, each=each)
    again = viewer(path)
    for second, picture in enumerate(pictures):
        assert shown(again.fleet) == picture, second
        values = next(iter(again.fleet)).history.values()
        # The demo has filled them before anybody looked.
        assert values == pytest.approx(histories[second][-len(values) :], rel=0.02, abs=0.02)
        again.look(1.0)
    assert again.feed.ended
    assert [event.what for event in again.fleet.events] == [event.what for event in last.events]
    assert again.fleet.past["done"].values() == pytest.approx(last.past["done"].values(), rel=0.02, abs=0.05)


@settings(max_examples=25)
@given(st.lists(st.floats(-250.0, 250.0), min_size=1, max_size=5))
def test_wherever_it_was_wound_it_is_as_if_it_had_been_played(path: Path, seeks: list[float]) -> None:
    wound, played = viewer(path), viewer(path)
    for seek in seeks:
        wound.seek(seek)
    played.clock.now += wound.feed.position
    played.seek(0.0)
    assert known(wound.fleet) == known(played.fleet)
    assert wound.feed.wall() == played.feed.wall()


def test_sparklines_are_right_after_a_jump(path: Path) -> None:
    played, jumped = viewer(path), viewer(path)
    for _ in range(150):
        played.look(1.0)
    jumped.seek(150.0)
    for minion in played.fleet:
        other = jumped.fleet.minions[minion.key].history.values()
        assert other[-1] == minion.history.values()[-1]
        assert sum(abs(one - two) < 0.5 for one, two in zip(other, minion.history.values(), strict=True)) > 8
    assert len(jumped.fleet.past["done"].values()) > 55
    assert jumped.fleet.past["done"].values()[-1] == played.fleet.past["done"].values()[-1]


def test_sparklines_are_right_at_full_speed(path: Path) -> None:
    fast, jumped = viewer(path), viewer(path)
    for _ in SPEEDS:
        fast.feed.faster()
    fast.look(2.5)
    assert fast.feed.position == 160.0
    jumped.seek(160.0)
    assert known(fast.fleet) == known(jumped.fleet)
    for minion in fast.fleet:
        assert minion.history.values() == jumped.fleet.minions[minion.key].history.values()


def test_keys(path: Path) -> None:
    seen = viewer(path)
    feed = seen.feed
    assert isinstance(feed, Player)
    assert feed.status() == "▶ x1 00:00:00 / 00:03:20"
    seen.look(5.0)
    feed.toggle()
    seen.look(100.0)
    assert (feed.paused, feed.status()) == (True, "‖ x1 00:00:05 / 00:03:20")
    assert feed.status(Glyphs(ascii=True)) == "= x1 00:00:05 / 00:03:20"
    feed.faster()
    feed.faster()
    feed.toggle()
    seen.look(10.0)
    assert feed.status() == "▶ x4 00:00:45 / 00:03:20"
    for _ in range(20):
        feed.slower()
    assert feed.speed == 0.25
    seen.look(8.0)
    assert feed.position == 47.0
    seen.seek(math.inf)
    assert feed.ended
    assert feed.status(Glyphs(ascii=True)) == "# x0.25 00:03:20 / 00:03:20"
    feed.toggle()
    seen.look(4.0)
    assert feed.position == 1.0
    assert not feed.paused
    seen.seek(-100.0)
    assert feed.position == 0.0


def test_time_stands_at_the_end(path: Path) -> None:
    seen = viewer(path)
    seen.look(1_000.0)
    before = shown(seen.fleet)
    seen.look(1_000.0)
    assert shown(seen.fleet) == before
    assert seen.feed.clock() == seen.feed.length == float(LONG)


def test_a_fleet_is_made_anew_only_where_it_must_be(path: Path) -> None:
    seen = viewer(path)
    first = seen.fleet
    seen.seek(30.0)
    seen.look(10.0)
    assert seen.fleet is first
    seen.seek(-10.0)
    assert seen.fleet is not first
    second = seen.fleet
    seen.seek(100.0)
    assert seen.fleet is not second


def test_a_screen_that_forgets_to_make_it_anew_sees_the_same(path: Path) -> None:
    careless, careful = viewer(path), viewer(path)
    for seen in (careless, careful):
        seen.look(150.0)
    careless.feed.seek(-130.0)
    careless.feed.wind(careless.fleet)
    careless.look()
    careful.seek(-130.0)
    assert known(careless.fleet) == known(careful.fleet)


def test_it_is_looked_at_once_a_second_however_often_a_screen_asks(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = viewer(path)
    shows: list[float] = []
    show: Callable[[Fleet, float], None] = seen.feed._show

    def noted(fleet: Fleet, at: float) -> None:
        shows.append(at)
        show(fleet, at)

    monkeypatch.setattr(seen.feed, "_show", noted)
    for _ in range(50):
        seen.look(0.2)
    assert 9 <= len(shows) <= 11
    # A key is answered at once.
    seen.look(0.5)
    shows.clear()
    seen.seek(1.0)
    assert len(shows) == 1
    # Nothing is looked at while nothing moves.
    seen.feed.toggle()
    seen.look()
    shows.clear()
    seen.look(20.0)
    assert shows == []


def test_nobody_can_be_asked_or_told(path: Path) -> None:
    seen = viewer(path)
    feed, minion = seen.feed, next(iter(seen.fleet))
    assert not feed.live
    assert (feed.user, feed.place) == ("ada", str(path))
    for answer in (feed.tasks(minion), feed.failures(minion), feed.output(minion, "x")):
        with pytest.raises(Unanswered, match="holds no params"):
            asyncio.run(answer)
    with pytest.raises(Unanswered):
        asyncio.run(feed.order(minion, PAUSE))
    feed.close()


def test_times_of_day_are_those_of_then(path: Path) -> None:
    seen = viewer(path)
    demo = DemoFeed(1, clock=Clock())
    assert seen.feed.wall() == demo.wall()
    seen.seek(100.0)
    assert seen.feed.wall() == pytest.approx(demo.wall() + 100.0, abs=0.01)


def test_a_file_that_was_compressed_anew_can_still_be_played(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "again.gz"
    other.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())))
    plain, marked = viewer(other), viewer(path)
    for seek in (150.0, -40.0, 70.0):
        plain.seek(seek)
        marked.seek(seek)
        assert known(plain.fleet) == known(marked.fleet)


def test_what_is_recorded_may_be_a_replay(path: Path, tmp_path: Path) -> None:
    clock = Clock(50.0)
    feed = RecordingFeed(ReplayFeed(str(path), clock), str(tmp_path / "copy.gz"))
    fleet = Fleet(feed.user, feed.clock())
    feed.start()
    for _ in range(20):
        feed.tell(fleet)
        clock.now += 1.0
    feed.close()
    copy, first = viewer(tmp_path / "copy.gz"), viewer(path)
    copy.look(19.0)
    first.look(19.0)
    assert shown(copy.fleet) == shown(first.fleet)


def test_a_place_without_a_recording(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.gz"):
        with pytest.raises(SettingsError, match="--replay"):
            ReplayFeed(str(path))
