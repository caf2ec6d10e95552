"""The labels of a minion: those that the user gave, and the job it runs in, by the environment."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["in_batch_job", "labels_of"]

_VARIABLES = {
    "oar_job_id": "OAR_JOB_ID",
    "oar_array_index": "OAR_ARRAY_INDEX",
    "slurm_job_id": "SLURM_JOB_ID",
    "slurm_array_job_id": "SLURM_ARRAY_JOB_ID",
    "slurm_array_task_id": "SLURM_ARRAY_TASK_ID",
    "pbs_job_id": "PBS_JOBID",
}
_JOBS = ("oar_job_id", "slurm_job_id", "pbs_job_id", "pod")


def labels_of(environ: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """Return all labels; ``job`` is the id of the job or the name of the pod. What the user gave wins.

    Args:
        environ: Variables of OAR, Slurm, PBS and Kubernetes.
        given: The user's own.
    """
    found = {label: environ[name] for label, name in _VARIABLES.items() if environ.get(name)}
    if environ.get("KUBERNETES_SERVICE_HOST"):
        found["pod"] = environ.get("POD_NAME") or environ.get("HOSTNAME") or ""
        if environ.get("POD_NAMESPACE"):
            found["namespace"] = environ["POD_NAMESPACE"]
    job = next((found[name] for name in _JOBS if found.get(name)), None)
    return {**({"job": job} if job else {}), **found, **given}


def in_batch_job(environ: Mapping[str, str]) -> bool:
    """Tell whether this is a job of a scheduler, or a pod: then whoever looks at its minion sits elsewhere."""
    return bool(labels_of(environ, {}))
