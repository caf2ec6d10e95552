from __future__ import annotations

from pathlib import Path

from minionize.engine import DeadLetter
from minionize.engines.execo import ExecoEngine
from minionize.queue.words import letter_lines
from tests.queue.conftest import Terminal

NUMBERS = "".join(f"{n}\n" for n in range(10))
EVIDENCE = {"outcome": "failed", "exit_code": 3, "stderr": "cannot open /tmp/x\x1b[2J\n", "attempt": 1, "host": "h"}


def minion(name: str = "m1") -> ExecoEngine:
    engine = ExecoEngine()
    engine.minion = name
    engine.open()
    return engine


def with_dead(queue: Terminal, *params: str) -> list[str]:
    """Fill a queue with params that have died; return their ids."""
    queue("fill", stdin="\n".join(params))
    engine = minion()
    taken = sorted(engine.receive(len(params), 1.0), key=lambda each: params.index(each.param))
    for number, delivery in enumerate(taken):
        engine.dead_letter([delivery], "exit code 3", [EVIDENCE | {"exit_code": 3 + number % 2}])
    engine.close()
    return [delivery.id for delivery in taken]


def test_status(queue: Terminal) -> None:
    queue("fill", stdin=NUMBERS)
    one, two = minion("m1"), minion("m2")
    held = one.receive(4, 1.0)
    one.ack(held[:1])
    one.nack(held[1:2], delay=100.0)
    two.receive(1, 1.0)
    said = queue("status").stdout
    assert said.splitlines()[:5] == [
        f"engine execo, queue {queue.folder}/sweeps",
        "ready                6  (1 of them not before their time)",
        "in flight            3",
        "dead                 0",
        "done                 1",
    ]
    assert "               2  m1, seen 0 s ago\n" in said
    assert "               1  m2, seen 0 s ago\n" in said


def test_status_in_json(queue: Terminal) -> None:
    queue("fill", stdin=NUMBERS)
    one = minion()
    one.receive(2, 1.0)
    answer = queue.json("status")
    assert {"ready", "in_flight", "dead", "done", "exact", "as_of", "engine", "queue"} <= set(answer)
    assert (answer["ready"], answer["in_flight"], answer["dead"], answer["done"]) == (8, 2, 0, 0)
    assert (answer["exact"], answer["engine"], answer["delayed"]) == (True, "execo", 0)
    (holder,) = answer["minions"]
    assert (holder["minion"], holder["in_flight"], holder["gone"]) == ("m1", 2, False)


def test_status_of_a_file(queue: Terminal) -> None:
    Path("params").write_text("a\nb\n")
    answer = queue.json("-e", "file", "status", FILE_PATH="params")
    assert (answer["ready"], answer["dead"], answer["minions"], answer["queue"]) == (
        2,
        None,
        None,
        f"{queue.folder}/params",
    )
    Path("dead").write_text('{"id": "1-x", "param": "x", "reason": "exit code 1"}\n')
    assert queue.json("-e", "file", "status", "--dead", "dead", FILE_PATH="params")["dead"] == 1


def test_status_changes_nothing(queue: Terminal) -> None:
    queue("fill", stdin=NUMBERS)
    before = sorted(Path("sweeps").rglob("*"))
    queue("status")
    queue("peek")
    queue("dead")
    assert sorted(Path("sweeps").rglob("*")) == before


def test_without_a_queue_it_says_so(queue: Terminal) -> None:
    for word in ("status", "peek", "dead"):
        result = queue(word)
        assert (result.exit_code, result.stdout) == (3, "")
        assert "there is no sweep directory sweeps" in result.stderr


def test_standard_input_is_no_queue(queue: Terminal) -> None:
    queue("fill", stdin=NUMBERS)
    assert queue.json("status", stdin="a\nb\n")["engine"] == "execo"


def test_peek(queue: Terminal) -> None:
    queue("fill", "--sweep", "x=1:30")
    assert len(queue("peek").stdout.splitlines()) == 10
    assert len(queue.jsonl("peek", "-n", "0")) == 30
    assert queue("peek", "-n", "1").stdout.startswith('{"x":')


