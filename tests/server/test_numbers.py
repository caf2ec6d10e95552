from __future__ import annotations

import httpx
import pytest

from minionize.server import models
from minionize.stats.wire import BacklogSeen
from tests.server.fake import FakeMinion
from tests.server.problems import problem


def test_stats_are_those_of_the_minion(client: httpx.Client, minion: FakeMinion) -> None:
    answer = client.get("/stats")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    models.Stats.model_validate_json(answer.content, strict=True)
    wire = answer.json()
    wire["latency"]["buckets"] = [tuple(each) for each in wire["latency"]["buckets"]]
    assert wire == minion.wire


@pytest.mark.parametrize(
    ("query", "window"), [("", 10.0), ("?window=1", 1.0), ("?window=300", 300.0), ("?window=2.5", 2.5)]
)
def test_rates_are_over_the_window_that_is_asked_for(
    client: httpx.Client, minion: FakeMinion, query: str, window: float
) -> None:
    client.get(f"/stats{query}")
    client.get(f"/stats{query}")
    assert minion.windows == [window, window]


@pytest.mark.parametrize("window", ["0", "301", "-1", "nan", "inf", "ten", "", "1" * 5000])
def test_wrong_window(client: httpx.Client, minion: FakeMinion, window: str) -> None:
    wrong = problem(client.get(f"/stats?window={window}"), 422, "invalid")
    assert [each["where"] for each in wrong["errors"]] == ["query.window"]
    assert minion.windows == []


@pytest.mark.parametrize("again", range(2))
def test_fields_narrow(client: httpx.Client, again: int) -> None:
    assert list(client.get("/stats?fields=rates,%20counters").json()) == ["schema", "id", "counters", "rates"]


def test_no_fields_are_all_fields(client: httpx.Client) -> None:
    assert client.get("/stats?fields=").json() == client.get("/stats").json()


def test_unknown_field(client: httpx.Client) -> None:
    wrong = problem(client.get("/stats?fields=counters,cuonters"), 422, "unknown-field")
    assert "no field 'cuonters'; there are schema, id, host" in wrong["detail"]


def test_many_queries_are_not_remembered_for_ever(client: httpx.Client) -> None:
    for number in range(100):
        assert client.get(f"/stats?window=5&n={number}").status_code == 200
    assert client.get("/stats?window=5&n=99").json()["rates"]


def etag(client: httpx.Client, query: str = "") -> str:
    tag: str = client.get(f"/stats{query}").headers["etag"]
    assert tag.startswith('W/"')
    return tag


def test_unchanged_stats_are_not_sent_again(client: httpx.Client, minion: FakeMinion) -> None:
    tag = etag(client)
    minion.wire["uptime"] += 1
    minion.wire["resources"]["cpu"] += 1
    minion.wire["in_flight"]["oldest"] = 99.0
    assert minion.wire["backlog"] is not None
    minion.wire["backlog"]["as_of"] += 1
    for given in (tag, tag.removeprefix("W/"), f'"other", {tag}', "*"):
        answer = client.get("/stats", headers={"If-None-Match": given})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)
    assert client.get("/stats", headers={"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize(
    "changed", ["state", "why", "slots", "busy", "backlog", "labels", "counters", "rates", "in_flight"]
)
def test_what_changes_is_sent(client: httpx.Client, minion: FakeMinion, changed: str) -> None:
    tag = etag(client)
    wire = minion.wire
    match changed:
        case "state":
            wire["state"] = "idle"
        case "why":
            wire["why"] = "nothing to do"
        case "slots":
            wire["slots"] += 1
        case "busy":
            wire["busy"] -= 1
        case "backlog":
            wire["backlog"] = BacklogSeen(ready=0, in_flight=0, dead=0, exact=True, as_of=0.0)
        case "labels":
            wire["labels"] = {}
        case "counters":
            wire["counters"]["received"] += 1
        case "rates":
            wire["rates"]["succeeded"] += 0.1
        case "in_flight":
            wire["in_flight"]["count"] += 1
    assert client.get("/stats", headers={"If-None-Match": tag}).status_code == 200


def test_fields_that_are_asked_for_all_count(client: httpx.Client, minion: FakeMinion) -> None:
    query = "?fields=resources"
    tag = etag(client, query)
    assert client.get(f"/stats{query}", headers={"If-None-Match": tag}).status_code == 304
    minion.wire["resources"]["rss"] += 1
    assert client.get(f"/stats{query}", headers={"If-None-Match": tag}).status_code == 200


def test_stats_without_a_backlog(client: httpx.Client, minion: FakeMinion) -> None:
    minion.wire["backlog"] = None
    assert client.get("/stats").json()["backlog"] is None


@pytest.mark.parametrize("state", ["starting", "running", "idle", "paused", "draining"])
def test_healthy(client: httpx.Client, minion: FakeMinion, state: str) -> None:
    minion.wire["state"] = state  # type: ignore[typeddict-item]
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "id": minion.wire["id"], "state": state})


def test_a_minion_that_has_stopped_is_not_healthy(client: httpx.Client, minion: FakeMinion) -> None:
    minion.wire["state"] = "stopped"
    problem(client.get("/healthz"), 503, "stopped")


@pytest.mark.parametrize("path", ["/stats", "/healthz", "/metrics", "/docs", "/openapi.json", "/nothing"])
def test_head_is_get_without_a_body(client: httpx.Client, path: str) -> None:
    for _ in range(2):
        got, head = client.get(path), client.head(path)
        assert (head.status_code, head.content) == (got.status_code, b"")
        assert int(head.headers["content-length"]) == len(got.content)
        assert head.headers["content-type"] == got.headers["content-type"]
