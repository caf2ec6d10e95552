"""An OAR of several nodes on this machine: server, database and nodes on loopback, in a directory of their own.

OAR reads /etc/oar/oar.conf and nothing else. While it runs that file is ours, and what it was lies beside it.
"""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.running import PATIENCE, ROOT, alive
from tests.brokers.server import free_port, need

NODES = tuple(f"127.0.0.{n}" for n in range(1, 10))
CORES = 2
USER = "minionoar"
CONF = Path("/etc/oar/oar.conf")
KEPT = CONF.with_name("oar.conf.before-tests")
SQL = Path("/usr/lib/oar/database")
# As in the package, but for ports, paths and times. Without a cpuset field, jobs are no control groups.
_CONF = """\
DB_TYPE="Pg"
DB_HOSTNAME="127.0.0.1"
DB_PORT="{database}"
DB_BASE_NAME="oar"
DB_BASE_LOGIN="oar"
DB_BASE_PASSWD="oar"
DB_BASE_LOGIN_RO="oar"
DB_BASE_PASSWD_RO="oar"
SERVER_HOSTNAME="localhost"
SERVER_PORT="{server}"
OARSUB_DEFAULT_RESOURCES="/resource_id=1"
OARSUB_NODES_RESOURCES="network_address"
OARSUB_FORCE_JOB_KEY="no"
LOG_LEVEL="2"
LOG_CATEGORIES="all"
OAREXEC_DEBUG_MODE="0"
OAR_RUNTIME_DIRECTORY="{folder}/run"
LOG_FILE="{folder}/oar.log"
DEPLOY_HOSTNAME="127.0.0.1"
COSYSTEM_HOSTNAME="127.0.0.1"
DETACH_JOB_FROM_SERVER="1"
OPENSSH_CMD="/usr/bin/ssh -p {ssh} -e none"
PINGCHECKER_GENERIC_COMMAND="/bin/true"
FINAUD_FREQUENCY="0"
SCHEDULER_TIMEOUT="30"
SCHEDULER_NB_PROCESSES=1
SCHEDULER_MIN_TIME_BETWEEN_2_CALLS="1"
SCHEDULER_JOB_SECURITY_TIME="1"
SCHEDULER_GANTT_HOLE_MINIMUM_TIME="1"
SCHEDULER_RESOURCE_ORDER="scheduler_priority ASC, network_address ASC, resource_id ASC"
SCHEDULER_PRIORITY_HIERARCHY_ORDER="network_address/resource_id"
SCHEDULER_AVAILABLE_SUSPENDED_RESOURCE_TYPE="default"
SCHEDULER_FAIRSHARING_MAX_JOB_PER_USER=30
ENERGY_SAVING_INTERNAL="no"
"""
_SSHD = """\
Port {ssh}
HostKey /etc/oar/oar_ssh_host_rsa_key
PidFile {folder}/sshd.pid
AllowUsers oar
PermitUserEnvironment yes
PasswordAuthentication no
StrictModes no
UsePAM no
UseDNS no
MaxStartups 1024
"""
# A job has no login shell: OAR has bash read this file.
_BASHRC = "export PATH=~/minions/bin:$PATH\n"


