from __future__ import annotations

from typing import Any

import pytest
from textual.pilot import Pilot

from mtop.causes import own_time
from mtop.model.events import Event
from mtop.screens.lines import Lines
from mtop.screens.minion import MinionScreen
from mtop.screens.panes.latency import bins
from mtop.screens.table import Table
from tests.mtop.screens.house import (
    NOW,
    FakeFeed,
    House,
    Story,
    failure,
    failures,
    fleet_of,
    run,
    session_of,
    settle,
    show,
)

WIDE = (140, 30)
LATENCY: dict[str, Any] = {
    "count": 40, "sum": 20.0, "p50": 0.4, "p95": 1.0, "p99": 2.0,
    "buckets": [(0.1, 0), (0.25, 0), (0.5, 30), (1.0, 38), (2.5, 38), (5.0, 40), (10.0, 40), (None, 40)],
}  # fmt: skip


def played(feed: FakeFeed, story: Story, size: tuple[int, int] = (80, 24), **changes: Any) -> House:
    return show(MinionScreen(session_of(fleet_of(changes), feed), "host-1-a"), story, size)


def table(app: House, number: int) -> Table:
    """The table of a tab."""
    return list(app.screen.query(Table))[number]


# Failures.


def test_failures_are_shown_with_their_evidence() -> None:
    feed = FakeFeed()
    killed = failure("2", "killed by SIGKILL", exit_code=None, signal=9, stderr="", argv=None, reason="by the user")
    feed.failed["host-1-a"] = failures(failure("1", param={"x": 1}), killed)

    async def story(pilot: Pilot[None], app: House) -> None:
        await pilot.press("2")
        await settle(pilot)
        assert "2 failures of 2 causes; the last 2 are shown." in app.text
        ago, attempt, outcome, ended, param, cause = table(app, 1).plain[0]
        assert (ago, attempt, outcome, ended, param, cause) == (
            "1m01s", "1", "failed", "exit 3", '{"x":1}', "exit code 3: no such file"
        )  # fmt: skip
        for words in ("./a.out 'param 1'", "failed, exit 3; settled: dead", "4.75s: ", "slot 2, attempt 1"):
            assert words in app.text
        assert "  no such file: /x" in app.text
        await pilot.press("down")
        await settle(pilot)
        for words in ("killed by SIGKILL", "signal 9", "by the user", "stderr    (nothing)"):
            assert words in app.text
        assert "no such file: /x" not in app.text

    played(feed, story, WIDE)


def test_ages_of_failures_are_by_the_minions_own_clock() -> None:
    feed = FakeFeed()
    fleet = fleet_of({"started": 1_000_000.0})
    minion = fleet.minions["host-1-a"]
    feed.failed["host-1-a"] = failures(failure(at=own_time(minion) - 42))

    async def story(pilot: Pilot[None], app: House) -> None:
        await pilot.press("2")
        await settle(pilot)
        assert table(app, 1).plain[0][0] == "42s"

    show(MinionScreen(session_of(fleet, feed), "host-1-a"), story)


def test_where_nothing_has_failed_nothing_is_asked() -> None:
    feed = FakeFeed()
    counters = dict.fromkeys(("failed", "timed_out", "could_not_start"), 0)
    whole = {**fleet_of({}).minions["host-1-a"].said["counters"], **counters}

    async def story(pilot: Pilot[None], app: House) -> None:
        await pilot.press("2")
        await settle(pilot)
        assert "No run has failed." in app.text
        assert feed.asked == ["tasks host-1-a"]

    played(feed, story, counters=whole)


def test_why_is_not_known_where_nobody_can_be_asked() -> None:
    feed = FakeFeed()
    feed.silent["host-1-a"] = "HTTP 500"

    async def story(pilot: Pilot[None], app: House) -> None:
        await pilot.press("2")
        await settle(pilot)
        assert "2 runs did not succeed; HTTP 500" in app.text

    played(feed, story)


# Output.


def writing(**streams: Any) -> FakeFeed:
    """Two runs that write."""
    feed = FakeFeed()
    feed.runs["host-1-a"] = [run("1", age=9.0), run("2", age=1.0)]
    feed.written["1"] = {"id": "1", "stdout": "one\n", "stderr": "bad\n", **streams}  # type: ignore[typeddict-item]
    feed.written["2"] = {"id": "2", "stdout": "two\n", "stderr": ""}
    return feed


