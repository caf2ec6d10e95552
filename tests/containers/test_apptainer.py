"""Apptainer and Singularity, run by real minions; the program itself is a stand-in."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.running import Place, opened

pytestmark = pytest.mark.acceptance

# Notes its words and what it is told by its environment; then it runs what comes after the image, with the variables
# that have the prefix, as the real one would inside. What it does not know it refuses, as the real one does.
STAND_IN = r"""
import json, os, sys
prefix = os.path.basename(sys.argv[0]).upper()
mine = {name: value for name, value in os.environ.items() if name.startswith(prefix)}
with open(os.environ["NOTES"], "a") as notes:
    notes.write(json.dumps([sys.argv[1:], mine]) + "\n")
words = sys.argv[2:]
values = ("--bind", "--pwd", "--cpus", "--memory", "--network")
while words[0].startswith("-"):
    option = words.pop(0)
    if option in os.environ.get("UNKNOWN", "").split():
        sys.exit(f"Error for command \"exec\": unknown flag: {option}\n\nUsage:\n  apptainer exec IMAGE COMMAND")
    if option in values:
        words.pop(0)
image, *words = words
if os.environ.get("FATAL"):
    print(f"FATAL:   {os.environ['FATAL']}", file=sys.stderr)
    sys.exit(255)
if words[0] in os.environ.get("HAS_NOT", "").split():
    print(f"FATAL:   stat {words[0]}: no such file or directory", file=sys.stderr)
    sys.exit(255)
for name in mine:
    if name.startswith(prefix + "ENV_"):
        os.environ[name.removeprefix(prefix + "ENV_")] = mine[name]
os.execvp(words[0], words)
"""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with opened(tmp_path) as place:
        (tmp_path / "bin").mkdir()
        for name in ("apptainer", "singularity"):
            place.script(f"bin/{name}", f"#!{sys.executable} -IS{STAND_IN}")
        (tmp_path / "image.sif").touch()
        yield place


def run(place: Place, *words: str, params: bytes = b"p\n", engine: str = "apptainer", **environ: str) -> Any:
    """Run a minion to its end."""
    search = f"{place.folder}/bin:{place.environ()['PATH']}"
    told = {"NOTES": str(place.folder / "notes"), "PATH": search, "MINION_REPORTER": "json", **environ}
    return place.run("--container", f"{engine}://./image.sif", *words, params=params, **told)


def notes(place: Place) -> list[Any]:
    return [json.loads(line) for line in place.lines("notes")]


@pytest.mark.parametrize(("engine", "there"), [("apptainer", "singularity"), ("singularity", "apptainer")])
def test_where_only_the_other_ones_program_is_that_runs(place: Place, engine: str, there: str) -> None:
    (place.folder / "bin" / engine).unlink()
    done = run(place, "--env", "SECRET=hush", "--", "sh", "-c", 'echo "$SECRET"', engine=engine)
    assert (done.returncode, done.stdout) == (0, b"hush\n")
    assert notes(place)[-1][1][f"{there.upper()}ENV_SECRET"] == "hush"


@pytest.mark.parametrize("engine", ["apptainer", "singularity"])
def test_a_minion_runs_it(place: Place, engine: str) -> None:
    script = 'echo "$SECRET $MINION_PARAM $1"; exit $1'
    words = ("-j2", "--env", "SECRET", "--", "sh", "-c", script, "sh")
    done = run(place, *words, params=b"0\n3\n", engine=engine, SECRET="hush")
    assert done.returncode == 1
    assert sorted(done.stdout.decode().splitlines()) == ["hush 0 0", "hush 3 3"]
    assert sorted(record["exit_code"] for record in place.records()) == [0, 3]
    check, first, _ = notes(place)
    assert check[0] == ["exec", "--pid", "./image.sif", "/bin/sh", "-c", ":"]
    assert first[0][:7] == ["exec", "--pid", "./image.sif", "/bin/sh", "-c", 'exec "$@"', "sh"]
    assert first[1][f"{engine.upper()}ENV_SECRET"] == "hush"


def test_a_program_that_the_image_has_not(place: Place) -> None:
    done = run(place, "--", "no-such-program", params=b"a\nb\n")
    assert done.returncode == 4
    assert [(record["exit_code"], record["settled"]) for record in place.records()] == [(127, "nack")]


def test_a_program_that_is_the_param_is_its_fault(place: Place) -> None:
    for code in 126, 127:
        place.script(f"ends-{code}", f"#!/bin/sh\nexit {code}\n")
    done = run(place, "--", "{}", params=b"./ends-126\n./ends-127\n/not/there\n/etc\ntrue\n")
    assert done.returncode == 1, done.stderr
    assert [record["settled"] for record in place.records()] == ["dead"] * 4 + ["ack"]


def test_an_image_that_vanishes_is_no_fault_of_a_param(place: Place) -> None:
    done = run(place, "--", "sh", "-c", "rm image.sif; exit 255", params=b"a\nb\n")
    assert done.returncode == 4
    assert [(record["exit_code"], record["settled"]) for record in place.records()] == [(255, "nack")]


def test_an_image_without_a_shell(place: Place) -> None:
    done = run(place, "--", "echo", "hello", HAS_NOT="/bin/sh")
    assert (done.returncode, done.stdout) == (0, b"hello p\n")


def test_standard_input_and_a_line_to_paste(place: Place) -> None:
    assert run(place, "--stdin", "cat", params=b"fed\n").stdout == b"fed"
    done = run(place, "--stdin", "--dry-run", "cat", params=b"a b\n")
    assert done.stdout == b"printf %s 'a b' | apptainer exec --pid ./image.sif cat\n"


@pytest.mark.parametrize(
    ("options", "environ", "words"),
    [
        (("--container", "apptainer://./none.sif"), {}, "`./none.sif`: no such file or directory"),
        (("--memory", "1g"), {"UNKNOWN": "--memory"}, 'Error for command "exec": unknown flag: --memory'),
        (("--volume", "/x:/y"), {"FATAL": "mount /x->/y error"}, "FATAL:   mount /x->/y error"),
        ((), {"PATH": "/nowhere"}, "`apptainer`: no such program; install apptainer, or load its module"),
    ],
)
def test_what_cannot_be_run_is_told_before_any_param_is_taken(
    place: Place, options: tuple[str, ...], environ: dict[str, str], words: str
) -> None:
    done = run(place, *options, "--", "true", params=b"p\n", engine="apptainer", **environ)
    assert done.returncode == 4
    assert words in done.stderr.decode()
    assert place.records() == []


def test_what_it_cannot_do_is_a_wrong_setting(place: Place) -> None:
    assert run(place, "--user", "1000", "--", "true").returncode == 2


def test_an_image_of_a_registry_is_fetched_by_the_check(place: Place) -> None:
    assert run(place, "--container", "apptainer://docker://alpine", "--", "true").returncode == 0
    assert [note[0][:3] for note in notes(place)] == [["exec", "--pid", "docker://alpine"]] * 2