def test_what_cannot_be_decoded_is_shown_as_it_stands(queue: Terminal) -> None:
    (queue.folder / "params").write_text("[1]\n{bad\n")
    said = queue("peek", MINION_ENGINE="file", FILE_PATH="params", FILE_DECODER="json")
    assert said.stdout == '[1]\n"{bad"\n'


def test_what_is_peeked_can_be_filled_again(queue: Terminal) -> None:
    queue("fill", "--sweep", 'x=1,1.5,a,"7","\\u00fc"')
    shown = queue("peek", "--json").stdout
    assert queue("fill", "--json", stdin=shown, EXECO_PERSISTENCE_DIR="other").exit_code == 0
    assert sorted(queue("peek", "--json", EXECO_PERSISTENCE_DIR="other").stdout) == sorted(shown)


def test_nothing_that_is_shown_obeys_on_a_terminal(queue: Terminal) -> None:
    (_,) = with_dead(queue, "a\x1b[2J")
    said = queue("dead").stdout
    assert "\x1b" not in said
    assert "a\\x1b[2J" in said
    queue("fill", stdin="b\x1b[2J")
    assert queue("peek").stdout == "b\\x1b[2J\n"


def test_dead(queue: Terminal) -> None:
    ids = with_dead(queue, "a", "b")
    lines = queue("dead", "-n", "1").stdout.splitlines()
    assert lines[0] == f"{ids[0]}  a"
    assert lines[1].startswith("    exit code 3, attempt 1, host h, 20")
    assert lines[2] == "    | cannot open /tmp/x\\x1b[2J"
    assert [each["id"] for each in queue.jsonl("dead")] == ids
    first = queue.jsonl("dead")[0]
    assert set(first) == {"id", "param", "cause", "reason", "at", "evidence"}
    assert (first["param"], first["evidence"]["exit_code"], first["cause"][:12]) == ("a", 3, "exit code 3:")


def test_dead_by_cause(queue: Terminal) -> None:
    ids = with_dead(queue, "a", "b", "c")
    assert [each["id"] for each in queue.jsonl("dead", "--cause", "EXIT code 4")] == [ids[1]]
    assert queue("dead", "--summary").stdout.startswith("2  exit code 3: cannot open /...")
    groups = queue.jsonl("dead", "--summary")
    assert [(each["count"], each["samples"]) for each in groups] == [(2, [ids[0], ids[2]]), (1, [ids[1]])]


def test_nobody_is_dead(queue: Terminal) -> None:
    queue("fill", stdin=NUMBERS)
    result = queue("dead")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == f"minion-queue: nothing is dead in execo {queue.folder}/sweeps\n"


def test_nobody_is_dead_where_no_minion_has_been(queue: Terminal) -> None:
    Path("params").write_text("a\n")
    result = queue("-e", "file", "dead", FILE_PATH="params", XDG_STATE_HOME="state")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "nothing is dead in " in result.stderr


def test_dead_params_of_a_file_stand_in_files(queue: Terminal) -> None:
    Path("dead").write_text(
        '{"id": "1-x", "param": "x", "reason": "failed", "exit_code": 1, "stderr": "no", "at": 5.0}\n'
    )
    (letter,) = queue.jsonl("-e", "file", "dead", "--dead", "dead")
    assert (letter["param"], letter["cause"], letter["at"]) == ("x", "exit code 1: no", 5.0)
    assert queue.jsonl("-e", "file", "dead", MINION_DEAD="dead") == [letter]
    state = Path("state/minionize/dead")
    state.mkdir(parents=True)
    Path("dead").rename(state / "m1.jsonl")
    assert len(queue.jsonl("-e", "file", "dead", XDG_STATE_HOME="state")) == 1
    assert queue("-e", "file", "dead", "--dead", "nowhere").exit_code == 2


def test_a_dead_param_of_no_time_on_earth() -> None:
    first, second = letter_lines(DeadLetter("7", "p", "failed", {}, 1e300))
    assert (first, second) == ("7  p", "    failed")