def test_output_follows_the_end_of_the_oldest_run() -> None:
    feed = writing()

    async def story(pilot: Pilot[None], app: House) -> None:
        await pilot.press("3")
        await settle(pilot)
        assert "run 1 of 2  slot 1, attempt 1, 9s  param-1" in app.text
        assert "one" in app.text
        assert "bad" in app.text
        feed.written["1"]["stdout"] = "".join(f"epoch {number}\n" for number in range(200))
        app.tick()
        await settle(pilot)
        assert "epoch 199" in app.text

    played(feed, story)


def test_other_runs_are_a_key_away() -> None:
    feed = writing()

    async def story(pilot: Pilot[None], app: House) -> None:
        await pilot.press("3")
        await settle(pilot)
        for key, words in (("n", "two"), ("n", "one"), ("p", "two"), ("right_square_bracket", "one")):
            await pilot.press(key)
            await settle(pilot)
            assert words in app.text
            assert ("bad" in app.text) is (words == "one")

    played(feed, story)


@pytest.mark.parametrize(
    ("streams", "words"),
    [
        ({"stderr": ""}, "stderr: nothing yet"),
        ({"stdout": None}, "stdout: it does not come through the minion"),
    ],
)
def test_a_stream_in_which_nothing_is_says_so(streams: dict[str, Any], words: str) -> None:
    async def story(pilot: Pilot[None], app: House) -> None:
        await pilot.press("3")
        await settle(pilot)
        assert words in app.text

    played(writing(**streams), story)


def test_streams_stand_side_by_side_where_there_is_room() -> None:
    async def story(pilot: Pilot[None], app: House) -> None:
        await pilot.press("3")
        await settle(pilot)
        assert any("stdout" in line and "stderr" in line for line in app.text.splitlines())
        await pilot.resize_terminal(80, 24)
        await settle(pilot)
        assert not any("stdout" in line and "stderr" in line for line in app.text.splitlines())

    played(writing(), story, WIDE)


def test_a_run_that_has_ended_is_said_to_have_and_its_output_stays() -> None:
    feed = writing()

    async def story(pilot: Pilot[None], app: House) -> None:
        await pilot.press("3")
        await settle(pilot)
        feed.runs["host-1-a"] = feed.runs["host-1-a"][1:]
        del feed.written["1"]
        app.tick()
        await settle(pilot)
        app.tick()
        await settle(pilot)
        assert "This run has ended" in app.text
        assert "one" in app.text
        asked = [each for each in feed.asked if each.startswith("output")]
        app.tick()
        await settle(pilot)
        assert [each for each in feed.asked if each.startswith("output")] == asked
        await pilot.press("n")
        await settle(pilot)
        assert "two" in app.text
        assert "This run has ended" not in app.text

    played(feed, story)


def test_output_of_a_lost_minion_is_of_a_param_that_nobody_runs() -> None:
    feed, fleet = writing(), fleet_of({})

    async def story(pilot: Pilot[None], app: House) -> None:
        await pilot.press("3")
        await settle(pilot)
        fleet.advance(NOW + 500, 0.0)
        app.tick()
        await settle(pilot)
        assert "nobody runs this param now: it is lost." in app.text

    show(MinionScreen(session_of(fleet, feed), "host-1-a"), story)


def test_words_are_sought_in_output() -> None:
    feed = writing(stdout="".join(f"epoch {number}\n" for number in range(200)))

    async def story(pilot: Pilot[None], app: House) -> None:
        await pilot.press("3")
        await settle(pilot)
        await pilot.press("slash", *"epoch 42")
        await settle(pilot)
        assert "epoch 42" in app.text
        assert "epoch 199" not in app.text
        await pilot.press("escape")
        await settle(pilot)
        assert app.answers == []
        assert "Search:" not in app.text
        await pilot.press("escape")
        await settle(pilot)
        assert app.answers == [None]

    played(feed, story)


# Latency.


def test_a_histogram_is_drawn_of_each_bucket_alone() -> None:
    async def story(pilot: Pilot[None], app: House) -> None:
        await pilot.press("4")
        await settle(pilot)
        lines = [line.split() for line in app.text.splitlines() if line.lstrip().startswith("<=")]
        assert [
            (line[1], line[-4 if "p95" in line else -3 if "p50" in line or "p99" in line else -2]) for line in lines
        ]
        assert "40 runs   p50 400ms   p95 1s   p99 2s   mean 500ms" in app.text
        (fullest,) = [line for line in app.text.splitlines() if "<= 500ms" in line]
        assert "█" * 40 in fullest
        assert "30  75% p50" in fullest
        assert "p99" in next(line for line in app.text.splitlines() if "<= 2.5s" in line)

    played(FakeFeed(), story, latency=LATENCY)


