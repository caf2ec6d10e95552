"""``minion-queue fill``."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import IO, Any, NamedTuple

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


class Given(NamedTuple):
    """What the command line says of where params come from; the options' own names."""

    files: Sequence[str]
    as_json: bool
    as_csv: bool
    null: bool
    sweep: Sequence[str]
    joblog: str | None
    command: str | None


def fill(engine: str | None, dry_run: bool, **options: Any) -> int:
    """Put params into a queue, or show what would be put."""
    given = Given(**options)
    _check(given)
    total = None
    params: Iterable[Param]
    if given.sweep:
        combinations = Sweep(given.sweep)
        params, total = combinations, combinations.total
    elif given.joblog is not None:
        template = None if given.command is None else Template(given.command)
        params = _read([given.joblog], lambda file, name: from_joblog(file, name, template))
    else:
        params = _read(given.files or ["-"], _reader(given.as_json, given.as_csv, given.null))
    if dry_run:
        return _show(params, given.as_json)
    chosen = choose(engine)
    count, feed, stopper = filled(chosen, params, "params", total)
    return answer_put(chosen, given.as_json, count, feed, stopper)


def _check(given: Given) -> None:
    """Refuse what contradicts itself."""
    sources = {"FILE": bool(given.files), "--sweep": bool(given.sweep), "--from": given.joblog is not None}
    named = [name for name, here in sources.items() if here]
    if len(named) > 1:
        raise SettingsError(f"{' and '.join(named)}: params come from one of them")
    if given.command is not None and given.joblog is None:
        raise SettingsError("--command is for --from: it is the command line that GNU parallel was given")
    for name, here in (("--csv", given.as_csv), ("--null", given.null)):
        if here and (given.sweep or given.joblog is not None):
            raise SettingsError(f"{name} is for FILEs and standard input, not for {named[0]}")
    if given.null and (given.as_csv or given.as_json):
        raise SettingsError(f"--null and {'--csv' if given.as_csv else '--json'}: give one of them")


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
