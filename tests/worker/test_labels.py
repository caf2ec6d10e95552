"""Labels by the environment of a job."""

from __future__ import annotations

import pytest

from minionize.worker.labels import in_batch_job, labels_of


@pytest.mark.parametrize(
    ("environ", "job"),
    [
        ({"OAR_JOB_ID": "42", "OAR_ARRAY_INDEX": "3"}, "42"),
        ({"SLURM_JOB_ID": "7", "SLURM_ARRAY_TASK_ID": "1"}, "7"),
        ({"PBS_JOBID": "9.host"}, "9.host"),
        ({"KUBERNETES_SERVICE_HOST": "10.0.0.1", "HOSTNAME": "minions-x1"}, "minions-x1"),
        ({"KUBERNETES_SERVICE_HOST": "10.0.0.1", "HOSTNAME": "h", "POD_NAME": "p"}, "p"),
    ],
)
def test_a_job_is_found(environ: dict[str, str], job: str) -> None:
    found = labels_of(environ, {})
    assert found["job"] == job
    assert in_batch_job(environ)


def test_all_ids_are_labels() -> None:
    found = labels_of({"SLURM_JOB_ID": "8", "SLURM_ARRAY_JOB_ID": "7", "SLURM_ARRAY_TASK_ID": "1"}, {"run": "a"})
    expected = {"job": "8", "slurm_job_id": "8", "slurm_array_job_id": "7", "slurm_array_task_id": "1", "run": "a"}
    assert found == expected


def test_what_the_user_says_wins() -> None:
    assert labels_of({"OAR_JOB_ID": "42"}, {"job": "mine"})["job"] == "mine"


def test_without_a_job_there_are_only_the_users() -> None:
    assert labels_of({"PATH": "/bin", "HOSTNAME": "h"}, {}) == {}
    assert not in_batch_job({"HOSTNAME": "h", "OAR_JOB_ID": ""})
