"""POST /dead/requeue: answered when it is done, and nobody else waits for that."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

import httpx
import pytest

from minionize.errors import EngineError
from minionize.server import controls
from tests.server.fake import FakeMinion
from tests.server.problems import problem
from tests.worker.running import until

JSON = {"Content-Type": "application/json"}
PATH = "/dead/requeue"


@pytest.mark.parametrize("body", [None, b"", b"{}", b"null", b'{"ids": null}'])
def test_all_of_them(owner: httpx.Client, minion: FakeMinion, body: bytes | None) -> None:
    answer = owner.post(PATH, content=body, headers=JSON if body else {})
    wire = minion.wire
    stands = {"id": wire["id"], "state": wire["state"], "slots": wire["slots"], "busy": wire["busy"]}
    assert (answer.status_code, answer.json()) == (200, {**stands, "requeued": 3})
    assert minion.told == ["requeue all dead"]


def test_nothing_at_all_may_be_called_json(owner: httpx.Client, minion: FakeMinion) -> None:
    assert owner.post(PATH, headers=JSON).json()["requeued"] == 3
    assert minion.told == ["requeue all dead"]


@pytest.mark.parametrize("ids", [["a"], ["a/b c", "\u00e9"], []])
def test_some_of_them(owner: httpx.Client, minion: FakeMinion, ids: list[str]) -> None:
    assert owner.post(PATH, json={"ids": ids}).json()["requeued"] == 3
    assert minion.told == [f"requeue dead {ids}"]


@pytest.mark.parametrize("body", [b"[]", b'{"ids": "a"}', b'{"ids": [1]}', b'{"ids": [null]}', b'{"idz": []}', b"0"])
def test_ids_that_are_none(owner: httpx.Client, minion: FakeMinion, body: bytes) -> None:
    wrong = problem(owner.post(PATH, content=body, headers=JSON), 422, "invalid")
    assert wrong["errors"][0]["where"].startswith("body")
    assert minion.told == []


@pytest.mark.parametrize("body", [b"{", b"ids=a", b" "])
def test_ids_that_are_not_json(owner: httpx.Client, minion: FakeMinion, body: bytes) -> None:
    problem(owner.post(PATH, content=body, headers=JSON), 400, "not-json")
    assert minion.told == []


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_ids_that_do_not_say_that_they_are_json(owner: httpx.Client, minion: FakeMinion, kind: str) -> None:
    """What is taken for no body would mean all."""
    for content in (b'{"ids": ["a"]}', iter([b'{"ids": ["a"]}'])):
        problem(owner.post(PATH, content=content, headers={"Content-Type": kind}), 415, "not-json-type")
    assert minion.told == []


def test_too_many_ids(owner: httpx.Client, minion: FakeMinion) -> None:
    problem(owner.post(PATH, json={"ids": ["x" * 20] * 4_000}), 413, "too-large")
    assert minion.told == []


def test_what_the_queue_refuses(owner: httpx.Client, minion: FakeMinion) -> None:
    minion.requeued = EngineError("the queue cannot be reached now; try again")
    wrong = problem(owner.post(PATH), 409, "refused")
    assert wrong["detail"] == "the queue cannot be reached now; try again"


def test_what_the_minion_refuses(owner: httpx.Client, minion: FakeMinion) -> None:
    minion.wire["state"] = "stopped"
    assert problem(owner.post(PATH), 409, "refused")["detail"] == "the minion has stopped"
    assert minion.told == []


def test_others_do_not_wait_for_it(owner: httpx.Client, client: httpx.Client, minion: FakeMinion) -> None:
    minion.requeued = pending = Future[int]()
    with ThreadPoolExecutor(2) as pool:
        answers = [pool.submit(owner.post, PATH) for _ in range(2)]
        until(lambda: len(minion.told) == 2)
        assert client.get("/stats").status_code == 200
        assert not any(answer.done() for answer in answers)
        pending.set_result(7)
        assert [answer.result(10).json()["requeued"] for answer in answers] == [7, 7]


def test_the_wait_is_bounded(owner: httpx.Client, minion: FakeMinion, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(controls, "PATIENCE", 0.05)
    minion.requeued = pending = Future[int]()
    wrong = problem(owner.post(PATH), 409, "refused")
    assert "ask again" in wrong["detail"]
    assert pending.cancelled(), "what nobody waits for any more is not begun"
