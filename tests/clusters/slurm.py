"""A Slurm of several nodes on this machine: in a directory of its own, on free ports, stopped with all its jobs."""

from __future__ import annotations

import json
import os
import pwd
import signal
import socket
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from minionize.guardian import marked
from tests.acceptance.running import alive, until
from tests.brokers.server import free_port, need

NODES = {"n1": 16, "n2": 8, "n3": 8, "n4": 8}
"""The nodes, and how many processors each has."""
POLL = 0.2
"""Seconds between two questions to the cluster: each is a program that is started."""
_MARK = "MINIONIZE_TEST_SLURMD"
_PARTITIONS = """
PartitionName=plain Nodes=n1 Default=YES PriorityTier=1
PartitionName=low Nodes=n2 PriorityTier=1 PreemptMode=REQUEUE GraceTime=0
PartitionName=high Nodes=n2 PriorityTier=10 PreemptMode=OFF
PartitionName=lost Nodes=n3,n4 PriorityTier=1
"""
# A node may have more processors than this machine (config_overrides): what runs there waits most of the time.
# Credentials are short-lived, for a requeued job waits until the former ones have run out.
_CONF = """
ClusterName=ci
SlurmctldHost=localhost(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/none
AuthInfo=cred_expire=5
CredType=cred/none
SlurmctldPort={port}
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool.%n
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SwitchType=switch/none
MpiDefault=none
MailProg=/bin/true
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
SchedulerParameters=batch_sched_delay=0,sched_min_interval=100000,sched_interval=2,bf_interval=1
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
JobRequeue=1
KillWait={kill_wait}
SlurmdTimeout=30
"""