class Oar:
    """A running cluster, with a user who may submit jobs.

    Attributes:
        folder: All it writes, but for its configuration.
        home: The home of the user, seen by all nodes.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        (folder / "daemons.out").touch()
        (folder / "oar.log").touch()
        (folder / "run").mkdir()
        self._ports = {"database": free_port(), "server": free_port(), "ssh": free_port()}
        self._daemons: list[subprocess.Popen[bytes]] = []

    def admit(self) -> None:
        """Make the user. The test is skipped, or under CI fails, where OAR is not installed."""
        _check_machine()
        _add_user(self.home)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        for name in ("oar.log", "run"):
            shutil.chown(self.folder / name, "oar", "oar")
        CONF.rename(KEPT)
        CONF.touch(mode=0o600)
        shutil.chown(CONF, "oar")
        CONF.write_text(_CONF.format(folder=self.folder, **self._ports))
        self._start_database()
        self._start_nodes()
        for node in NODES * CORES:
            _call("oarnodesetting", "-a", "-h", node)
        self._daemon("Almighty")
        patiently(self._listens, "the server answers")

    def _listens(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self._ports["server"])):
            return True
        return False

    def _daemon(self, *argv: str, user: str = "root") -> subprocess.Popen[bytes]:
        with (self.folder / "daemons.out").open("ab") as out:
            self._daemons.append(
                subprocess.Popen(
                    argv, cwd="/", stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
                    user=user, group=user, extra_groups=[],
                )
            )  # fmt: skip
        return self._daemons[-1]

    def _start_database(self) -> None:
        programs, data = _postgres(), self.folder / "database"
        data.mkdir(mode=0o700)
        shutil.chown(data, "postgres", "postgres")
        create = (f"{programs}/initdb", "-D", str(data), "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8")
        _call(*create, "--locale=C", user="postgres")
        port = str(self._ports["database"])
        quick = ("-c", "fsync=off", "-c", "listen_addresses=127.0.0.1", "-k", str(data))
        self._daemon(f"{programs}/postgres", "-D", str(data), "-p", port, *quick, user="postgres")
        asked = (f"{programs}/pg_isready", "-q", "-h", "127.0.0.1", "-p", port, "-U", "postgres")
        patiently(lambda: subprocess.run(asked, check=False).returncode == 0, "the database answers")
        psql = ("psql", "-q", "-h", "127.0.0.1", "-p", port)
        _call(*psql, "-U", "postgres", "-c", "CREATE ROLE oar SUPERUSER LOGIN", "-c", "CREATE DATABASE oar OWNER oar")
        for name in ("pg_structure", "default_data", "pg_default_admission_rules"):
            _call(*psql, "-U", "oar", "-f", str(SQL / f"{name}.sql"), "oar")

    def _start_nodes(self) -> None:
        """One ssh server at all addresses: it is the node's part of OAR."""
        listen = "".join(f"ListenAddress {node}\n" for node in NODES)
        conf = self.folder / "sshd.conf"
        conf.write_text(_SSHD.format(folder=self.folder, **self._ports) + listen)
        Path("/run/sshd").mkdir(exist_ok=True)
        self._daemon(shutil.which("sshd") or "/usr/sbin/sshd", "-D", "-f", str(conf))

    def run(self, *argv: str, cwd: Path | None = None, check: bool = True) -> str:
        """Run something as the user; return what it prints."""
        environ = {
            "HOME": str(self.home),
            "USER": USER,
            "SHELL": "/bin/bash",
            "LC_ALL": "C.UTF-8",
            "PATH": f"{self.home}/minions/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            # OAR takes a job's directory from it.
            "PWD": str(cwd or self.home),
        }
        return _call(*argv, cwd=cwd or self.home, env=environ, user=USER, check=check)

    def prepare(self) -> None:
        """Make ~/minions, with execo in it, and an index of packages that has a minionize of this checkout."""
        # The interpreter of the tests may lie where the user cannot read.
        self.run("/usr/bin/python3", "-m", "venv", "minions")
        wheels = self.folder / "wheels"
        _call(f"{self.home}/minions/bin/pip", "wheel", "--quiet", "-w", str(wheels), f"{ROOT}[execo]", env=os.environ)
        conf = self.home / ".config/pip/pip.conf"
        conf.parent.mkdir(parents=True)
        conf.write_text(f"[global]\nno-index = true\nfind-links = {wheels}\ndisable-pip-version-check = true\n")
        self.own(conf.parent.parent)
        self.run("minions/bin/pip", "install", "--quiet", "execo")

    def own(self, place: Path) -> None:
        """Make files the user's."""
        _call("chown", "-R", f"{USER}:", str(place))

    def submit(self, *words: str, cwd: Path) -> list[int]:
        """Call ``oarsub WORDS`` as the user; return the ids of the jobs."""
        said = self.run("oarsub", *words, cwd=cwd)
        return [int(line.partition("=")[2]) for line in said.splitlines() if line.startswith("OAR_JOB_ID=")]

    def job(self, job: int) -> dict[str, Any]:
        """What ``oarstat`` says of a job, also of one that has ended."""
        found: dict[str, Any] = json.loads(self.run("oarstat", "-J", "-f", "-j", str(job)))[str(job)]
        return found

    def _select(self, what: str, where: str) -> list[str]:
        """A column of the jobs that fulfil a condition. Asked of the database: oarstat takes five times as long."""
        port = str(self._ports["database"])
        query = f"SELECT {what} FROM jobs WHERE {where}"
        return _call("psql", "-h", "127.0.0.1", "-p", port, "-U", "oar", "-Atc", query, "oar").split()

    def await_state(self, job: int, *states: str) -> dict[str, Any]:
        """Wait until a job is in one of some states, such as ``Running``; return what is said of it."""
        where = f"job_id = {job}"
        patiently(lambda: self._select("state", where)[0] in states, f"{job} is {states}", lambda: str(self.job(job)))
        return self.job(job)

    def again(self, job: int) -> list[int]:
        """The ids of the jobs as which a job has been submitted again: one or none."""
        return list(map(int, self._select("job_id", f"resubmit_job_id = {job}")))

    def await_again(self, job: int) -> int:
        """Wait until a job has been submitted again; return the new id."""
        patiently(lambda: self.again(job), f"job {job} is submitted again", lambda: str(self.job(job)))
        return self.again(job)[0]

    def events(self, job: int) -> list[str]:
        """The kinds of events that OAR has noted of a job."""
        return [event["type"] for event in self.job(job)["events"]]

    def stop(self) -> None:
        """Stop everything, by force if need be, and put the configuration back."""
        for daemon in reversed(self._daemons):
            # A quick shutdown of the database; the server has nothing to keep, and takes its time.
            daemon.send_signal(signal.SIGQUIT if daemon is self._daemons[0] else signal.SIGKILL)
            with suppress(subprocess.TimeoutExpired):
                daemon.wait(10)
            with suppress(ProcessLookupError):
                os.killpg(daemon.pid, signal.SIGKILL)
            daemon.wait()
            _kill_all_of(USER, "oar")
        self._daemons = []
        _restore()


