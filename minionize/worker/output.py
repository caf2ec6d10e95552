"""Where a run's output goes: to minionize's own stdout and stderr, and into the evidence.

Modes: ``pass`` (straight through, as it comes), ``group`` (a run's output appears whole, at its end),
``line`` (whole lines, as they come), ``none``.
"""

from __future__ import annotations

import errno
import os
import select
import stat
from collections.abc import Callable
from typing import IO, Protocol

from minionize.console import say

TAIL = 4096
"""Bytes of the end of stderr that are kept as evidence."""

_SPOOL = 1 << 20
# Beyond this a line is passed on in pieces: it must not fill the memory.
_LINE = 1 << 20
_EVERYTHING = 1 << 30
# A reader that has taken nothing for so many milliseconds is not waited for by a minion that is stopped.
_READER = 500


class Shown(Protocol):
    """Shows a run's output."""

    def feed(self, data: bytes, /) -> None:
        """Take a piece."""

    def end(self) -> None:
        """Show what was held back."""


class Capture:
    """Keeps the beginning of a stream up to a cap, its end, and its size."""

    __slots__ = ("_cap", "_head", "_tail", "total")

    def __init__(self, cap: int) -> None:
        self._cap = cap
        self._head = bytearray()
        self._tail = b""
        self.total = 0

    def feed(self, data: bytes) -> None:
        """Take a piece."""
        self.total += len(data)
        room = self._cap - len(self._head)
        if room > 0:
            self._head += data[:room]
        self._tail = (self._tail + data)[-TAIL:]

    def head(self) -> str:
        """Return the beginning, as text."""
        return self._head.decode("utf-8", "replace")

    def tail(self) -> str:
        """Return the end, as text."""
        return self._tail.decode("utf-8", "replace")


