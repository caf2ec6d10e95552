"""Leases: one file for each minion that says what it holds, and lives as long as it is touched.

All content is written and read under the locks of the directory; only the touching is not. A lease is read up
to the end of its first line, so what a killed writer leaves behind that does no harm.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass

from minionize.host import Identity, identity
from minionize.sweepdir.clock import Clock
from minionize.sweepdir.fsio import PAGE, open_for_change, read_file, remove, replace, write_at
from minionize.sweepdir.layout import Layout


@dataclass(frozen=True, slots=True)
class Held:
    """What the file of a lease says.

    Attributes:
        name: The file's name without its suffix.
        minion: Id of the minion.
        owner: The process.
        seconds: For how long it is valid after a touch.
        ids: The params that it holds and did not start when this was written.
        started: Those that it did.
    """

    name: str
    minion: str
    owner: Identity
    seconds: float
    ids: frozenset[str]
    started: frozenset[str]

    @property
    def all(self) -> frozenset[str]:
        """Everything that it holds."""
        return self.ids | self.started


def read_lease(layout: Layout, name: str) -> Held:
    """Read a lease.

    Raises:
        FileNotFoundError: There is none.
        ValueError: It is damaged.
    """
    data = read_file(os.path.join(layout.leases, f"{name}.json"))
    if data is None:
        raise FileNotFoundError(name)
    line, newline, _ = data.partition(b"\n")
    try:
        content = json.loads(line if newline else b"")
        host, boot, pidns, pid, ticks = content["owner"]
        return Held(
            name=name,
            minion=str(content["minion"]),
            owner=Identity(str(host), str(boot), str(pidns), int(pid), int(ticks)),
            seconds=float(content["seconds"]),
            ids=frozenset(content["ids"].split()),
            started=frozenset(content["started"].split()),
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"no lease: {error}") from error


def read_started(layout: Layout, held: Held) -> frozenset[str]:
    """Return which of the params that a lease holds began to run."""
    data = read_file(os.path.join(layout.started, held.name)) or b""
    return held.started | (held.ids & frozenset(data.decode("ascii", "replace").split()))


class Lease:
    """This minion's own lease.

    Attributes:
        name: The file's name without its suffix.
        dirty: The file claims more or less than it should.
    """

    def __init__(self, layout: Layout, clock: Clock, minion: str, seconds: float) -> None:
        self._layout, self._clock = layout, clock
        self.minion, self.seconds = minion, seconds
        self.nonce = os.urandom(6).hex()
        self.name = _file_name(minion)
        if os.path.exists(self._path()):
            self.name += f"+{self.nonce}"  # somebody has the same id, or we had it before
        self._head = json.dumps(
            {"minion": minion, "nonce": self.nonce, "owner": identity(), "seconds": seconds}, separators=(",", ":")
        )[:-1]
        self._content = b""
        self._started: set[str] = set()
        self._appended = False
        self.dirty = False

    def _path(self) -> str:
        return os.path.join(self._layout.leases, f"{self.name}.json")

    def _started_path(self) -> str:
        return os.path.join(self._layout.started, self.name)

    def write(self, ids: Iterable[str]) -> None:
        """Say what is held; under the locks.

        Raises:
            OSError: It could not be written; it says what it said before.
        """
        held = set(ids)
        self._started &= held
        ready = " ".join(sorted(held - self._started))
        content = f'{self._head},"ids":"{ready}","started":"{" ".join(sorted(self._started))}"}}\n'.encode()
        if content != self._content:
            self._put(content)
        self.dirty = False
        if self._appended:
            # Only after it is in the lease. What is left by a kill in between is held no longer, or still started.
            with contextlib.suppress(FileNotFoundError):
                os.truncate(self._started_path(), 0)
            self._appended = False

    def _put(self, content: bytes) -> None:
        if not self._content or len(content) > PAGE:
            replace(self._path(), content)
        else:
            # In place: replacing an existing file is as slow as a sync on some file systems.
            fd = open_for_change(self._path())
            try:
                write_at(fd, content, 0)
                os.ftruncate(fd, len(content))
            except OSError:
                with contextlib.suppress(OSError):
                    write_at(fd, self._content, 0)
                    os.ftruncate(fd, len(self._content))
                raise
            finally:
                os.close(fd)
        self._content = content

    def is_ours(self) -> bool:
        """Tell whether the lease is still there as we wrote it: nobody has reclaimed what it holds."""
        return read_file(self._path()) == self._content

    def touch(self) -> float:
        """Renew the lease; return the file system's time.

        Raises:
            FileNotFoundError: It is gone.
        """
        return self._clock.touch(self._path())

    def start(self, ids: Iterable[str]) -> None:
        """Write down that these params began to run; without lock or sync.

        Raises:
            OSError: It could not be written.
        """
        fresh = [id for id in ids if id not in self._started]
        if not fresh:
            return
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        fd = os.open(self._started_path(), flags, 0o666)
        try:
            self._appended = True
            os.write(fd, ("\n".join(fresh) + "\n").encode("ascii"))
        finally:
            os.close(fd)
        self._started.update(fresh)

    def has_started(self, id: str) -> bool:
        """Tell whether a param that is held began to run."""
        return id in self._started

    def remove(self) -> None:
        """Remove the lease; for a minion that holds nothing."""
        remove_lease(self._layout, self.name)
        self._content = b""


def remove_lease(layout: Layout, name: str) -> None:
    """Remove the files of a lease; the lease itself last."""
    remove(os.path.join(layout.started, name))
    remove(os.path.join(layout.leases, f"{name}.json.tmp"))
    remove(os.path.join(layout.leases, f"{name}.json"))


def lease_names(layout: Layout) -> list[str]:
    """List the leases of all minions."""
    try:
        return [name[:-5] for name in os.listdir(layout.leases) if name.endswith(".json")]
    except FileNotFoundError:
        return []


def idle(layout: Layout, name: str, now: float) -> float | None:
    """Return for how many seconds a lease has not been touched; None if it is gone.

    Args:
        layout: The directory.
        name: Name of the lease.
        now: The file system's time, Unix seconds.
    """
    try:
        return max(0.0, now - os.stat(os.path.join(layout.leases, f"{name}.json")).st_mtime)
    except FileNotFoundError:
        return None


def _file_name(minion: str) -> str:
    return re.sub(r"[^\w.+-]", "_", minion, flags=re.ASCII).lstrip(".") or "minion"
