"""Who a process is, so that others can tell whether it still lives."""

from __future__ import annotations

import os
import time
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
        container, no /proc, one that hides the processes of others).
    """
    if other.host != os.uname().nodename or not other.boot:
        # Most of a fleet: no file is read for them.
        return None
    if (other.boot, other.pidns) != (_boot(), _pid_namespace()):
        return None
    fields = _state(other.pid)
    if not fields:
        # With hidepid, /proc says the same of somebody else's process as of one that has ended.
        return None if _exists(other.pid) else True
    return _ticks(fields) != other.started


def is_of_earlier_boot(other: Identity) -> bool:
    """Tell whether a process was one of this host before it was booted: then it has ended, in any pid namespace.

    A host is known by its name only. Ask it of what cannot have come from another one with that name.
    """
    boot = _boot()
    return other.host == os.uname().nodename and bool(boot and other.boot) and other.boot != boot


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


def age_of_oldest(variable: str, value: str) -> float:
    """Return for how many seconds the oldest of those has run that began with a variable: we or an ancestor of ours.

    Args:
        variable: Its name.
        value: What it must be.
    """
    wanted, pid, found = f"{variable}={value}".encode(), os.getppid(), os.getpid()
    # The kernel knows no cycles, but what is read one after the other may.
    for _ in range(1000):
        if pid <= 0:
            break
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                if wanted in file.read().split(b"\0"):
                    found = pid
        except OSError:
            pass  # somebody else's, such as the scheduler's own: the one above may be ours again
        pid = _parent(pid)
    ticks = _start_ticks(found)
    if ticks is None:
        return 0.0
    return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK"))


def _parent(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return int(file.read().rpartition(b")")[2].split()[1])
    except OSError:
        return 0


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


def _exists(pid: int) -> bool:
    """Tell whether there is a process, also where nothing can be read of it: hidepid, or no file can be opened."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (ProcessLookupError, OverflowError):
        return False
    return True


def _start_ticks(pid: int) -> int | None:
    """Read when a process started; None if there is none, or only its zombie, or it cannot be read."""
    fields = _state(pid)
    return _ticks(fields) if fields else None


def _ticks(fields: list[bytes]) -> int | None:
    """Take when a process started from what the system says of it; None of a zombie."""
    return None if fields[0] in (b"Z", b"X") else int(fields[19])


def _state(pid: int) -> list[bytes]:
    """Read what the system says of a process, from its state on; nothing if it says nothing."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            # The name, in parentheses, may hold anything; the fields behind it do not.
            return file.read().rpartition(b")")[2].split()
    except OSError:
        return []
