from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.launch.conftest import Programs, Terminal
from tests.launch.scripts import check, run

RUN = ["--", "minionize", "./a.out"]
PATH = "/bin:/usr/bin"


def directives(script: str) -> list[str]:
    return [line.removeprefix("#SBATCH ") for line in script.splitlines() if line.startswith("#SBATCH")]


def test_script(launch: Terminal, tmp_path: Path) -> None:
    words = [
        "-n",
        "5",
        "--name",
        "fleet",
        "--walltime",
        "2h",
        "-p",
        "short",
        "-A",
        "lab",
        "--qos",
        "low",
        "--cpus",
        "4",
    ]
    more = ["--memory", "8G", "--gpus", "a100:1", "--directive", "--nice=100", "--directive", "--exclude=n[1-3]"]
    script = launch.text("slurm", *words, *more, *RUN)
    check(script, tmp_path)
    assert directives(script) == [
        "--job-name=fleet",
        "--array=1-5",
        "--ntasks=1",
        "--time=2:00:00",
        "--partition=short",
        "--account=lab",
        "--qos=low",
        "--cpus-per-task=4",
        "--mem=8G",
        "--gpus=a100:1",
        "--signal=B:USR2@60",
        "--requeue",
        "--open-mode=append",
        "--nice=100",
        "--exclude=n[1-3]",
    ]


@pytest.mark.parametrize("status", [0, 1, 3])
def test_the_job_ends_as_its_minion_does(launch: Terminal, programs: Programs, status: int) -> None:
    programs.add("scontrol")
    script = launch.text("slurm", *RUN)
    done = run(script, launch.folder, STATUS=str(status), PATH=f"{launch.folder}/bin:{programs.folder}:{PATH}")
    assert done.returncode == status
    assert programs.calls == []


def test_a_minion_that_leaves_work_has_its_job_requeued(launch: Terminal, programs: Programs) -> None:
    programs.add("scontrol")
    path = f"{launch.folder}/bin:{programs.folder}:{PATH}"
    done = run(launch.text("slurm", *RUN), launch.folder, STATUS="99", PATH=path, SLURM_JOB_ID="17")
    assert done.returncode == 99
    assert programs.calls == [["scontrol", "requeue", "17"]]


def test_of_an_array_its_own_element_is_requeued_alone(launch: Terminal, programs: Programs) -> None:
    programs.add("scontrol")
    path = f"{launch.folder}/bin:{programs.folder}:{PATH}"
    # The id of one of them is that of the array.
    array = {"SLURM_JOB_ID": "17", "SLURM_ARRAY_JOB_ID": "17", "SLURM_ARRAY_TASK_ID": "4"}
    run(launch.text("slurm", "-n", "4", *RUN), launch.folder, STATUS="99", PATH=path, **array)
    assert programs.calls == [["scontrol", "requeue", "17_4"]]


def test_one_that_leaves_at_once_each_time_is_not_requeued_for_ever(launch: Terminal, programs: Programs) -> None:
    programs.add("scontrol")
    path, script = f"{launch.folder}/bin:{programs.folder}:{PATH}", launch.text("slurm", *RUN)
    for count in ("1", "2", "3"):
        done = run(script, launch.folder, STATUS="99", PATH=path, SLURM_JOB_ID="17", SLURM_RESTART_COUNT=count)
    assert programs.calls == [["scontrol", "requeue", "17"]] * 2
    assert (done.returncode, done.stderr) == (
        99,
        "not requeued: it was started 3 times anew, and has left at once again\n",
    )


def test_submit_list_and_stop(launch: Terminal, programs: Programs) -> None:
    programs.add("sbatch", "squeue", "scancel")
    programs.answer("sbatch", "Submitted batch job 7\n")
    programs.answer("squeue", "7_1|RUNNING|n1\n7_2|PENDING|(Resources | Priority)\n")
    assert launch.text("slurm", "-n", "2", "--submit", *RUN, PATH=PATH) == "Submitted batch job 7\n"
    assert programs.stdin("sbatch") == launch.text("slurm", "-n", "2", *RUN)
    assert launch.text("slurm", "--list", *RUN, PATH=PATH) == "7_1\tRUNNING\tn1\n7_2\tPENDING\t(Resources | Priority)\n"
    launch.text("slurm", "--stop", *RUN, PATH=PATH)
    names = ["--name=minions-a.out", f"--user={os.getuid()}"]
    squeue = ["squeue", "--noheader", "--array", *names, "--format=%i|%T|%R"]
    assert programs.calls == [["sbatch"], squeue, squeue, ["scancel", "7_1", "7_2"]]
