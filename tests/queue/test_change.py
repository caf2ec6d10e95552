from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.queue.conftest import Terminal
from tests.queue.test_look import NUMBERS, minion, with_dead


def test_requeue_by_id(queue: Terminal) -> None:
    ids = with_dead(queue, "a", "b")
    assert queue("requeue", ids[1]).stdout == f"1 made ready again in execo {queue.folder}/sweeps\n"
    assert queue.jsonl("peek") == ["b"]
    assert [each["id"] for each in queue.jsonl("dead")] == ids[:1]


def test_requeue_by_cause_and_all(queue: Terminal) -> None:
    with_dead(queue, "a", "b", "c")
    assert queue.json("requeue", "--cause", "exit code 3")["requeued"] == 2
    assert queue.json("requeue", "--all")["requeued"] == 1
    assert queue.json("requeue", "--all")["requeued"] == 0
    assert queue.json("status")["ready"] == 3


@pytest.mark.parametrize("words", [[], ["--all", "x"], ["--all", "--cause", "x"], ["x", "--cause", "y"]])
def test_requeue_must_know_which(queue: Terminal, words: list[str]) -> None:
    with_dead(queue, "a")
    result = queue("requeue", *words)
    assert result.exit_code == 2
    assert "which?" in result.stderr


def test_an_id_that_is_not_dead_changes_nothing(queue: Terminal) -> None:
    (dead,) = with_dead(queue, "a")
    result = queue("requeue", dead, "nobody")
    assert result.exit_code == 2
    assert "no dead param has the id nobody" in result.stderr
    assert queue.json("status")["dead"] == 1


def lines_of_dead(*params: str) -> None:
    with Path("dead").open("a") as file:
        for param in params:
            file.write(json.dumps({"id": f"1-{param}", "param": param, "reason": "exit code 1"}) + "\n")


def test_requeue_from_a_file_of_dead_params(queue: Terminal) -> None:
    lines_of_dead("a", "b", "c")
    words = ("-e", "file", "requeue", "--dead", "dead")
    assert queue.json(*words, "1-b", FILE_PATH="params")["requeued"] == 1
    assert Path("params").read_text() == "b\n"
    assert queue(*words, "--all", FILE_PATH="params").stdout == f"2 made ready again in file {queue.folder}/params\n"
    assert Path("params").read_text() == "b\na\nc\n"
    assert queue.json(*words, "--all", FILE_PATH="params")["requeued"] == 0


def test_requeue_into_another_queue(queue: Terminal) -> None:
    lines_of_dead("a")
    assert queue.json("requeue", "--all", "--dead", "dead")["engine"] == "execo"
    assert queue.jsonl("peek") == ["a"]


def test_which_file_of_dead_params_must_be_said(queue: Terminal) -> None:
    result = queue("-e", "file", "requeue", "--all", FILE_PATH="params", XDG_STATE_HOME="state")
    assert result.exit_code == 2
    assert "name the file of its minions by --dead PATH" in result.stderr


def test_what_could_not_be_put_stays_dead(queue: Terminal) -> None:
    lines_of_dead("a", "b\nc", "d")
    result = queue("-e", "file", "requeue", "--all", "--dead", "dead", FILE_PATH="params")
    assert result.exit_code == 3
    assert len(queue.jsonl("-e", "file", "dead", "--dead", "dead")) == 3


def test_copy(queue: Terminal) -> None:
    queue("fill", stdin=NUMBERS)
    engine = minion()
    engine.ack(engine.receive(3, 1.0)[:1])
    answer = queue.json("copy", "--to", "file", "FILE_PATH=params")
    assert (answer["put"], answer["engine"], answer["source"]["engine"]) == (7, "file", "execo")
    assert sorted(Path("params").read_text().split()) == sorted(queue.jsonl("peek"))
    assert queue.json("status")["ready"] == 7