class Sink:
    """Writes to one of minionize's own streams; remembers when that fails, and never raises.

    Attributes:
        error: Why it takes nothing any more; None if it does.
        gives_up: Whether to wait no longer for a reader that does not read.
        before: Called before each piece: takes away what stands in its place on a terminal.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._poll = select.poll()
        self._poll.register(fd, select.POLLOUT)
        # A file takes everything at once; a pipe that has room takes so much without making us wait.
        self._piece = _EVERYTHING if _is_file(fd) else select.PIPE_BUF
        self.error: OSError | None = None
        self.gives_up: Callable[[], bool] = lambda: False
        self.before: Callable[[], None] = lambda: None

    def feed(self, data: bytes | bytearray | memoryview) -> None:
        """Write all of it, waiting for a slow reader."""
        self.before()
        rest = memoryview(data)
        while rest and self.error is None:
            if not self._poll.poll(_READER) and self.gives_up():
                self.error = OSError(errno.ETIMEDOUT, "nobody reads it")
                return
            try:
                rest = rest[os.write(self._fd, rest[: self._piece]) :]
            except BlockingIOError:
                continue  # somebody made the stream non-blocking (a shell's terminal, say)
            except OSError as error:
                self.error = error

    def end(self) -> None:
        """Do nothing: nothing was held back."""

    def broken(self) -> bool:
        """Tell whether it takes nothing any more, also where only the children write."""
        if self.error is None:
            self.error = self._full()
        if self.error is not None:
            return True
        return any(mask & (select.POLLERR | select.POLLNVAL) for _, mask in self._poll.poll(0))

    def _full(self) -> OSError | None:
        """Find out whether the disk behind it is full; for a file only the file system can tell."""
        try:
            os.write(self._fd, b"")
            if self._piece == _EVERYTHING and os.fstatvfs(self._fd).f_bavail == 0:
                return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            return None if error.errno in (errno.EAGAIN, errno.EPIPE) else error
        return None


def _is_file(fd: int) -> bool:
    try:
        return stat.S_ISREG(os.fstat(fd).st_mode)
    except OSError:
        return False


class Lines:
    """Passes whole lines on, each with a tag before it."""

    def __init__(self, sink: Sink, tag: bytes) -> None:
        self._sink, self._tag = sink, tag
        self._rest = b""

    def feed(self, data: bytes) -> None:
        """Take a piece; write the lines that are complete."""
        lines, newline, rest = (self._rest + data).rpartition(b"\n")
        self._rest = rest
        if newline:
            self._write(lines)
        if len(self._rest) > _LINE:
            self.end()

    def end(self) -> None:
        """Write the last line, which had no end."""
        if self._rest:
            rest, self._rest = self._rest, b""
            self._write(rest)

    def _write(self, lines: bytes) -> None:
        if self._tag:
            lines = b"\n".join(self._tag + line for line in lines.split(b"\n"))
        self._sink.feed(lines + b"\n")


class Group:
    """Holds everything back until the end: in memory, beyond a mebibyte in a temporary file."""

    def __init__(self, sink: Sink, tag: bytes) -> None:
        self._sink, self._tag = sink, tag
        self._held = bytearray()
        self._file: IO[bytes] | None = None

    def feed(self, data: bytes) -> None:
        """Take a piece."""
        self._held += data
        if len(self._held) > _SPOOL:
            self._spill()

    def end(self) -> None:
        """Write everything, in one piece."""
        if self._file is None and not self._tag:
            self._sink.feed(self._held)
            return
        lines = Lines(self._sink, self._tag)
        take = lines.feed if self._tag else self._sink.feed
        if self._file is not None:
            self._file.seek(0)
            while piece := self._file.read(65536):
                take(piece)
            self._file.close()
        take(bytes(self._held))
        lines.end()

    def tail(self) -> bytes:
        """Return the end of what is held back; any thread may ask."""
        held = bytes(self._held[-TAIL:])
        file = self._file
        if file is None or len(held) == TAIL:
            return held
        size = os.fstat(file.fileno()).st_size
        return (os.pread(file.fileno(), TAIL, max(0, size - TAIL)) + held)[-TAIL:]

    def _spill(self) -> None:
        import tempfile

        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed in end()
            while self._held:
                del self._held[: self._file.write(self._held) or 0]
        except OSError:
            # No room for temporary files: the memory has to do.
            return


class Stream:
    """One stream of one run: shows what comes, keeps what the evidence needs; nothing is made until something comes."""

    __slots__ = ("_cap", "_kind", "_shown", "_sink", "_tag", "captured")

    def __init__(
        self, sink: Sink | None, cap: int, kind: Callable[[Sink, bytes], Shown] | None = None, tag: bytes = b""
    ) -> None:
        """Show through ``kind``, or straight to the sink; nowhere without a sink."""
        self._sink, self._cap, self._kind, self._tag = sink, cap, kind, tag
        self._shown: Shown | None = None
        self.captured: Capture | None = None

    def feed(self, data: bytes) -> None:
        """Take a piece."""
        if self._cap:
            if self.captured is None:
                self.captured = Capture(self._cap)
            self.captured.feed(data)
        if self._sink is not None:
            if self._shown is None:
                self._shown = self._sink if self._kind is None else self._kind(self._sink, self._tag)
            self._shown.feed(data)

    def end(self) -> None:
        """Show what was held back."""
        if self._shown is not None:
            self._shown.end()

    @property
    def head(self) -> str | None:
        """The beginning; None if it is not captured."""
        return (self.captured.head() if self.captured else "") if self._cap else None

    @property
    def size(self) -> int | None:
        """How many bytes came; None if it is not captured."""
        return (self.captured.total if self.captured else 0) if self._cap else None

    @property
    def tail(self) -> str:
        """The end."""
        return self.captured.tail() if self.captured else ""

    def live(self) -> str | None:
        """Return the end of what has come until now; None where nothing of it is kept. Any thread may ask."""
        captured, shown = self.captured, self._shown
        if captured is not None:
            return captured.tail()
        if isinstance(shown, Group):
            try:
                return shown.tail().decode("utf-8", "replace")
            except (OSError, ValueError):
                return None  # it has just been shown and let go
        return "" if self._cap or self._kind is Group else None


class Streams:
    """What one run's streams are connected to.

    Attributes:
        stdout: Takes the output; None: it is not ours to take.
        inherit: The descriptor that becomes the run's stdout, where it is not ours to take.
        stderr: Takes the errors.
    """

    __slots__ = ("inherit", "stderr", "stdout")

    def __init__(self, stdout: Stream | None, inherit: int, stderr: Stream) -> None:
        self.stdout, self.inherit, self.stderr = stdout, inherit, stderr

    def end(self) -> None:
        """Show what was held back."""
        if self.stdout is not None:
            self.stdout.end()
        self.stderr.end()

    def live(self) -> tuple[str | None, str | None]:
        """Return the ends of both as they are now."""
        return self.stdout.live() if self.stdout is not None else None, self.stderr.live()


class Output:
    """Connects runs to minionize's own stdout and stderr.

    Attributes:
        mode: "pass", "group", "line" or "none".
        tag: Whether each line begins with the param and a tab.
        cap: Bytes of each stream to capture for the records.
        keep: Whether stdout is captured: "always", or "ours" where it comes through our hands, or "never".
        out_fd: The descriptor of minionize's own stdout.
    """

    def __init__(
        self, wanted: str | None, slots: int, tag: bool, cap: int, keep: str, out: int = 1, err: int = 2
    ) -> None:
        """Connect to our own streams.

        Args:
            wanted: The mode that the user asked for; None: "group".
            slots: How many runs there are at a time.
            tag: As the attribute.
            cap: As the attribute.
            keep: As the attribute.
            out: Descriptor of our stdout.
            err: Descriptor of our stderr.
        """
        self._wanted = wanted or "group"
        self.tag, self.cap, self.keep = tag, cap, keep
        self.fit(slots)
        self.stdout, self.stderr = Sink(out), Sink(err)
        self._null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        self.out_fd = out

    @property
    def null(self) -> int:
        """A descriptor of /dev/null."""
        return self._null

    def fit(self, slots: int) -> None:
        """Choose the mode for so many slots, for the runs to come.

        What runs alone is never interleaved, so its first bytes need not wait for its last. A tag needs lines.
        """
        alone = slots == 1 and self._wanted == "group"
        self.mode = ("line" if self.tag else "pass") if alone else self._wanted

    def connect(self, param: str) -> Streams:
        """Make the streams of one run, for a param as text."""
        keep = self.cap if self.keep == "always" or (self.keep == "ours" and self.mode != "pass") else 0
        if self.mode == "none":
            return Streams(Stream(None, keep) if keep else None, self._null, Stream(None, self.cap))
        if self.mode == "pass":
            stdout = Stream(self.stdout, keep) if keep else None
            return Streams(stdout, self.out_fd, Stream(self.stderr, self.cap))
        kind = Group if self.mode == "group" else Lines
        tag = f"{param}\t".encode("utf-8", "replace") if self.tag else b""
        return Streams(Stream(self.stdout, keep, kind, tag), -1, Stream(self.stderr, self.cap, kind, tag))

    def is_unread(self) -> bool:
        """Tell whether the reader of our stdout has gone; a disk that is full is something else."""
        error = self.stdout.error
        return self.stdout.broken() and (error is None or error.errno == errno.EPIPE)

    def lost(self) -> OSError | None:
        """Return why stdout takes nothing any more, or None."""
        return self.stdout.error

    def say(self, message: str) -> None:
        """Write one of minionize's own messages."""
        self.stderr.before()
        say(message)

    def gives_up(self, when: Callable[[], bool]) -> None:
        """Say when a reader that does not read is not waited for."""
        self.stdout.gives_up = self.stderr.gives_up = when

    def close(self) -> None:
        """Let go of /dev/null."""
        os.close(self._null)


def hold_standard_streams() -> None:
    """Point standard streams that are closed at /dev/null: else what is opened next would become one of them."""
    for fd in (0, 1, 2):
        try:
            os.fstat(fd)
        except OSError:
            # The lowest descriptor that is free: this one.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
