"""Python functions: with one slot and several, by command line, API and decorator."""

from __future__ import annotations

import sys

import pytest

from tests.acceptance.running import Place

pytestmark = pytest.mark.acceptance

WORK = """
import os, signal
from minionize import minionize

def add(a, b=10):
    print("adding", a, b)
    return a + b

def whole(param):
    return {"got": param}

def fragile(n):
    if n == 1:
        os._exit(3)
    if n == 2:
        os.kill(os.getpid(), signal.SIGSEGV)
    if n == 3:
        raise ValueError("not three")
    if n == 4:
        x = bytearray(1 << 62)
    return n

@minionize(slots=2, retries=0)
def decorated(n):
    return n * n

if __name__ == "__main__":
    assert decorated(3) == 9
    raise SystemExit(decorated.run())
"""
JSON = {"MINION_ENGINE": "file", "FILE_DECODER": "json", "FILE_PATH": "params", "MINION_REPORTER": "json"}


@pytest.mark.parametrize("slots", ["1", "3"])
def test_params_fill_arguments(place: Place, slots: str) -> None:
    place.script("work.py", WORK)
    place.script("params", '{"a": 1, "b": 2}\n{"a": 1}\n[3, 4]\n[5]\n6\n')
    done = place.run("-j", slots, "--function", "work:add", **JSON)
    assert done.returncode == 0, done.stderr
    assert sorted(record["result"] for record in place.records()) == [3, 7, 11, 15, 16]
    said = [b"adding 1 10", b"adding 1 2", b"adding 3 4", b"adding 5 10", b"adding 6 10"]
    assert sorted(done.stdout.splitlines()) == said


def test_what_breaks_a_function_fails_its_param_only(place: Place) -> None:
    place.script("work.py", WORK)
    place.script("params", "".join(f"{n}\n" for n in range(12)))
    words = ("-j", "2", "--function", "work:fragile", "--slow-down", "0")
    minion = place.start(*words, **JSON)
    assert minion.wait() == 1
    # A function's own traceback is shown, as any program's stderr is.
    assert minion.err.count("Traceback") == 2
    outcomes = {record["param"]: record for record in place.records()}
    assert {n for n, record in outcomes.items() if record["outcome"] == "succeeded"} == {0, *range(5, 12)}
    assert (outcomes[1]["exit_code"], outcomes[2]["signal"]) == (3, 11)
    assert outcomes[3]["reason"] == "ValueError: not three"
    assert outcomes[4]["reason"].startswith(("MemoryError", "OverflowError"))


def test_children_that_die_while_others_are_started(place: Place) -> None:
    """No end goes unseen: once the last child has died nothing else would wake the minion."""
    place.script("work.py", "import os\ndef f(n):\n    n < 7 and os._exit(3)\n")
    place.script("params", "".join(f"{n}\n" for n in range(8)))
    for _ in range(6):
        minion = place.start("-j", "8", "--function", "work:f", **JSON)
        assert minion.wait(10) == 1
    assert len(place.records()) == 48


def test_decorator_runs_and_is_found_by_the_command_line(place: Place) -> None:
    place.script("work.py", WORK)
    place.script("params", "1\n2\n3\n")
    assert place.run_program(sys.executable, "work.py", **JSON).returncode == 0
    assert place.run("--function", "work:decorated", **JSON).returncode == 0
    assert sorted(record["result"] for record in place.records()) == [1, 1, 4, 4, 9, 9]
    assert {record["slot"] for record in place.records()} <= {1, 2}


def test_results_as_a_table_and_as_files(place: Place) -> None:
    place.script("work.py", WORK)
    place.script("params", "1\n2\n")
    for results in ("out.csv", "out.jsonl", "out/"):
        assert place.run("--function", "work:whole", "--results", results, **JSON).returncode == 0
    assert place.lines("out.csv")[0].startswith("param,id,attempt,redelivered,outcome")
    assert [record["result"] for record in place.records("out.jsonl")] == [{"got": 1}, {"got": 2}]
    assert len(list((place.folder / "out").glob("*.json"))) == 2


def test_a_function_that_is_not_there(place: Place) -> None:
    place.script("work.py", WORK)
    place.script("params", "1\n")
    done = place.run("--function", "work:ad", **JSON)
    assert (done.returncode, done.stdout) == (4, b"")
    assert b"work has no 'ad'; did you mean add?" in done.stderr
