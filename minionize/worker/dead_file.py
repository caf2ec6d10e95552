"""Where dead params go when the queue has no place for them: a file of JSON Lines, durable before the ack."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from minionize.engine import Delivery, NotConnected, Undecodable
from minionize.errors import SettingsError
from minionize.host import state_home
from minionize.task import to_json


def state_directory(environ: Mapping[str, str]) -> Path:
    """Return where minionize keeps what must outlive it: ``$XDG_STATE_HOME/minionize``."""
    return Path(state_home(environ))


class DeadFile:
    """Appends dead params to a file, one for each minion unless the user names it."""

    def __init__(self, path: str | None, environ: Mapping[str, str], minion: str, say: Callable[[str], None]) -> None:
        """Find a place that can be written.

        Args:
            path: The user's choice; None: under the state directory, or else the temporary directory.
            environ: Where to look for the state directory.
            minion: Id of the minion, for the name of the file.
            say: Tells the user where the first dead param went.

        Raises:
            SettingsError: The user's choice cannot be written.
        """
        self._say = say
        self._fd: int | None = None
        self._unacked: dict[str, Delivery] = {}
        if path is not None:
            self.path = Path(path)
            self._prepare(self.path)
            return
        temporary = Path(environ.get("TMPDIR") or "/tmp") / f"minionize-{os.getuid()}"
        for base in (state_directory(environ), temporary):
            self.path = base / "dead" / f"{minion}.jsonl"
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            except OSError:
                continue
            if os.access(self.path.parent, os.W_OK):
                return
        place = self.path.parent
        raise SettingsError(f"no place for dead params: {place} cannot be written; name a file by --dead PATH")

    def _prepare(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a+b"):
                pass
        except OSError as error:
            remedy = "dead params need a file that can be written"
            raise SettingsError(f"--dead {path}: {error.strerror}; {remedy}") from error

    def write(self, delivery: Delivery, reason: str, evidence: Mapping[str, Any]) -> None:
        """Write one dead param; it is on the disk when this returns. Once, also if its ack has to be tried again.

        Raises:
            NotConnected: It could not be written; the param must stay in its queue.
        """
        if self._unacked.get(delivery.id) is delivery:
            return
        param = delivery.param.raw if isinstance(delivery.param, Undecodable) else delivery.param
        entry = {"id": delivery.id, "param": param, "reason": reason, "at": time.time(), **evidence}
        try:
            if self._fd is None:
                self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
                self._say(f"dead params go to {self.path}")
            self._append(to_json(entry) + "\n")
            self._unacked[delivery.id] = delivery
        except OSError as error:
            words = f"dead param {delivery.id} cannot be written to {self.path}: {error.strerror}"
            raise NotConnected(words) from error

    def acked(self) -> None:
        """Hear that what was written has left its queue."""
        self._unacked.clear()

    def _append(self, line: str) -> None:
        assert self._fd is not None
        data = line.encode("utf-8", "backslashreplace")
        before = os.fstat(self._fd).st_size
        if before and os.pread(self._fd, 1, before - 1) != b"\n":
            # What a killed minion left of its last line.
            data = b"\n" + data
        try:
            written = os.write(self._fd, data)
            if written < len(data):
                raise OSError(28, "No space left on device")
            os.fsync(self._fd)
        except OSError:
            # Half a line would spoil the next one.
            os.ftruncate(self._fd, before)
            raise

    def close(self) -> None:
        """Let go of the file."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
