"""A registry in a directory: ``ID.json`` for each minion, which only this user may read.

On a shared home all nodes meet in it. The file system's clock tells all ages: it dates what a minion writes,
and a file that a reader makes tells what it shows now.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress

from minionize.announcement import LARGEST, Decoder, encode, is_id, uncollected
from minionize.errors import RegistryError
from minionize.host import state_home
from minionize.registry import DAY, Announcement, Registry, Seen, kept_for

__all__ = ["DirectoryRegistry"]

CLEANED = ".cleaned"
"""Its modification time says when somebody last cleaned up, so that a thousand minions that start do it once."""

CLEAN_EVERY = 3_600.0
TRUST = 5.0
"""For so many seconds the file system's clock is told by our own, before it is asked again."""

SUFFIX, DRAFT, PROBE = ".json", ".draft", ".clock-"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
# Neither follows a link, nor waits for the writer of a FIFO, nor takes a terminal.
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_NOCTTY | os.O_CLOEXEC


class DirectoryRegistry(Registry):
    """Announcements in a directory of mode 0700, in files of mode 0600, each replaced in one step."""

    name = "directory"

    def __init__(self, place: str, environ: Mapping[str, str]) -> None:
        if place.startswith("~/"):
            place = os.path.join(environ.get("HOME") or os.path.expanduser("~"), place[2:])
        elif place:
            # The minion may change its directory later. Without a present one the path is as good as it gets.
            with suppress(OSError):
                place = os.path.abspath(place)
        super().__init__(place or os.path.join(state_home(environ), "minions"), environ)
        self._newcomer = True
        self._decoder: Decoder | None = None
        self._offset = 0.0
        self._asked = -TRUST

    def announce(self, announcement: Announcement) -> None:
        """Write the file anew; the first time also clean up."""
        data = encode(announcement)
        with self._errors("write"), self._opened(make=True) as folder:
            self._check(os.fstat(folder))
            now = _replace(folder, announcement["id"], data)
            if self._newcomer:
                with suppress(OSError):
                    self._clean(folder, now)
        self._newcomer = False

    def read(self) -> list[Seen]:
        """Read all files that are announcements."""
        found: list[Seen] = []
        self.passed_over = 0
        with self._errors("read"), suppress(FileNotFoundError), self._opened() as folder, uncollected():
            # Asked first: on NFS that also shows what other hosts have added to the directory.
            now = self._now(folder)
            owner = os.fstat(folder).st_uid
            # A name that is replaced meanwhile may be listed twice.
            for name in sorted(set(os.listdir(folder))):
                if not name.endswith(SUFFIX):
                    continue
                entry = _read(folder, name, owner)
                announcement = entry and self._decode(name, entry[0])
                if entry and announcement:
                    # Written after we asked, or before the file system's clock was set back: then soon anew.
                    found.append(Seen(announcement, abs(now - entry[1])))
                else:
                    self.passed_over += 1
        return found

    def forget(self, ids: Iterable[str]) -> int:
        """Remove their files."""
        gone = 0
        with self._errors("write"), suppress(FileNotFoundError), self._opened() as folder:
            for id in filter(is_id, ids):
                with suppress(FileNotFoundError):
                    os.unlink(id + SUFFIX, dir_fd=folder)
                    gone += 1
        return gone

    def _decode(self, name: str, data: bytes) -> Announcement | None:
        if self._decoder is None:
            self._decoder = Decoder()
        return self._decoder(name.removesuffix(SUFFIX), data)

    @contextmanager
    def _opened(self, make: bool = False) -> Iterator[int]:
        """Open the directory, so that all is done in this one, whatever its path leads to meanwhile."""
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
        try:
            folder = os.open(self.place, flags)
        except FileNotFoundError:
            if not make:
                raise
            self._make()
            folder = os.open(self.place, flags)
        try:
            yield folder
        finally:
            os.close(folder)

    def _make(self) -> None:
        if not os.path.isabs(self.place):
            raise RegistryError(
                f"cannot announce this minion in {self.place}: there is no home directory; "
                "set XDG_STATE_HOME, or MINION_REGISTRY to dir:PATH or none"
            )
        os.makedirs(os.path.dirname(self.place), exist_ok=True)
        with suppress(FileExistsError):
            os.mkdir(self.place, 0o700)
            # Whatever the umask has taken away.
            os.chmod(self.place, 0o700)

    def _check(self, status: os.stat_result) -> None:
        """See to it that nobody else can look into the directory, or put anything there."""
        if status.st_uid != os.geteuid():
            raise RegistryError(
                f"will not announce this minion in {self.place}: it belongs to another user (uid {status.st_uid}); "
                "name a directory of your own by MINION_REGISTRY=dir:PATH, or none"
            )
        if status.st_mode & 0o077:
            raise RegistryError(
                f"will not announce this minion in {self.place}: other users may use it "
                f"(mode {stat.S_IMODE(status.st_mode):04o}); chmod 700 it, or set MINION_REGISTRY to dir:PATH or none"
            )

    @contextmanager
    def _errors(self, what: str) -> Iterator[None]:
        """Turn the system's errors into ours, with the place and a remedy."""
        try:
            yield
        except OSError as error:
            if error.errno in _FULL:
                remedy = "make room there"
            elif what == "read":
                remedy = "check MINION_REGISTRY"
            else:
                remedy = "name a directory that you can write by MINION_REGISTRY=dir:PATH, or none"
            why = error.strerror or str(error)
            raise RegistryError(f"cannot {what} the registry {self.place}: {why}; {remedy}") from error
        except ValueError as error:
            # A NUL in the path.
            raise RegistryError(f"cannot {what} the registry {self.place!r}: {error}; check MINION_REGISTRY") from error

    def _now(self, folder: int) -> float:
        """Return the file system's time, as Unix seconds; this host's where nothing can be written."""
        mine = time.monotonic()
        if mine - self._asked >= TRUST:
            self._offset = (_ask(folder) or time.time()) - mine
            self._asked = mine
        return mine + self._offset

    def _clean(self, folder: int, now: float) -> None:
        """Remove what was left behind long ago, unless somebody did so lately."""
        try:
            if abs(now - os.stat(CLEANED, dir_fd=folder, follow_symlinks=False).st_mtime) < CLEAN_EVERY:
                return
            os.utime(CLEANED, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            os.close(os.open(CLEANED, _NEW, 0o600, dir_fd=folder))
        owner = os.geteuid()
        for name in os.listdir(folder):
            # Another one may be cleaning too, and a minion that was away may come back.
            with suppress(OSError):
                age = now - os.stat(name, dir_fd=folder, follow_symlinks=False).st_mtime
                if age > DAY and self._is_ours(folder, name, owner, age):
                    os.unlink(name, dir_fd=folder)

    def _is_ours(self, folder: int, name: str, owner: int, age: float) -> bool:
        """Tell whether a file was left by a minion or a reader, and is no longer kept."""
        if name.endswith(SUFFIX):
            entry = _read(folder, name, owner)
            announcement = entry and self._decode(name, entry[0])
            return bool(announcement and age > kept_for(announcement))
        return name.startswith(PROBE) or (name.startswith(".") and name.endswith(DRAFT))


def _read(folder: int, name: str, owner: int) -> tuple[bytes, float] | None:
    """Read one file and its modification time; None if it can be no announcement. Never waits."""
    try:
        # Opened anew each time: that is when NFS looks for what another host has written.
        fd = os.open(name, _READ, dir_fd=folder)
    except OSError as error:
        if error.errno in _EXHAUSTED:
            raise
        return None
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != owner or status.st_size > LARGEST:
            return None
        return os.read(fd, LARGEST), status.st_mtime
    except OSError:
        return None
    finally:
        os.close(fd)


def _replace(folder: int, id: str, data: bytes) -> float:
    """Write an announcement whole or not at all; return its time, by the file system's clock."""
    draft, name = f".{id}{DRAFT}", id + SUFFIX
    try:
        try:
            fd = os.open(draft, _NEW, 0o600, dir_fd=folder)
        except FileExistsError:
            os.unlink(draft, dir_fd=folder)
            fd = os.open(draft, _NEW, 0o600, dir_fd=folder)
        try:
            # Whatever the umask has taken away.
            os.fchmod(fd, 0o600)
            if os.write(fd, data) < len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            written = os.fstat(fd).st_mtime
        finally:
            # NFS tells only here that the disk was full.
            os.close(fd)
        os.rename(draft, name, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError:
        with suppress(OSError):
            os.unlink(draft, dir_fd=folder)
        # Its numbers grow old, but the minion lives.
        with suppress(OSError):
            os.utime(name, dir_fd=folder, follow_symlinks=False)
        raise
    return written


def _ask(folder: int) -> float | None:
    """Ask the file system for its time, as Unix seconds; None where no file can be made."""
    name = f"{PROBE}{os.getpid()}-{os.urandom(4).hex()}"
    try:
        fd = os.open(name, _NEW, 0o600, dir_fd=folder)
    except OSError:
        return None
    try:
        return os.fstat(fd).st_mtime
    finally:
        os.close(fd)
        with suppress(OSError):
            os.unlink(name, dir_fd=folder)
