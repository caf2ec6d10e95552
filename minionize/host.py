"""Who a process is, so that others can tell whether it still lives."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple


class Identity(NamedTuple):
    """One process, told apart from every other one, also from a later one with its pid.

    Attributes:
        host: Name of the host.
        boot: Id of the host's present boot; "" if the system does not tell.
        pidns: The pid namespace; in another one (a container) the same pid is another process.
        pid: Process id.
        started: When the process started, in clock ticks since boot.
    """

    host: str
    boot: str
    pidns: str
    pid: int
    started: int


def identity() -> Identity:
    """Return the identity of this process."""
    pid = os.getpid()
    return Identity(os.uname().nodename, _boot(), _pid_namespace(), pid, _start_ticks(pid) or 0)


def is_gone(other: Identity) -> bool | None:
    """Tell whether a process has ended.

    Returns:
        True if it has, False if it lives, None if that cannot be told from here (another host, another
        container, no /proc).
    """
    if other.host != os.uname().nodename or not other.boot:
        # Most of a fleet: no file is read for them.
        return None
    if (other.boot, other.pidns) != (_boot(), _pid_namespace()):
        return None
    ticks = _start_ticks(other.pid)
    return ticks is None or ticks != other.started


def new_minion_id() -> str:
    """Make an id that is safe as a file name and says where the minion runs: HOST-PID-NONCE."""
    host = "".join(char if char.isalnum() or char in "._" else "_" for char in os.uname().nodename)
    return f"{host or 'host'}-{os.getpid()}-{os.urandom(4).hex()}"


def state_home(environ: Mapping[str, str]) -> str:
    """Return the directory of this user for what must outlive a process: ``$XDG_STATE_HOME/minionize``.

    It is no absolute path if there is neither that variable nor a home.
    """
    base = environ.get("XDG_STATE_HOME") or os.path.join(environ.get("HOME") or os.path.expanduser("~"), ".local/state")
    return os.path.join(base, "minionize")


def _boot() -> str:
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


def _pid_namespace() -> str:
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""


def _start_ticks(pid: int) -> int | None:
    """Read when a process started; None if there is none, or only its zombie."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            # The name, in parentheses, may hold anything; the fields behind it do not.
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return None
    if fields[0] in (b"Z", b"X"):
        return None
    return int(fields[19])
