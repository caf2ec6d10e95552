"""``minion-queue fill``."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import IO

from minionize.cli.queue_common import answer_put, choose, filled, tell
from minionize.console import printable, write
from minionize.errors import ExitCode, SettingsError
from minionize.queue.feed import Feed
from minionize.queue.joblog import Template, from_joblog
from minionize.queue.sources import from_csv, from_json, from_lines
from minionize.queue.stopping import Stopper
from minionize.queue.sweep import Sweep
from minionize.records import encode
from minionize.task import Param, param_text

__all__ = ["fill"]

_Reader = Callable[[IO[bytes], str], Iterator[Param]]


def fill(
    engine: str | None,
    files: Sequence[str],
    as_json: bool,
    as_csv: bool,
    null: bool,
    sweep: Sequence[str],
    joblog: str | None,
    command: str | None,
    dry_run: bool,
) -> int:
    """Put params into a queue, or show what would be put."""
    _check(files, as_json, as_csv, null, sweep, joblog, command)
    total = None
    params: Iterable[Param]
    if sweep:
        combinations = Sweep(sweep)
        params, total = combinations, combinations.total
    elif joblog is not None:
        template = None if command is None else Template(command)
        params = _read([joblog], lambda file, name: from_joblog(file, name, template))
    else:
        params = _read(files or ["-"], _reader(as_json, as_csv, null))
    if dry_run:
        return _show(params, as_json)
    chosen = choose(engine)
    count, feed, stopper = filled(chosen, params, "params", total)
    return answer_put(chosen, as_json, count, feed, stopper)


def _check(
    files: Sequence[str],
    as_json: bool,
    as_csv: bool,
    null: bool,
    sweep: Sequence[str],
    joblog: str | None,
    command: str | None,
) -> None:
    """Refuse what contradicts itself."""
    sources = {"FILE": bool(files), "--sweep": bool(sweep), "--from": joblog is not None}
    given = [name for name, here in sources.items() if here]
    if len(given) > 1:
        raise SettingsError(f"{' and '.join(given)}: params come from one of them")
    if command is not None and joblog is None:
        raise SettingsError("--command is for --from: it is the command line that GNU parallel was given")
    for name, here in (("--csv", as_csv), ("--null", null)):
        if here and (sweep or joblog is not None):
            raise SettingsError(f"{name} is for FILEs and standard input, not for {given[0]}")
    if null and (as_csv or as_json):
        raise SettingsError(f"--null and {'--csv' if as_csv else '--json'}: give one of them")


def _reader(as_json: bool, as_csv: bool, null: bool) -> _Reader:
    if as_csv:
        return from_csv
    return from_json if as_json else lambda file, name: from_lines(file, name, null)


def _read(files: Sequence[str], reader: _Reader) -> Iterator[Param]:
    for name in files:
        if name == "-":
            yield from reader(_standard_input(), "standard input")
            continue
        try:
            file = open(name, "rb")  # noqa: SIM115 - closed by the with below
        except (OSError, ValueError) as error:
            raise SettingsError(f"{name}: {getattr(error, 'strerror', None) or error}") from error
        with file:
            yield from reader(file, name)


def _standard_input() -> IO[bytes]:
    if sys.__stdin__ is None:
        raise SettingsError("standard input is closed: pipe params in (seq 10 | minion-queue fill), or name a FILE")
    if os.isatty(0):
        tell("one param on each line, please; Ctrl-D ends them")
    return sys.stdin.buffer


def _show(params: Iterable[Param], as_json: bool) -> int:
    stopper = Stopper()
    feed = Feed(params, stopper)
    with stopper.listening():
        for param in feed:
            write(f"{encode(param) if as_json else _line(param)}\n")
    tell(f"{feed.count:,} would be put")
    if feed.error is not None:
        raise feed.error
    return ExitCode.OK if stopper.signal is None else ExitCode.SIGNAL + stopper.signal


def _line(param: Param) -> str:
    text = param_text(param)
    return printable(text) if os.isatty(1) else text
