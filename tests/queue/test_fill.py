from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.queue.conftest import Terminal


def put(queue: Terminal) -> list[object]:
    return sorted(queue.jsonl("peek", "-n", "0"), key=str)


def test_without_a_word_a_sweep_directory_is_filled(queue: Terminal) -> None:
    result = queue("fill", stdin="".join(f"{n}\n" for n in range(100)))
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == f"100 put into execo {queue.folder}/sweeps\n"
    assert len(put(queue)) == 100


def test_what_is_there_already_is_not_put_again(queue: Terminal) -> None:
    queue("fill", stdin="a\nb\n")
    assert queue("fill", stdin="b\nc\nc\n").stdout.startswith("1 put into execo ")
    assert "2 were there already" in queue("fill", stdin="a\nb\n").stdout
    assert put(queue) == ["a", "b", "c"]


def test_the_answer_in_json(queue: Terminal) -> None:
    assert queue.json("fill", stdin='1\n"a"\n') == {
        "put": 2,
        "given": 2,
        "stopped": None,
        "error": None,
        "engine": "execo",
        "queue": f"{queue.folder}/sweeps",
    }
    assert put(queue) == [1, "a"]


def test_files_one_after_the_other(queue: Terminal) -> None:
    Path("one").write_text("a\n")
    Path("two").write_text("b")
    assert queue("fill", "one", "-", "two", stdin="c\n").exit_code == 0
    assert put(queue) == ["a", "b", "c"]


def test_a_table(queue: Terminal) -> None:
    Path("table.csv").write_text("x,y\n1,a\n2,b\n")
    assert queue.json("fill", "--csv", "table.csv")["put"] == 2
    assert put(queue) == [{"x": "1", "y": "a"}, {"x": "2", "y": "b"}]


def test_a_sweep(queue: Terminal) -> None:
    assert queue("fill", "--sweep", "x=1:2", "--sweep", "y=a,b").stdout.startswith("4 put into ")
    assert len(put(queue)) == 4
    assert put(queue)[0] == {"x": 1, "y": "a"}


def test_a_joblog(queue: Terminal) -> None:
    head = "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n"
    Path("log").write_text(f"{head}1\t:\t1.0\t0.1\t0\t0\t1\t0\tgzip 'a b'\n2\t:\t1.0\t0.1\t0\t0\t0\t0\tgzip c\n")
    assert queue("fill", "--from", "log", "--dry-run").stdout == "gzip 'a b'\n"
    assert queue("fill", "--from", "log", "--command", "gzip").exit_code == 0
    assert put(queue) == ["a b"]


def test_a_dry_run_puts_nothing(queue: Terminal) -> None:
    result = queue("fill", "--dry-run", stdin="a\nb\n")
    assert (result.stdout, result.stderr) == ("a\nb\n", "minion-queue: 2 would be put\n")
    assert queue("fill", "--dry-run", "--sweep", "x=1:2").stdout == '{"x":1}\n{"x":2}\n'
    assert queue("fill", "--dry-run", "--json", stdin='"a"\n').stdout == '"a"\n'
    assert list(queue.folder.iterdir()) == []


def test_lines_are_appended_to_a_file(queue: Terminal) -> None:
    Path("params").write_text("torn")
    result = queue("-e", "file", "fill", stdin=b"\xff\nb\n", FILE_PATH="params")
    assert result.stdout == f"2 put into file {queue.folder}/params\n"
    assert Path("params").read_bytes() == b"torn\n\xff\nb\n"


def test_values_are_appended_to_a_file_of_json(queue: Terminal) -> None:
    settings = {"FILE_PATH": "params", "FILE_DECODER": "json"}
    assert queue("fill", "-e", "file", "--sweep", "x=1:2", **settings).exit_code == 0
    assert Path("params").read_text() == '{"x":1}\n{"x":2}\n'


