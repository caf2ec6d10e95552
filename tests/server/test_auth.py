from __future__ import annotations

import httpx
import pytest

from tests.server.fake import TOKEN, FakeMinion
from tests.server.problems import problem

SHOWN = [("GET", "/tasks"), ("GET", "/failures"), ("GET", "/tasks/x/output"), ("HEAD", "/tasks"), ("HEAD", "/failures")]
PATHS = ("/pause", "/resume", "/drain", "/slots", "/tasks/x/kill", "/tasks/x/requeue", "/dead/requeue")
ORDERS = [("POST", path) for path in PATHS]
OPEN = ["/healthz", "/stats", "/metrics", "/docs", "/openapi.json"]


@pytest.mark.parametrize(("method", "path"), SHOWN + ORDERS)
def test_params_and_orders_need_the_token(client: httpx.Client, minion: FakeMinion, method: str, path: str) -> None:
    answer = client.request(method, path, content=b"{nonsense" if method == "POST" else None)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="minionize"'
    if method != "HEAD":
        problem(answer, 401, "unauthorized")
    assert minion.told == []


@pytest.mark.parametrize(
    "shown",
    [
        b"",
        b"Bearer",
        b"Bearer x",
        TOKEN.encode(),
        b"Basic " + TOKEN.encode(),
        b"Bearer \xff\xfe",
        b"Bearer \xc3\xa9",
        b"Bearer " + TOKEN.encode() + b"x",
        b"Bearer " + TOKEN[:-1].encode(),
        b"Bearer " + b"x" * 50_000,
        b"Bearer " + TOKEN.upper().encode(),
        b"Bearer x " + TOKEN.encode(),
    ],
)
@pytest.mark.parametrize(("method", "path"), [("GET", "/tasks"), ("POST", "/pause")])
def test_wrong_token(client: httpx.Client, minion: FakeMinion, shown: bytes, method: str, path: str) -> None:
    answer = client.request(method, path, headers={b"Authorization": shown})
    wrong = problem(answer, 401, "unauthorized")
    assert TOKEN not in answer.text
    assert "not the token" in wrong["detail"]
    assert "invalid_token" in answer.headers["www-authenticate"]
    assert minion.told == []


def test_two_tokens_are_none(client: httpx.Client) -> None:
    right = ("Authorization", f"Bearer {TOKEN}")
    problem(client.get("/tasks", headers=[right, right]), 401, "unauthorized")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_right_token(client: httpx.Client, scheme: str) -> None:
    assert client.get("/tasks", headers={"Authorization": f"{scheme} {TOKEN}"}).status_code == 200


def test_without_a_token_nobody_may(client: httpx.Client, minion: FakeMinion) -> None:
    minion.token = ""
    for shown in ("Bearer", f"Bearer {TOKEN}"):
        problem(client.get("/tasks", headers={"Authorization": shown}), 401, "unauthorized")


@pytest.mark.parametrize("path", OPEN)
def test_numbers_are_open(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 200
    assert client.get(path, headers={"Authorization": "Bearer wrong"}).status_code == 200


def test_no_number_shows_a_param(client: httpx.Client, minion: FakeMinion) -> None:
    minion.running[0]["param"] = minion.failed["failures"][0]["param"] = "hush-hush"
    minion.failed["failures"][0]["stderr"] = "hush-hush"
    for path in OPEN:
        assert "hush-hush" not in client.get(path).text


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/stats"), ("OPTIONS", "/pause"), ("GET", "/tasks"), ("GET", "/docs")]
)
def test_other_origins_are_told_nothing(client: httpx.Client, method: str, path: str) -> None:
    answer = client.request(
        method, path, headers={"Origin": "http://example.org", "Access-Control-Request-Method": "POST"}
    )
    assert not [name for name in answer.headers if name.startswith("access-control")]
