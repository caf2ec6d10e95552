from __future__ import annotations

import httpx
import pytest

from tests.server.fake import FakeMinion, serving
from tests.server.problems import problem

PATHS = ["/stats", "/stats?window=3", "/metrics", "/tasks", "/failures"]


@pytest.mark.parametrize("path", PATHS)
def test_a_fault_is_a_problem_and_the_next_answer_works(owner: httpx.Client, minion: FakeMinion, path: str) -> None:
    assert owner.get(path).status_code == 200
    minion.broken = RuntimeError("inner secret")
    for _ in range(2):
        problem(owner.get(path), 500, "internal")
        assert "inner secret" not in owner.get(path).text
    minion.broken = None
    assert owner.get(path).status_code == 200


def test_a_fault_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    minion = FakeMinion()
    minion.broken = RuntimeError("why \x1b[31m")
    with serving(minion) as live, httpx.Client(base_url=live.url, verify=False) as client:
        for path in PATHS[:3] * 2:
            problem(client.get(path), 500, "internal")
    assert capsys.readouterr() == (
        "",
        "minionize: server: GET /stats failed: RuntimeError: why \\x1b[31m (said once)\n",
    )


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "X"])
@pytest.mark.parametrize(
    ("path", "allow"),
    [
        ("/stats", "GET, HEAD"),
        ("/tasks", "GET, HEAD"),
        ("/tasks/a%2Fb/output", "GET, HEAD"),
        ("/slots", "POST"),
        ("/tasks/x/kill", "POST"),
        ("/dead/requeue", "POST"),
        ("/docs", "GET, HEAD"),
        ("/openapi.json", "GET, HEAD"),
    ],
)
def test_other_methods(owner: httpx.Client, method: str, path: str, allow: str) -> None:
    answer = owner.request(method, path)
    problem(answer, 405, "method-not-allowed")
    assert answer.headers["allow"] == allow


@pytest.mark.parametrize("path", ["/pause", "/slots", "/tasks/x/kill", "/dead/requeue"])
def test_an_order_is_no_get(owner: httpx.Client, minion: FakeMinion, path: str) -> None:
    problem(owner.get(path), 405, "method-not-allowed")
    assert minion.told == []


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/stats/",
        "/STATS",
        "/%73tats%00",
        "/../../etc/passwd",
        "/docs/..%2f..%2fapp.py",
        "/docs/x.js",
        "/%ff%fe",
        "/" + "x" * 10_000,
        "/docs/",
        "/redoc",
        "/failures/x",
    ],
)
def test_paths_of_nothing(owner: httpx.Client, path: str) -> None:
    wrong = problem(owner.get(path), 404, "not-found")
    assert len(wrong["instance"]) <= 300


@pytest.mark.parametrize(
    "query", ["?", "?&&=&", "?%ff=%ff", "?window", "?window=5&window=6", "?x=" + "y" * 10_000, "?fields=,,"]
)
def test_queries_of_nonsense(client: httpx.Client, query: str) -> None:
    answer = client.get(f"/stats{query}")
    if query == "?window":
        problem(answer, 422, "invalid")
    else:
        assert answer.status_code == 200