def test_a_file_must_be_named(queue: Terminal) -> None:
    result = queue("-e", "file", "fill", stdin="a\n")
    assert result.exit_code == 3
    assert "name a file by FILE_PATH" in result.stderr


def test_what_cannot_be_a_line_is_refused(queue: Terminal) -> None:
    result = queue("-e", "file", "fill", "--json", stdin='"a"\n"two\\nlines"\n"c"\n', FILE_PATH="params")
    assert result.exit_code == 3
    assert "cannot be one param of this file" in result.stderr
    assert "1 params were put before it" in result.stderr
    assert Path("params").read_text() == "a\n"


def test_a_wrong_line_is_named_and_what_came_before_is_put(queue: Terminal) -> None:
    result = queue("fill", "--json", stdin='"a"\nwrong\n"c"\n')
    assert result.exit_code == 2
    assert "standard input, line 2: not JSON" in result.stderr
    assert "what came before was put (1), nothing after it" in result.stderr
    assert json.loads(result.stdout)["put"] == 1
    assert put(queue) == ["a"]


def test_what_a_sweep_directory_cannot_hold_is_refused_whole(queue: Terminal) -> None:
    Path("sweeps").mkdir()
    Path("sweeps/sweeps").write_bytes(b"no pickle")
    result = queue("fill", stdin="a\n")
    assert result.exit_code == 3
    assert "nothing was put" in result.stderr
    assert Path("sweeps/sweeps").read_bytes() == b"no pickle"


def test_a_fault_at_the_beginning_makes_no_queue(queue: Terminal) -> None:
    result = queue("fill", "--json", stdin="wrong\n")
    assert (result.exit_code, result.stdout) == (2, "")
    assert list(queue.folder.iterdir()) == []


def test_a_sweep_directory_that_is_a_file_is_named(queue: Terminal) -> None:
    Path("sweeps").touch()
    result = queue("fill", stdin="a\n")
    assert result.exit_code == 3
    assert "sweeps is no directory: check EXECO_PERSISTENCE_DIR; nothing was put" in result.stderr


def test_nothing_is_put_from_nothing(queue: Terminal) -> None:
    assert queue("fill", stdin="\n\n").stdout.startswith("0 put into ")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["x", "--sweep", "a=1"], "FILE and --sweep: params come from one of them"),
        (["--sweep", "a=1", "--from", "log"], "--sweep and --from: params come from one of them"),
        (["--command", "x"], "--command is for --from"),
        (["--csv", "--sweep", "a=1"], "--csv is for FILEs and standard input, not for --sweep"),
        (["-0", "--from", "x"], "--null is for FILEs"),
        (["-0", "--json"], "--null and --json: give one of them"),
        (["--sweep", "a"], "--sweep a: must be NAME=VALUES"),
        (["no-such-file"], "no-such-file: No such file"),
        (["."], ".: Is a directory"),
        (["--from", "no-such-log"], "no-such-log: No such file"),
        (["--swep", "a=1"], "no such option --swep; did you mean --sweep?"),
        (["-e", "execoo"], "no engine 'execoo'; did you mean execo?"),
        (["-e", "memory"], "its queue is gone with its process"),
    ],
)
def test_a_mistake_of_usage_ends_with_2(queue: Terminal, words: list[str], message: str) -> None:
    result = queue("fill", *words)
    assert result.exit_code == 2
    assert message in result.stderr


def test_settings_come_from_everywhere(queue: Terminal) -> None:
    Path(".env").write_text("EXECO_PERSISTENCE_DIR=elsewhere\n")
    assert queue.json("fill", stdin="1")["queue"] == f"{queue.folder}/elsewhere"
    Path(".minionize.yml").write_text("engine: {name: file, path: params}\n")
    assert queue.json("fill", stdin='"1"')["queue"] == f"{queue.folder}/params"
    assert queue.json("-e", "execo", "fill", stdin='"2"')["engine"] == "execo"