class Slurm:
    """A running cluster.

    Attributes:
        folder: Its configuration, logs and state.
    """

    def __init__(self, folder: Path, kill_wait: int = 3) -> None:
        self.folder = folder
        self._programs = {name: need(name, name) for name in ("slurmctld", "slurmd")}
        self._clients = {name: need(name, "slurm-client") for name in ("sbatch", "squeue", "scancel", "scontrol")}
        self._conf = folder / "slurm.conf"
        self._conf.write_text(self._configuration(kill_wait))
        (folder / "state").mkdir()
        self._controller: subprocess.Popen[bytes] | None = None
        self._nodes: dict[str, subprocess.Popen[bytes]] = {}

    def _configuration(self, kill_wait: int) -> str:
        user = pwd.getpwuid(os.getuid()).pw_name
        lines = [_CONF.format(folder=self.folder, port=free_port(), user=user, kill_wait=kill_wait)]
        here = socket.gethostname().partition(".")[0]
        lines += [
            f"NodeName={node} NodeHostname={here} NodeAddr=127.0.0.1 Port={free_port()} CPUs={cpus} RealMemory=1000"
            for node, cpus in NODES.items()
        ]
        return "\n".join(lines) + _PARTITIONS

    @property
    def environ(self) -> dict[str, str]:
        """The variables by which Slurm's programs find it."""
        return {"SLURM_CONF": str(self._conf)}

    def start(self) -> None:
        """Start it, and wait until all nodes are idle."""
        self._controller = self._daemon("slurmctld", "-D", "-c")
        for node in NODES:
            self.start_node(node)
        self.await_nodes("idle")

    def _daemon(self, name: str, *words: str, **environ: str) -> subprocess.Popen[bytes]:
        with (self.folder / "daemons.out").open("ab") as out:
            return subprocess.Popen(
                (self._programs[name], *words),
                env={**os.environ, **self.environ, **environ},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    def start_node(self, node: str) -> None:
        """Start the daemon of a node, for the first time or after :meth:`kill_node`."""
        self._nodes[node] = self._daemon("slurmd", "-D", "-N", node, **{_MARK: f"{self.folder}/{node}"})

    def await_nodes(self, state: str, nodes: Iterable[str] = tuple(NODES)) -> None:
        """Wait until nodes are in a state, such as ``idle`` or ``down``."""
        until(lambda: all(state in self.node_state(node) for node in nodes), what=f"{nodes} are {state}", every=POLL)

    def node_state(self, node: str) -> str:
        """The state of a node, in lower case; "" while nobody answers."""
        said = self._client("scontrol", "show", "node", node, "--oneliner", check=False)
        return next((word[6:].lower() for word in said.split() if word.startswith("State=")), "")

    def kill_node(self, node: str) -> None:
        """Kill the daemon of a node and all processes of its jobs at once, as a power cut does."""
        daemon = self._nodes.pop(node)
        victims = {daemon.pid, *_family(self._on_node(node))}
        for pid in victims:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        daemon.wait()
        until(lambda: not any(alive(pid) for pid in victims), what=f"the processes of {node} are dead")

    def _on_node(self, node: str) -> list[int]:
        """The daemon of a node, and the processes by which it runs its jobs."""
        return marked(_MARK, f"{self.folder}/{node}")

    def _client(self, name: str, *words: str, check: bool = True, **more: Any) -> str:
        environ = {**more.pop("env", os.environ), **self.environ}
        argv = (self._clients[name], *words)
        done = subprocess.run(argv, env=environ, capture_output=True, text=True, timeout=60, **more)
        assert not check or done.returncode == 0, f"{argv}: {done.stdout}{done.stderr}"
        out: str = done.stdout
        return out

    def submit(self, script: str, *words: str, cwd: Path, environ: Mapping[str, str]) -> str:
        """Submit a job script with options of ``sbatch``, in a directory and environment; return the job's id."""
        out = self._client("sbatch", "--parsable", *words, cwd=cwd, env=dict(environ), input=script)
        return out.strip()

    def jobs(self, job: str) -> list[dict[str, Any]]:
        """What ``squeue --json`` says of a job, one for each task of an array; also of ended ones."""
        found = json.loads(self._client("squeue", "--json", "--states=all"))["jobs"]
        return [one for one in found if job in (str(one["job_id"]), str(one["array_job_id"]))]

    def states(self, job: str) -> list[str]:
        """The states of a job, one for each task."""
        return sorted(str(one["job_state"]) for one in self.jobs(job))

    def await_states(self, job: str, *wanted: str, seconds: float = 60.0) -> None:
        """Wait until all tasks of a job are in one of some states."""

        def reached() -> bool:
            states = self.states(job)
            return bool(states) and set(states) <= set(wanted)

        try:
            until(reached, seconds, every=POLL)
        except AssertionError:
            raise AssertionError(f"job {job} is {self.states(job)} after {seconds:g} s, not {wanted}") from None

    def cancel(self, *words: str) -> None:
        """Call ``scancel WORDS``."""
        self._client("scancel", *words)

    def control(self, *words: str) -> str:
        """Call ``scontrol WORDS``; return what it prints."""
        return self._client("scontrol", *words)

    def stop(self) -> None:
        """Cancel all jobs and stop everything, by force if need be."""
        if self._controller is not None and self._controller.poll() is None:
            self._client("scancel", "--state=PENDING", "--user", str(os.getuid()), check=False)
            self._client("scancel", "--user", str(os.getuid()), check=False)
        for daemon in (*self._nodes.values(), *([self._controller] if self._controller else [])):
            _end(daemon)
        until(self._kill_rest, what="nothing is left of it")

    def _kill_rest(self) -> bool:
        """Kill what is left; return whether that was nothing: what was just being started is seen the next time."""
        families = [_family(self._on_node(node)) for node in NODES]
        left = {pid for pids in (*families, marked("SLURM_CONF", str(self._conf))) for pid in pids if alive(pid)}
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return not left


def _end(daemon: subprocess.Popen[bytes]) -> None:
    daemon.terminate()
    try:
        daemon.wait(10)
    except subprocess.TimeoutExpired:
        daemon.kill()
        daemon.wait()


def _family(pids: Sequence[int]) -> list[int]:
    """These processes and all their descendants."""
    children: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        with suppress(OSError, ValueError):
            stat = Path(f"/proc/{int(entry)}/stat").read_text()
            children.setdefault(int(stat.rpartition(")")[2].split()[1]), []).append(int(entry))
    found: list[int] = []
    left = list(pids)
    while left:
        pid = left.pop()
        if pid not in found:
            found.append(pid)
            left += children.get(pid, [])
    return found


@contextmanager
def running(folder: Path) -> Iterator[Slurm]:
    """A cluster that runs while the context lasts; skipped or failed if Slurm is not installed."""
    slurm = Slurm(folder)
    try:
        slurm.start()
        yield slurm
    except AssertionError as error:
        pytest.fail(f"{error}\n{(folder / 'daemons.out').read_text(errors='replace')[-2000:]}")
    finally:
        slurm.stop()
