"""By a real sshd on loopback."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.running import until
from tests.brokers.server import Server, need
from tests.launch.conftest import PROGRAM, Programs, Terminal
from tests.launch.scripts import check, run

RUN = ["--", "minionize", "./a.out"]

_CONFIG = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/key.pub
PidFile {folder}/sshd.pid
PermitRootLogin yes
PasswordAuthentication no
UsePAM no
StrictModes no
"""


class Sshd(Server):
    """Lets in whoever has the key in its directory."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._program = need("sshd", "openssh-server")
        for name in ("host_key", "key"):
            words = [need("ssh-keygen", "openssh-client"), "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
            subprocess.run(words, check=True)
        (folder / "sshd_config").write_text(_CONFIG.format(port=self.port, folder=folder))
        Path("/run/sshd").mkdir(exist_ok=True)

    def command(self) -> list[str]:
        return [self._program, "-D", "-e", "-f", str(self.folder / "sshd_config")]

    def is_ready(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                return connection.recv(4) == b"SSH-"
        except OSError:
            return False

    def options(self) -> list[str]:
        """How it is reached by minion-launch."""
        said = [
            f"Port={self.port}",
            f"IdentityFile={self.folder}/key",
            "StrictHostKeyChecking=no",
            f"UserKnownHostsFile={self.folder}/known",
            "LogLevel=ERROR",
        ]
        return [word for option in said for word in ("--ssh-option", option)]


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    if os.geteuid():
        pytest.skip("an sshd of one's own needs root")
    server = Sshd(tmp_path_factory.mktemp("sshd"))
    server.start()
    yield server
    server.stop()


def test_script(launch: Terminal, tmp_path: Path) -> None:
    (launch.folder / "nodes").write_text("node1\nnode1\n\nnode2  # the big one\nnode1\n")
    script = launch.text("ssh", "--hosts", "nodes", "--host", "node3", "--host", "node1", "-n", "2", *RUN)
    check(script, tmp_path)
    assert "# For node3 node1 node2: to be run on each.\n" in script
    assert f"cd -- {launch.folder} || exit 2\n" in script
    assert "for number in {1..2}; do\n" in script


def test_another_process_with_the_pid_of_a_minion_is_not_taken_for_it(launch: Terminal) -> None:
    script = launch.text("ssh", "--host", "a", "--name", "fleet", *RUN)
    folder = launch.folder / ".local/state/minionize/launch/fleet" / os.uname().nodename
    folder.mkdir(parents=True)
    (folder / "1.pid").write_text(f"{os.getpid()} 1\n")
    assert "minion 1 started, pid " in run(script, launch.folder).stdout
    started = Path(f"/proc/{os.getpid()}/stat").read_text().rpartition(")")[2].split()[19]
    (folder / "1.pid").write_text(f"{os.getpid()} {started}\n")
    assert f"minion 1 runs already, pid {os.getpid()}\n" in run(script, launch.folder).stdout


@pytest.mark.parametrize(("status", "told"), [(0, False), (1, False), (2, True), (3, True), (4, True)])
def test_one_that_cannot_work_is_told(launch: Terminal, status: int, told: bool) -> None:
    done = run(launch.text("ssh", "--host", "a", *RUN), launch.folder, STATUS=str(status))
    assert (done.returncode, f"minion 1 has left at once (exit code {status}), log " in done.stderr) == (told, told)


def test_a_program_that_is_not_there_is_told(launch: Terminal) -> None:
    script = launch.text("ssh", "--host", "a", "-n", "2", "--", "/nowhere/minionize", "./a.out")
    done = run(script, launch.folder)
    assert done.returncode == 1
    for number in (1, 2):
        assert f"minion {number} has left at once (exit code 127)" in done.stderr
    assert "/nowhere/minionize" in done.stderr


def test_ssh_is_called_once_for_each_host(launch: Terminal, programs: Programs) -> None:
    programs.add("ssh")
    words = ["ssh", "--host", "a", "--host", "me@b", "--ssh-option", "Port=7", "--parallel", "1"]
    launch.text(*words, "--submit", *RUN, PATH="/bin:/usr/bin")
    line = [
        "ssh",
        "-o",
        "BatchMode=yes",
        "-o",
        "Port=7",
        "-o",
        "ConnectTimeout=20",
        "-o",
        "ServerAliveInterval=15",
        "--",
    ]
    assert programs.calls == [[*line, "a", "exec bash -s"], [*line, "me@b", "exec bash -s"]]
    assert programs.stdin("ssh") == launch.text(*words, *RUN)


def test_a_host_that_is_not_reached_is_told_and_the_others_start(launch: Terminal, programs: Programs) -> None:
    programs.add("ssh")
    programs.fail("ssh", "no route to host\n")
    said = launch.refusal("ssh", "--host", "a", "--host", "b", "--submit", *RUN, status=3, PATH="/bin:/usr/bin")
    assert said == "a: ssh has failed (7): no route to host\nb: ssh has failed (7): no route to host\n"
    assert len(programs.calls) == 2


@pytest.mark.acceptance
def test_minions_start_are_listed_and_stop(launch: Terminal, sshd: Sshd) -> None:
    path = os.environ["PATH"]
    state = launch.folder / "state"
    hosts = ["--host", "127.0.0.1", *sshd.options()]
    env = ["--env", "MINION_ENGINE=file", "--env", "FILE_PATH=params", "--env", f"XDG_STATE_HOME={state}"]
    (launch.folder / "params").write_text("1\n2\n")
    run = ["--", PROGRAM, "sh", "-c", "echo began; exec sleep 600"]
    words = ["ssh", *hosts, "-n", "2", "--name", "fleet", *env]
    said = launch.text(*words, "--submit", *run, PATH=path)
    assert said.count(" started, pid ") == 2
    (log,) = (state / "minionize/launch/fleet").glob("*/1.log")
    until(lambda: "began" in log.read_text())

    # The state directory of the host is where its own environment says; here it was told.
    listed = pids(launch, hosts, path, state)
    assert len(listed) == 2
    again = launch.text(*words, "--submit", *run, PATH=path)
    assert again.count(" runs already, pid ") == 2
    assert pids(launch, hosts, path, state) == listed

    launch.text("ssh", *hosts, "--name", "fleet", "--env", f"XDG_STATE_HOME={state}", "--stop", PATH=path)
    until(lambda: not pids(launch, hosts, path, state))
    assert "minionize:" in log.read_text()


def pids(launch: Terminal, hosts: list[str], path: str, state: Path) -> list[str]:
    said = launch.text("ssh", *hosts, "--name", "fleet", "--env", f"XDG_STATE_HOME={state}", "--list", PATH=path)
    return [line.split("\t")[0] for line in said.splitlines()]
