"""JSON Lines: the records of ours and of minionize 0.3.4, many at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import msgspec

from minionize.status.readers.old import OldRun, from_old
from minionize.status.run import Run

__all__ = ["Lines"]

_Kind = (
    tuple[msgspec.json.Decoder[Run], Callable[[Run], Run]]
    | tuple[msgspec.json.Decoder[OldRun], Callable[[OldRun], Run]]
)


class Lines:
    """Makes runs of whole lines.

    Attributes:
        passed_over: How many lines were no record.
    """

    def __init__(self) -> None:
        self.passed_over = 0
        self._new = msgspec.json.Decoder(Run)
        self._old = msgspec.json.Decoder(OldRun)
        self._is_old = False

    def runs(self, lines: bytes) -> list[Run]:
        """Return the runs of some lines, in their order; what is no record is passed over."""
        try:
            if self._is_old:
                return list(map(from_old, self._old.decode_lines(lines)))
            return self._new.decode_lines(lines)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return list(self._one_by_one(lines))

    def end(self, torn: bytes) -> list[Run]:
        """Return the run of a last line without its end, if it is whole: what is torn is no JSON."""
        run = self._run(torn) if torn.endswith(b"}") else None
        return [] if run is None else [run]

    def _one_by_one(self, lines: bytes) -> Iterator[Run]:
        for line in lines.split(b"\n"):
            if not line.strip():
                continue
            run = self._run(line)
            if run is None:
                self.passed_over += 1
            else:
                yield run

    def _run(self, line: bytes) -> Run | None:
        """Make one run, whoever wrote it."""
        for is_old in (self._is_old, not self._is_old):
            try:
                run = from_old(self._old.decode(line)) if is_old else self._new.decode(line)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                continue
            self._is_old = is_old
            return run
        return self._mended(line)

    def _mended(self, line: bytes) -> Run | None:
        """Make a run of what only Python's reader takes: NaN as a param, half a character in an output."""
        try:
            found = json.loads(line)
            if "uid" not in found:
                return msgspec.convert(found, Run)
            found["param"] = None
            return from_old(msgspec.json.decode(json.dumps(found), type=OldRun))
        except (ValueError, TypeError, RecursionError):
            return None