def test_buckets_are_made_of_sums_and_empty_ends_are_left_out() -> None:
    assert bins(LATENCY) == [(0.25, 0), (0.5, 30), (1.0, 8), (2.5, 0), (5.0, 2), (10.0, 0)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("buckets", "found"),
    [
        ([], []),
        ([(None, 0)], []),
        ([(None, 5)], [(None, 5)]),
        ([(1.0, 9), (2.0, 3), (None, 12)], [(1.0, 9), (2.0, 0), (None, 3)]),
        ([(1.0, -9), (None, 1)], [(1.0, 0), (None, 1)]),
    ],
)
def test_buckets_that_make_no_sense_break_nothing(
    buckets: list[tuple[float | None, int]], found: list[tuple[float | None, int]]
) -> None:
    assert bins({**LATENCY, "buckets": buckets}) == found  # type: ignore[typeddict-item]

    async def story(pilot: Pilot[None], app: House) -> None:
        await pilot.press("4")
        await settle(pilot)
        assert "40 runs" in app.text

    played(FakeFeed(), story, latency={**LATENCY, "buckets": buckets})


def test_where_no_run_has_ended_it_says_so() -> None:
    async def story(pilot: Pilot[None], app: House) -> None:
        await pilot.press("4")
        await settle(pilot)
        assert "No run has ended yet." in app.text

    played(FakeFeed(), story, latency={**LATENCY, "count": 0, "p50": None, "p95": None, "p99": None})


# Info and events.


def facts(app: House) -> dict[str, str]:
    """What the tab says."""
    lines = [line for line in list(app.screen.query(Lines))[-2].plain if line.startswith("  ")]
    return {line[:18].strip(): line[18:] for line in lines}


def test_all_that_is_known_is_told_and_nothing_that_is_secret() -> None:
    fleet = fleet_of({"url": "http://me:hush@host:1/", "labels": {"job": "42", "[bold]": "x"}, "why": "as told"})

    async def story(pilot: Pilot[None], app: House) -> None:
        await pilot.press("5")
        await settle(pilot)
        found = facts(app)
        assert found["server"] == "http://host:1/"
        assert found["label job"] == "42"
        assert found["label [bold]"] == "x"
        assert found["state"] == "running: as told"
        assert found["uptime"] == "20m36s"
        assert found["redelivered"] == "0"
        assert found["timed out"] == "1"
        assert found["ready"] == "10"
        assert found["orders"] == "can be given"
        assert found["numbers"] == "by its heartbeats only, from the registry"
        assert "hush" not in "\n".join(found.values())

    show(MinionScreen(session_of(fleet), "host-1-a"), story, (120, 60))


def test_an_url_that_was_given_by_hand_is_shown_without_secrets_too() -> None:
    fleet = fleet_of()
    fleet.looked_up(["http://me:hush@host:1/"], NOW)
    fleet.advance(NOW, 0.0)
    (key,) = fleet.minions

    async def story(pilot: Pilot[None], app: House) -> None:
        for tab in "123456":
            await pilot.press(tab)
            await settle(pilot)
            assert "hush" not in app.text
        assert facts(app)["found in"] == "http://host:1/"

    show(MinionScreen(session_of(fleet), key), story, (120, 60))


def test_of_a_lost_minion_nothing_is_said_to_be_used() -> None:
    async def story(pilot: Pilot[None], app: House) -> None:
        await pilot.press("5")
        await settle(pilot)
        found = facts(app)
        assert found["lost"] == "2 params were in flight"
        assert found["slots"] == "0 busy of 2"
        assert found["said last"] == "running"
        assert found["orders"] == "cannot be given: it is lost"
        assert "nothing: it is lost" in found.values()

    played(FakeFeed(), story, (120, 60), age=500.0)


def test_events_of_this_minion_are_shown_and_of_no_other() -> None:
    fleet = fleet_of({}, {})
    fleet.events.note(Event(1.0, "host-1-a is ill", "error", minion="host-1-a"))
    fleet.events.note(Event(2.0, "host-2-a is well", minion="host-2-a"))

    async def story(pilot: Pilot[None], app: House) -> None:
        await pilot.press("6")
        await settle(pilot)
        assert "ERROR    host-1-a is ill" in app.text
        assert "host-2-a" not in app.text

    show(MinionScreen(session_of(fleet), "host-1-a"), story)
