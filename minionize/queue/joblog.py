"""The failed lines of a joblog of GNU parallel (``--joblog``)."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import IO

from minionize.errors import SettingsError
from minionize.queue.sources import pieces

__all__ = ["Template", "from_joblog"]

_COLUMNS = 9
_HEAD = b"Seq\t"


def from_joblog(file: IO[bytes], name: str, template: Template | None = None) -> Iterator[str]:
    """Yield the commands that failed, or what stood in them for the placeholder.

    A job that failed and succeeded later (``--resume-failed``, ``--retry-failed``) has not failed.

    Args:
        file: The joblog.
        name: What messages call it.
        template: The command line that GNU parallel was given.

    Raises:
        SettingsError: It is no joblog, or a command was not made by the template.
    """
    failed: dict[bytes, tuple[int, str]] = {}
    lines = pieces(file, name)
    if not next(lines, (0, b""))[1].startswith(_HEAD):
        raise SettingsError(f"{name}: no joblog of GNU parallel: its first line must begin with Seq, Host, Starttime")
    for number, line in lines:
        parts = line.split(b"\t", _COLUMNS - 1)
        try:
            seq, has_failed = parts[0], int(parts[6]) != 0 or int(parts[7]) != 0
            # GNU parallel writes a line end within a command as a NUL.
            command = parts[8].decode("utf-8", "surrogateescape").replace("\0", "\n")
        except (IndexError, ValueError):
            raise SettingsError(f"{name}, line {number}: not a line of a joblog of GNU parallel") from None
        if has_failed:
            failed[seq] = number, command
        else:
            failed.pop(seq, None)
    for number, command in failed.values():
        yield command if template is None else template.param(command, f"{name}, line {number}")


class Template:
    """The command line that GNU parallel was given, read backwards.

    Args:
        words: The command line; ``{}`` stands for the param, else it was appended.

    Raises:
        SettingsError: It holds another placeholder.
    """

    def __init__(self, words: str) -> None:
        if other := re.search(r"\{(?:[./#%]+|\d+|=.*=)\}", words):
            raise SettingsError(f"--command {words}: only {{}} can be found back, not {other.group()}")
        self._words = words if "{}" in words else f"{words} {{}}"
        first, *others = map(re.escape, self._words.split("{}"))
        self._pattern = re.compile(first + "(.*?)" + r"\1".join(others), re.DOTALL)

    def param(self, command: str, where: str) -> str:
        """Return what stood for ``{}``, its quotes taken away.

        Raises:
            SettingsError: The command was not made by this template.
        """
        found = self._pattern.fullmatch(command)
        if found is None:
            raise SettingsError(f"{where}: {command[:200]!r} was not made by {self._words!r}")
        quoted = found.group(1)
        try:
            words = shlex.split(quoted)
        except ValueError:
            return quoted
        return words[0] if len(words) == 1 else quoted
