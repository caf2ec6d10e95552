from __future__ import annotations

import httpx
import pytest

from tests.server.fake import FakeMinion
from tests.server.problems import problem

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(("order", "state"), [("pause", "paused"), ("resume", "running"), ("drain", "draining")])
def test_orders_are_passed_on(owner: httpx.Client, minion: FakeMinion, order: str, state: str) -> None:
    answer = owner.post(f"/{order}")
    wire = minion.wire
    assert answer.json() == {"id": wire["id"], "state": state, "slots": wire["slots"], "busy": wire["busy"]}
    assert (answer.status_code, minion.told) == (200, [order])


def test_slots(owner: httpx.Client, minion: FakeMinion) -> None:
    assert owner.post("/slots", json={"slots": 7}).json()["slots"] == 7
    assert minion.told == ["resize 7"]


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "Application/JSON", "application/x+json"])
def test_slots_in_any_kind_of_json(owner: httpx.Client, minion: FakeMinion, kind: str) -> None:
    assert owner.post("/slots", content=b'{"slots": 1}', headers={"Content-Type": kind}).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"slots": 0}',
        b'{"slots": "4"}',
        b'{"slots": true}',
        b'{"slots": 4.5}',
        b'{"slots": 1e9}',
        b"[]",
        b"null",
        b'{"slots": 4, "slotz": 5}',
        b'{"slots": 99999}',
        b'{"slots": NaN}',
        b'{"slots": 1' + b"0" * 4000 + b"}",
        b"",
    ],
)
def test_slots_that_are_none(owner: httpx.Client, minion: FakeMinion, body: bytes) -> None:
    wrong = problem(owner.post("/slots", content=body, headers=JSON), 422, "invalid")
    assert wrong["errors"][0]["where"].startswith("body")
    assert minion.told == []


@pytest.mark.parametrize(
    "body", [b"{", b"\xff", b"[" * 60_000, b"slots=4", b'{"slots": 4}}', b"\0", b'{"slots": 1' + b"0" * 5000 + b"}"]
)
def test_slots_that_are_not_json(owner: httpx.Client, minion: FakeMinion, body: bytes) -> None:
    problem(owner.post("/slots", content=body, headers=JSON), 400, "not-json")
    assert minion.told == []


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "json", ""])
def test_slots_that_do_not_say_that_they_are_json(owner: httpx.Client, minion: FakeMinion, kind: str) -> None:
    answer = owner.post("/slots", content=b'{"slots": 4}', headers={"Content-Type": kind})
    problem(answer, 415, "not-json-type")
    assert minion.told == []


@pytest.mark.parametrize("verb", ["kill", "requeue"])
def test_ends_a_run(owner: httpx.Client, minion: FakeMinion, verb: str) -> None:
    id = minion.running[0]["id"]
    assert owner.post(f"/tasks/{id}/{verb}").json()["id"] == minion.wire["id"]
    problem(owner.post(f"/tasks/other/{verb}"), 404, "not-running")
    assert minion.told == [f"{verb} {id}", f"{verb} other"]


def test_what_the_minion_refuses(owner: httpx.Client, minion: FakeMinion) -> None:
    minion.wire["state"] = "stopped"
    assert problem(owner.post("/pause"), 409, "refused")["detail"] == "the minion has stopped"
    wrong = problem(owner.post("/slots", json={"slots": 101}), 409, "refused")
    assert wrong["detail"] == "too few files may be open here"
    assert minion.told == []
