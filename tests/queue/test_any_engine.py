"""The commands know engines by their contract alone: one that keeps everything, and one that can do very little."""

from __future__ import annotations

from typing import Any

import pytest

from examples.sqlite_engine import SqliteEngine
from minionize.engine import Engine
from minionize.engines.memory import MemoryEngine, MemoryQueue
from minionize.plugins import load_engine
from tests.queue.conftest import Terminal


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> MemoryQueue:
    """A queue behind the name "broker", full-featured; "sqlite" is the example in the docs."""
    queue = MemoryQueue()

    class Broker(MemoryEngine):
        name = "broker"

        def __init__(self, **values: Any) -> None:
            super().__init__(queue, **values)

    known: dict[str | None, type[Engine]] = {"broker": Broker, "sqlite": SqliteEngine}
    monkeypatch.setattr("minionize.cli.queue_common.load_engine", lambda name: known.get(name) or load_engine(name))
    return queue


def test_an_engine_that_can_do_all(queue: Terminal, shared: MemoryQueue) -> None:
    broker = ("-e", "broker")
    assert queue.json(*broker, "fill", stdin="1\n1\n2\n3\n") == {
        "put": 4,
        "given": 4,
        "stopped": None,
        "error": None,
        "engine": "broker",
        "queue": "broker",
    }
    minion = MemoryEngine(shared)
    minion.minion = "m1"
    minion.open()
    dead, *_ = minion.receive(2, 0.0)
    minion.dead_letter([dead], "exit code 7", [{"exit_code": 7}])
    answer = queue.json(*broker, "status")
    assert (answer["ready"], answer["in_flight"], answer["dead"]) == (2, 1, 1)
    assert answer["minions"] == [{"minion": "m1", "in_flight": 1, "idle": None, "gone": None}]
    assert queue.jsonl(*broker, "peek") == [2, 3]
    assert queue.json("copy", *broker, "--to", "execo")["put"] == 2
    assert queue.jsonl(*broker, "dead", "--summary")[0]["cause"] == "exit code 7"
    assert queue.json(*broker, "requeue", "--cause", "code 7")["requeued"] == 1
    assert queue.json(*broker, "purge", "--yes")["purged"] == 3
    assert "               1  m1\n" in queue(*broker, "status").stdout


def test_an_engine_that_can_do_little(queue: Terminal, shared: MemoryQueue) -> None:
    sqlite = ("-e", "sqlite")
    assert queue.json(*sqlite, "fill", stdin="1\n2\n")["put"] == 2
    answer = queue.json(*sqlite, "status")
    assert (answer["ready"], answer["minions"], answer["exact"]) == (None, None, False)
    assert "cannot tell how much it holds" in queue(*sqlite, "status").stdout
    for word in (["peek"], ["purge", "--yes"], ["copy", "--to", "execo"]):
        result = queue(*sqlite, *word)
        assert (result.exit_code, result.stdout) == (3, "")
        assert "engine sqlite cannot" in result.stderr
    # Nobody is asked about what cannot be.
    result = queue(*sqlite, "purge")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "engine sqlite cannot throw params away: the tools of its server may" in result.stderr
