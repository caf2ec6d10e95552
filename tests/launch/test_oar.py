from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.launch.conftest import Programs, Terminal
from tests.launch.scripts import check, run

RUN = ["--", "minionize", "-j", "auto", "./a.out"]

KNOWN = [
    r"(-l|--resource) *.+",
    r"(-q|--queue) *.+",
    r"(-p|--property) *.+",
    r"--checkpoint *\d+",
    r"(-t|--type) *.+",
    r"(-n|--name) *.+",
    r"--project *.+",
    r"--array *\d+",
    r"--notify *.+",
]
"""The directives that oarsub -S knows, of those that are used here."""


def directives(script: str) -> list[str]:
    return [line.removeprefix("#OAR ") for line in script.splitlines() if line.startswith("#OAR")]


def test_script(launch: Terminal, tmp_path: Path) -> None:
    words = ["-n", "10", "--name", "fleet", "--walltime", "1:30:00", "--checkpoint", "90", "--project", "lab"]
    more = ["-q", "night", "-p", "cluster='a' AND mem > 64", "-l", "{gpu='YES'}/nodes=2/core=4", "--directive"]
    script = launch.text("oar", *words, *more, "--notify mail:me@example.org", *RUN)
    check(script, tmp_path)
    assert directives(script) == [
        "-n fleet",
        "-l {gpu='YES'}/nodes=2/core=4,walltime=1:30:00",
        "-p cluster='a' AND mem > 64",
        "-q night",
        "--project lab",
        "-t besteffort",
        "-t idempotent",
        "--checkpoint 90",
        "--array 10",
        "--notify mail:me@example.org",
    ]
    assert all(any(re.fullmatch(known, line) for known in KNOWN) for line in directives(script))
    assert script.splitlines()[-1] == "exec minionize -j auto ./a.out"


def test_one_minion_is_no_array_and_need_not_be_besteffort(launch: Terminal) -> None:
    found = directives(launch.text("oar", "--no-besteffort", *RUN))
    assert found == ["-n minions-a.out", "-l nodes=1", "-t idempotent", "--checkpoint 60"]


@pytest.mark.parametrize("status", [0, 1, 99])
def test_the_script_is_the_minion(launch: Terminal, status: int) -> None:
    assert run(launch.text("oar", *RUN), launch.folder, STATUS=str(status)).returncode == status


def test_submit_gives_the_script_to_oarsub(launch: Terminal, programs: Programs) -> None:
    programs.add("oarsub")
    programs.answer("oarsub", "OAR_JOB_ID=42\n")
    assert launch.text("oar", "-n", "3", "--submit", *RUN, PATH="/bin:/usr/bin") == "OAR_JOB_ID=42\n"
    assert programs.calls == [["oarsub", "-S", "./minions-a.out.oar.sh"]]
    path = launch.folder / "minions-a.out.oar.sh"
    assert path.read_text() == launch.text("oar", "-n", "3", *RUN)
    assert path.stat().st_mode & 0o111
    launch.text("oar", "-n", "4", "--submit", *RUN, PATH="/bin:/usr/bin")
    assert "--array 4" in path.read_text()


def test_submit_writes_over_no_script_of_others(launch: Terminal, programs: Programs) -> None:
    programs.add("oarsub")
    (launch.folder / "mine.oar.sh").write_text("#!/bin/sh\nprecious\n")
    said = launch.refusal("oar", "--submit", "--name", "mine", *RUN, PATH="/bin:/usr/bin")
    assert "mine.oar.sh is there already" in said
    assert programs.calls == []


def test_list_and_stop_mean_the_jobs_of_that_name(launch: Terminal, programs: Programs) -> None:
    programs.add("oarstat", "oardel")
    jobs = {
        "11": {"name": "fleet", "state": "Running", "assigned_network_address": ["node1", "node2"]},
        "12": {"name": "fleet", "state": "Waiting", "assigned_network_address": []},
        "13": {"name": "fleet2", "state": "Running"},
        "14": {"name": None, "state": "Running"},
    }
    programs.answer("oarstat", json.dumps(jobs))
    assert launch.text("oar", "--list", "--name", "fleet", PATH="/bin:/usr/bin") == (
        "11\tRunning\tnode1,node2\n12\tWaiting\t\n"
    )