def test_copy_keeps_values(queue: Terminal) -> None:
    queue("fill", "--sweep", "x=1:2", "--sweep", "y=a,b")
    assert queue("copy", "--to", "execo", "persistence_dir=other").exit_code == 0
    words = ("--to", "file", "FILE_PATH=params", "decoder=json")
    assert queue("copy", *words, EXECO_PERSISTENCE_DIR="other").exit_code == 0
    assert len({json.loads(line)["y"] for line in Path("params").read_text().splitlines()}) == 2
    queue("-e", "file", "copy", "--to", "execo", FILE_PATH="params", FILE_DECODER="json", EXECO_PERSISTENCE_DIR="3")
    shown = [queue("peek", "--json", EXECO_PERSISTENCE_DIR=place).stdout for place in ("sweeps", "3")]
    assert sorted(shown[0].splitlines()) == sorted(shown[1].splitlines())


def test_copy_leaves_what_cannot_be_decoded(queue: Terminal) -> None:
    """It says so, and all else is copied."""
    Path("params").write_text('{"x": 1}\ntorn {\n{"x": 2}\n')
    words = ("-e", "file", "copy", "--to", "execo", "persistence_dir=other")
    result = queue(*words, FILE_PATH="params", FILE_DECODER="json")
    assert result.exit_code == 1
    assert "2 put into" in result.stdout
    assert "1 that cannot be decoded was not copied: line 2 of params is not JSON" in result.stderr
    assert sorted(map(str, queue.jsonl("peek", EXECO_PERSISTENCE_DIR="other"))) == ["{'x': 1}", "{'x': 2}"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--to", "execo"], "cannot be copied into itself"),
        (["--to", "execo", "EXECO_PERSISTENCE_DIR=./sweeps/"], "cannot be copied into itself"),
        (["--to", "file", "FILE_PAHT=x"], "FILE_PAHT: no setting of engine file; did you mean FILE_PATH?"),
        (["--to", "file", "x"], "x: must be VARIABLE=VALUE"),
        (["--to", "flie"], "no engine 'flie'; did you mean file?"),
        ([], "missing option '--to'"),
    ],
)
def test_a_wrong_copy_is_refused(queue: Terminal, words: list[str], message: str) -> None:
    queue("fill", stdin=NUMBERS)
    result = queue("copy", *words)
    assert result.exit_code == 2
    assert message in result.stderr


def test_purge_must_be_told_yes(queue: Terminal) -> None:
    queue("fill", stdin=NUMBERS)
    result = queue("purge", stdin="y\n")
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"would throw away 10 ready in execo {queue.folder}/sweeps: --yes" in result.stderr
    assert queue("purge", "--yes").stdout == f"10 thrown away from execo {queue.folder}/sweeps\n"
    assert queue.json("status")["ready"] == 0
    assert queue.json("purge", "-y")["purged"] == 0


@pytest.mark.parametrize(("answer", "code", "left"), [("y\n", 0, 0), ("n\n", 1, 10), ("\n", 1, 10)])
def test_purge_asks_on_a_terminal(
    queue: Terminal, monkeypatch: pytest.MonkeyPatch, answer: str, code: int, left: int
) -> None:
    queue("fill", stdin=NUMBERS)
    monkeypatch.setattr("os.isatty", lambda fd: fd == 0)
    result = queue("purge", stdin=answer)
    assert result.exit_code == code
    assert f"throw away 10 ready in execo {queue.folder}/sweeps?" in result.stderr
    monkeypatch.undo()
    assert queue.json("status", EXECO_PERSISTENCE_DIR=f"{queue.folder}/sweeps")["ready"] == left


def test_purge_of_a_file(queue: Terminal) -> None:
    Path("params").write_text("a\nb\n")
    Path("journal").write_text("1-e8b7be43\n")
    settings = {"FILE_PATH": "params", "FILE_JOURNAL": "journal"}
    assert queue.json("-e", "file", "purge", "--yes", **settings)["purged"] == 1
    assert (Path("params").read_text(), Path("journal").read_text()) == ("", "")


def test_a_queue_that_cannot_throw_away_says_so(queue: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    from minionize.engine import Engine
    from minionize.engines.execo import ExecoEngine

    queue("fill", stdin=NUMBERS)
    monkeypatch.setattr(ExecoEngine, "purge", Engine.purge)
    result = queue("purge", "--yes")
    assert result.exit_code == 3
    assert "engine execo cannot throw params away" in result.stderr
