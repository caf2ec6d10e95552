from __future__ import annotations

from math import inf, nan
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from minionize.server import models
from tests.server.fake import FakeMinion
from tests.server.problems import problem

IDS = [
    "a/b",
    "/",
    "50%",
    "%2F",
    "a b?c#d",
    "é",
    "../stats",
    "x/output",
    "kill/requeue",
    "a\nb",
    "a\0b",
    ".",
    "..",
    "\udcff",
    "%",
]


def test_tasks(owner: httpx.Client, minion: FakeMinion) -> None:
    answer = owner.get("/tasks")
    assert (answer.status_code, answer.json()) == (200, minion.running)
    for task in answer.json():
        models.Task.model_validate(task, strict=True)


def test_failures(owner: httpx.Client, minion: FakeMinion) -> None:
    answer = owner.get("/failures")
    assert (answer.status_code, answer.json()) == (200, minion.failed)
    models.Failures.model_validate_json(answer.content, strict=True)


def test_answers_with_params_are_not_kept(owner: httpx.Client) -> None:
    assert owner.get("/tasks").headers["cache-control"] == "no-store"


@pytest.mark.parametrize("id", IDS)
def test_an_id_may_hold_anything(owner: httpx.Client, minion: FakeMinion, id: str) -> None:
    minion.running[0]["id"] = id
    path = f"/tasks/{quote(id, safe='', errors='surrogateescape')}"
    if id in (".", ".."):
        path = f"/tasks/{'%2E' * len(id)}"
    assert owner.get("/tasks").json()[0]["id"] == id
    answer = owner.get(f"{path}/output")
    assert (answer.status_code, answer.json()["id"]) == (200, id)
    assert owner.post(f"{path}/kill").status_code == 200
    assert owner.post(f"{path}/requeue").status_code == 200
    assert minion.told == [f"kill {id}", f"requeue {id}"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(id=st.text(min_size=1, max_size=20).filter(lambda id: id not in (".", "..")))  # clients take these out of a path
def test_any_id_reaches_the_minion_as_it_is(owner: httpx.Client, minion: FakeMinion, id: str) -> None:
    minion.told.clear()
    owner.post(httpx.URL(owner.base_url, raw_path=f"/tasks/{quote(id, safe='', errors='surrogatepass')}/kill".encode()))
    assert minion.told == [f"kill {id}"]


def test_slashes_need_not_be_encoded(owner: httpx.Client, minion: FakeMinion) -> None:
    owner.post("/tasks/a/b/c/kill")
    assert minion.told == ["kill a/b/c"]


@pytest.mark.parametrize("path", ["/tasks/x/output"])
def test_output_of_what_does_not_run(owner: httpx.Client, path: str) -> None:
    assert "the id x is" in problem(owner.get(path), 404, "not-running")["detail"]


@pytest.mark.parametrize("path", ["/tasks/", "/tasks//", "/tasks/x", "/tasks/x%2Foutput", "/tasks/x/outputs"])
def test_paths_that_are_none(owner: httpx.Client, path: str) -> None:
    problem(owner.get(path), 404, "not-found")


def nested(depth: int) -> Any:
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("param", "shown"),
    [
        (nan, "nan"),
        (-inf, "-inf"),
        ({(1, 2): {3}}, {"[1,2]": [3]}),
        (b"\xff", "\udcff"),
        ("\ud800", "\ud800"),
        (10**6000, hex(10**6000)),
        ({"a": nan, "b": (1, None)}, {"a": "nan", "b": [1, None]}),
    ],
    ids=range(7),
)
def test_any_param_can_be_shown(owner: httpx.Client, minion: FakeMinion, param: Any, shown: Any) -> None:
    minion.running[0]["param"] = param
    assert owner.get("/tasks").json()[0]["param"] == shown


def test_a_bottomless_param_can_be_shown(owner: httpx.Client, minion: FakeMinion) -> None:
    loop: list[Any] = []
    loop.append(loop)
    for param in (loop, nested(100_000)):
        minion.running[0]["param"] = param
        assert owner.get("/tasks").status_code == 200
    minion.running[0]["param"] = None