# As OAR: a job that was told of its checkpoint leaves, and comes again with another id.
_OARDEL = """#!/usr/bin/env python3
import json, pathlib, sys
here = pathlib.Path(sys.argv[0]).parent
jobs = json.loads((here / "oarstat.answer").read_text())
with (here / "calls").open("a") as calls:
    calls.write(" ".join(["oardel", *sys.argv[1:]]) + "\\n")
for id in sys.argv[1:]:
    if id != "-c":
        job = jobs.pop(id)
        if "-c" in sys.argv:
            jobs[str(int(id) + 10)] = {**job, "state": "Waiting"}
(here / "oarstat.answer").write_text(json.dumps(jobs))
"""


def test_stop_has_them_give_back_and_deletes_what_comes_again(
    launch: Terminal, programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("minionize.launch.oar._PAUSE", 0.0)
    programs.add("oarstat", "oardel")
    (programs.folder / "oardel").write_text(_OARDEL)
    jobs = {
        "11": {"name": "fleet", "state": "Running"},
        "12": {"name": "fleet", "state": "Waiting"},
        "13": {"name": "fleet2", "state": "Running"},
    }
    programs.answer("oarstat", json.dumps(jobs))
    launch.text("oar", "--stop", "--name", "fleet", PATH="/bin:/usr/bin")
    assert [words[1:] for words in programs.calls if words[0] == "oardel"] == [["-c", "11"], ["12"], ["21"]]


def test_stop_deletes_what_does_not_leave(
    launch: Terminal, programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("minionize.launch.oar._PAUSE", 0.0)
    monkeypatch.setattr("minionize.launch.oar._PATIENCE", 0.2)
    programs.add("oarstat", "oardel")
    programs.answer("oarstat", json.dumps({"11": {"name": "fleet", "state": "Running"}}))
    launch.text("oar", "--stop", "--name", "fleet", PATH="/bin:/usr/bin")
    assert [words[1:] for words in programs.calls if words[0] == "oardel"] == [["-c", "11"], ["11"]]


@pytest.mark.parametrize("said", ["", "{}\n"])
def test_nothing_to_stop(launch: Terminal, programs: Programs, said: str) -> None:
    programs.add("oarstat", "oardel")
    programs.answer("oarstat", said)
    assert launch.text("oar", "--stop", "--name", "fleet", PATH="/bin:/usr/bin") == ""
    assert programs.calls == [["oarstat", "-u", "-J"]]


def test_a_script_that_cannot_be_written_is_told(launch: Terminal, programs: Programs) -> None:
    programs.add("oarsub")
    (launch.folder / "fleet.oar.sh").mkdir()
    said = launch.refusal("oar", "--name", "fleet", "--submit", *RUN, PATH="/bin:/usr/bin")
    assert said == "fleet.oar.sh: cannot be written (Is a directory)\n"
    assert programs.calls == []


def test_a_program_that_fails_is_quoted(launch: Terminal, programs: Programs) -> None:
    programs.add("oarsub")
    programs.fail("oarsub", "No such queue: night\n")
    said = launch.refusal("oar", "--submit", *RUN, status=3, PATH="/bin:/usr/bin")
    assert said == "oarsub has failed (7): No such queue: night\n"


def test_an_answer_that_is_no_json_is_said(launch: Terminal, programs: Programs) -> None:
    programs.add("oarstat")
    programs.answer("oarstat", "Job id  Name\n")
    said = launch.refusal("oar", "--list", "--name", "fleet", status=3, PATH="/bin:/usr/bin")
    assert "oarstat -J does not answer in JSON" in said
