from __future__ import annotations

from textual.pilot import Pilot

from mtop.model.events import Event
from mtop.model.fleet import Fleet
from mtop.screens.lines import Lines
from mtop.screens.log import LogScreen
from tests.mtop.screens.house import HOSTILE, House, fleet_of, session_of, settle, show


def fleet_with(*events: Event) -> Fleet:
    fleet = fleet_of()
    for event in events:
        fleet.events.note(event)
    return fleet


def test_events_stand_in_order_and_how_bad_they_are_is_a_word() -> None:
    fleet = fleet_with(Event(1.0, "one"), Event(2.0, "two", "warning"), Event(3.0, "three", "error"))

    async def story(pilot: Pilot[None], app: House) -> None:
        lines = app.screen.query_one(Lines).plain
        assert [line.split()[-2:] for line in lines] == [["info", "one"], ["WARNING", "two"], ["ERROR", "three"]]
        assert "3 events" in app.text
        fleet.events.note(Event(4.0, HOSTILE))
        app.tick()
        await settle(pilot)
        assert "\\x1b[31mred\\x1b[2J [bold]loud[/bold]" in app.text

    show(LogScreen(session_of(fleet)), story)


def test_the_newest_is_seen() -> None:
    fleet = fleet_with(*(Event(float(number), f"event {number}") for number in range(500)))

    async def story(pilot: Pilot[None], app: House) -> None:
        assert "event 499" in app.text
        fleet.events.note(Event(500.0, "event 500"))
        app.tick()
        await settle(pilot)
        assert "event 500" in app.text

    show(LogScreen(session_of(fleet)), story, (60, 20))


def test_only_what_is_looked_for_is_shown_while_it_is_typed() -> None:
    fleet = fleet_with(*(Event(float(number), f"event {number}") for number in range(50)))

    async def story(pilot: Pilot[None], app: House) -> None:
        await pilot.press("f4", *"T 4")
        await settle(pilot)
        assert "50 events, 11 shown with T 4" in app.text
        assert len(app.screen.query_one(Lines).plain) == 11
        await pilot.press("enter", "f3")
        await settle(pilot)
        assert len(app.screen.query_one(Lines).plain) == 11
        await pilot.press("escape")
        await settle(pilot)
        assert len(app.screen.query_one(Lines).plain) == 50
        await pilot.press("q")
        await settle(pilot)
        assert app.answers == [None]

    show(LogScreen(session_of(fleet)), story)


def test_nothing_is_drawn_anew_while_nothing_happens() -> None:
    fleet = fleet_with(Event(1.0, "one"))

    async def story(pilot: Pilot[None], app: House) -> None:
        lines = app.screen.query_one(Lines)
        before = lines._rows
        app.tick()
        assert lines._rows is before

    show(LogScreen(session_of(fleet)), story)
