"""What a minion answers is read with no trust in it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from minionize.testing.announcements import hostile, make_announcement
from mtop.poll.answer import Reader
from mtop.poll.trouble import Trouble

OURS = ("url", "token", "heartbeat", "every", "process", "left")


def said(**changes: Any) -> bytes:
    stats: dict[str, Any] = {**make_announcement(), **changes}
    return json.dumps({name: value for name, value in stats.items() if name not in OURS}).encode()


def test_numbers_are_read() -> None:
    stats = Reader()(said(busy=7, backlog=None))
    assert json.loads(said(busy=7, backlog=None)) == json.loads(json.dumps(stats))


def test_names_that_came_later_are_passed_over() -> None:
    assert "colour" not in Reader()(said(colour={"deep": [1, 2]}))


# An announcement says more than an answer: what is wrong with that alone is none of ours.
HOSTILE = {
    name: data
    for name, data in hostile("host-1-a")
    if not name.removeprefix("without ").startswith(OURS) and name != "huge"
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_hostile_is_trouble(name: str) -> None:
    with pytest.raises(Trouble) as raised:
        Reader()(HOSTILE[name])
    assert str(raised.value).startswith("answers ")
    assert len(str(raised.value)) <= 200


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (said(schema=2), "answers with schema 2, this mtop reads 1: upgrade mtop"),
        (b'{"schema": 3, "everything": "else"}', "answers with schema 3, this mtop reads 1: upgrade mtop"),
        (said(schema=0), "answers with schema 0, this mtop reads 1: upgrade minionize there"),
        (b"<html>", "answers something that is no /stats: "),
        (b"", "answers something that is no /stats: "),
        (said(state="asleep"), "answers something that is no /stats: "),
        (
            said(latency={"count": 1, "sum": 1, "p50": 1, "p95": 1, "p99": 1, "buckets": [[1, 1]] * 1001}),
            "answers some",
        ),
    ],
)
def test_why_it_is_none(body: bytes, words: str) -> None:
    with pytest.raises(Trouble) as raised:
        Reader()(body)
    assert str(raised.value).startswith(words)


def test_texts_are_cut() -> None:
    labels = {f"{number}" + "k" * 500: "v" * 500 for number in range(200)}
    long = dict.fromkeys(("id", "host", "user", "version", "engine", "queue", "command", "why"), "x" * 10000)
    stats: Any = Reader()(said(labels=labels, **long))
    assert {name: len(stats[name]) for name in long if len(stats[name]) > 200} == dict.fromkeys(
        ("queue", "command", "why"), 2_000
    )
    assert stats["command"].endswith("x…")
    assert len(stats["labels"]) == 100
    assert {len(value) for value in stats["labels"].values()} == {200}


def test_texts_that_fit_are_not() -> None:
    assert Reader()(said(command="x" * 2_000, labels={"k": "v" * 200}))["command"] == "x" * 2_000