def patiently(
    condition: Callable[[], Any], what: str, also: Callable[[], str] = str, seconds: float = 2 * PATIENCE
) -> None:
    """Wait until something holds. Each look starts a process: not too often."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}; {also()}"
        time.sleep(0.3)


def _call(*argv: str, check: bool = True, **more: Any) -> str:
    if "user" in more:
        more |= {"group": more["user"], "extra_groups": []}
    done = subprocess.run(argv, **{"cwd": "/", **more}, capture_output=True, text=True, timeout=180, check=False)
    assert not check or done.returncode == 0, f"{argv}: {done.stdout}{done.stderr}"
    return str(done.stdout)


def _postgres() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return Path(need(str(found[-1]) if found else "initdb", "postgresql")).parent


def _check_machine() -> None:
    """Skip, or under CI fail, if something is missing here; leave an OAR that is at work alone."""
    for program, package in (
        ("Almighty", "oar-server"), ("oarsub", "oar-user"), ("oarnodesetting", "oar-node"), ("psql", "postgresql"),
        ("/usr/sbin/sshd", "openssh-server"), ("/usr/bin/python3", "python3-venv"),
    ):  # fmt: skip
        need(program, package)
    _postgres()
    if os.getuid() != 0:
        pytest.skip("OAR is started as root")
    _restore()
    if 'DB_BASE_PASSWD=""' not in CONF.read_text():
        pytest.skip(f"{CONF} is in use")


def _add_user(home: Path) -> None:
    _remove_user()
    _call("useradd", "--no-create-home", "--home-dir", str(home), "--shell", "/bin/bash", USER)
    home.mkdir()
    shutil.chown(home, USER, USER)
    (home / ".bashrc").write_text(_BASHRC)


def _remove_user() -> None:
    with suppress(KeyError):
        pwd.getpwnam(USER)
        _kill_all_of(USER)
        _call("userdel", "--force", USER, check=False)


def _restore() -> None:
    """Put back the configuration that was there; also one that a test which was killed has left."""
    with suppress(FileNotFoundError):
        KEPT.replace(CONF)


def _kill_all_of(*users: str) -> None:
    """Kill all processes of users who are there for OAR only."""
    numbers = [pwd.getpwnam(user).pw_uid for user in users]

    def left() -> list[int]:
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if entry.stat().st_uid in numbers and alive(int(entry.name)):
                    found.append(int(entry.name))
        return found

    for pid in left():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    patiently(lambda: not left(), f"no process of {users}")


@contextmanager
def running() -> Iterator[Oar]:
    """A cluster that runs while the context lasts; skipped or failed if OAR is not installed."""
    # Not below pytest's directory, which other users cannot enter.
    folder = Path(tempfile.mkdtemp(prefix="minionize-oar-"))
    folder.chmod(0o755)
    oar = Oar(folder)
    try:
        oar.admit()
        with ThreadPoolExecutor() as pool:
            prepared = pool.submit(oar.prepare)
            oar.start()
            prepared.result()
        yield oar
    except AssertionError as error:
        logs = "".join(
            path.read_text(errors="replace")[-2000:] for path in (folder / "daemons.out", folder / "oar.log")
        )
        pytest.fail(f"{error}\n{logs}")
    finally:
        oar.stop()
        _remove_user()
        shutil.rmtree(folder, ignore_errors=True)
