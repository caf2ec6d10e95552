from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.acceptance.running import until
from tests.launch.conftest import Terminal
from tests.launch.scripts import HOSTILE, check, run, words_of

SHELLS = {"oar": [], "slurm": [], "ssh": ["--host", "node1"]}


def wait_for(path: Path) -> None:
    until(path.exists, what=path.name)


@pytest.mark.parametrize("scheduler", SHELLS)
def test_hostile_words_reach_the_minion_as_they_are_and_do_nothing_else(
    launch: Terminal, tmp_path: Path, scheduler: str
) -> None:
    command = ["--", "minionize", "-j", "2", "./a.out", *HOSTILE, "--submit", "--", "-x"]
    script = launch.text(scheduler, *SHELLS[scheduler], "--name", "fleet", *command)
    check(script, tmp_path)
    done = run(script, launch.folder)
    wait_for(launch.folder / "out.env")
    assert done.returncode == 0, done.stderr
    assert words_of(launch.folder) == ["-j", "2", "./a.out", *HOSTILE, "--submit", "--", "-x"]
    assert not (launch.folder / "owned").exists()


@pytest.mark.parametrize("scheduler", SHELLS)
@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_values_reach_the_minion_as_they_are(
    launch: Terminal, tmp_path: Path, scheduler: str, value: str
) -> None:
    script = launch.text(scheduler, *SHELLS[scheduler], "--env", f"HOSTILE={value}", "--", "minionize", "./a.out")
    check(script, tmp_path)
    assert sum(line.startswith(("#OAR -l", "#SBATCH --nodes")) for line in script.splitlines()) == (scheduler == "oar")
    assert run(script, launch.folder).returncode == 0
    wait_for(launch.folder / "out.env")
    assert os.fsdecode((launch.folder / "out.env").read_bytes()) == value
    assert not (launch.folder / "owned").exists()


@pytest.mark.parametrize("scheduler", [*SHELLS, "k8s"])
@pytest.mark.parametrize("name", [word for word in HOSTILE if word] + ["x" * 51, "9x", "../x"])
def test_hostile_names_are_refused(launch: Terminal, scheduler: str, name: str) -> None:
    said = launch.refusal(scheduler, "--name", name, "--", "minionize", "./a.out")
    assert said.startswith("--name")
    assert "must be" in said


@pytest.mark.parametrize("scheduler", SHELLS)
@pytest.mark.parametrize("word", HOSTILE)
def test_a_name_is_made_of_the_program(launch: Terminal, scheduler: str, word: str) -> None:
    launch.text(scheduler, *SHELLS[scheduler], "--", "minionize", f"./{word}")


@pytest.mark.parametrize("scheduler", SHELLS)
def test_a_secret_is_looked_for_where_the_minion_runs(launch: Terminal, tmp_path: Path, scheduler: str) -> None:
    url = "redis://:hush@db/0"
    words = [scheduler, *SHELLS[scheduler], "--env", "REDIS_URL", "--env", "REDIS_STREAM", "--", "minionize", "./a.out"]
    script = launch.text(*words, REDIS_URL=url, REDIS_STREAM="jobs")
    check(script, tmp_path)
    assert "hush" not in script
    assert "export REDIS_STREAM=jobs\n" in script
    missing = run(script, launch.folder)
    assert missing.returncode == 2
    assert "REDIS_URL is set neither in the environment nor in" in missing.stderr
    assert run(script, launch.folder, REDIS_URL=url).returncode == 0
    (launch.folder / ".env").write_text(f"REDIS_URL={url}\n")
    assert run(script, launch.folder).returncode == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["REDIS_URL=redis://:hush@db"], "looks like a secret"),
        (["MY_TOKEN=hush"], "looks like a secret"),
        (["DB_PASS=hush"], "looks like a secret"),
        (["GITHUB_PAT=hush"], "looks like a secret"),
        (["X=https://db/?password=hush"], "looks like a secret"),
        (["NOT_SET"], "--env NOT_SET: it is not set here"),
        (["A-B=1"], "must be NAME or NAME=VALUE"),
        (["x y"], "must be NAME or NAME=VALUE"),
        (["$(id)=1"], "must be NAME or NAME=VALUE"),
    ],
)
def test_a_variable_that_cannot_be_written_down_is_refused(launch: Terminal, words: list[str], message: str) -> None:
    said = launch.refusal("slurm", *(part for word in words for part in ("--env", word)), "--", "minionize", "./a.out")
    assert message in said
    assert "hush" not in said


def test_a_password_in_the_command_is_told_and_not_in_the_comment(launch: Terminal) -> None:
    result = launch("slurm", "--", "minionize", "--registry", "redis://:hush@db/0", "./a.out")
    assert result.stdout.splitlines()[1].endswith("minionize --registry 'redis://:********@db/0' ./a.out")
    assert "the command holds a password, and whoever reads the script sees it" in result.stderr
    assert "hush" not in result.stderr


@pytest.mark.parametrize("scheduler", ["oar", "slurm"])
def test_minions_leave_before_they_are_told(launch: Terminal, scheduler: str) -> None:
    line = "export MINION_MARGIN=90\n"
    checkpoint = [scheduler, "--checkpoint", "90"]
    assert line in launch.text(*checkpoint, "--", "minionize", "./a.out")
    for words in (["--margin", "5"], ["--on-stop", "finish"]):
        assert "MINION_MARGIN" not in launch.text(*checkpoint, "--", "minionize", *words, "./a.out")
    assert line not in launch.text(*checkpoint, "--env", "MINION_MARGIN=7", "--", "minionize", "./a.out")


@pytest.mark.parametrize("scheduler", ["oar", "slurm"])
def test_a_param_that_never_fits_is_refused(launch: Terminal, scheduler: str) -> None:
    start = [scheduler, "--walltime", "1h"]
    # What is left of 3600 s: less the checkpoint, or the margin, and the grace.
    for expect, left in (
        (["--expect", "3530"], 3530),
        (["--expect", "3510", "--grace", "30"], 3510),
        (["--expect", "3540", "--margin", "1"], 3540),
        (["--expect", "3585", "--on-stop", "finish"], 3585),
    ):
        said = launch.refusal(*start, "--", "minionize", *expect, "./a.out")
        assert (
            f"--expect {left}: no param would ever fit into --walltime 1:00:00: {left} s of it are left for one" in said
        )
        less = [word if word != str(left) else str(left - 1) for word in expect]
        launch.text(*start, "--", "minionize", *less, "./a.out")
    short = [scheduler, "--walltime", "70s", "--", "minionize", "--expect"]
    assert "10 s of it are left" in launch.refusal(*short, "10", "./a.out")
    launch.text(*short, "9", "./a.out")
    assert "--expect of minionize" in launch.refusal(*start, "--", "minionize", "--expect", "x", "./a.out")
