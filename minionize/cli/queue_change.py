"""``minion-queue requeue | copy | purge``."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import click

from minionize.cli.queue_common import (
    Chosen,
    answer,
    answer_put,
    choose,
    dead_letters,
    dead_place,
    ended,
    filled,
    tell,
    visited,
)
from minionize.cli.queue_look import matching
from minionize.engine import DeadLetter, Engine, Undecodable
from minionize.errors import ExitCode, SettingsError
from minionize.queue.stopping import Stopper
from minionize.task import Param

__all__ = ["copy", "purge", "requeue"]


def requeue(
    engine: str | None, as_json: bool, ids: Sequence[str], everything: bool, cause: str | None, dead: str | None
) -> int:
    """Make dead params ready again."""
    if bool(ids) + everything + (cause is not None) != 1:
        raise SettingsError("which? Name IDs (minion-queue dead shows them), or --cause TEXT, or --all")
    chosen = choose(engine, dead=dead)
    place = dead_place(chosen, dead)
    if place is not None and not (dead or chosen.settings.values["dead"]):
        raise SettingsError(
            f"engine {chosen.engine.name} keeps no dead params: name the file of its minions by --dead PATH "
            f"(without their --dead it is one of those in {place})"
        )
    letters = _chosen(list(matching(dead_letters(chosen, place), cause)), ids)
    if place is not None:
        return _requeue_lines(chosen, as_json, place, letters)
    stopper = Stopper()
    with visited(chosen) as queue, stopper.listening():
        count = queue.requeue([letter.id for letter in letters]) if letters else 0
    answer(as_json, {"requeued": count, **chosen.fields()}, f"{count:,} made ready again in {chosen.name}")
    return ended(None, stopper, "all was done")


def _chosen(letters: list[DeadLetter], ids: Sequence[str]) -> list[DeadLetter]:
    if not ids:
        return letters
    missing = set(ids) - {letter.id for letter in letters}
    if missing:
        raise SettingsError(f"no dead param has the id {', '.join(sorted(missing))}; minion-queue dead shows all")
    return [letter for letter in letters if letter.id in ids]


def _requeue_lines(chosen: Chosen, as_json: bool, place: Path, letters: list[DeadLetter]) -> int:
    """Put dead params from a file into the queue, and then write there that they are dead no longer.

    After a kill in between they are put again by the next time: twice rather than never.
    """
    from minionize.queue.dead_lines import DeadLines

    _, feed, stopper = filled(chosen, (letter.param for letter in letters), "params", len(letters))
    DeadLines(place).take_back(islice(letters, feed.count))
    words = f"{feed.count:,} made ready again in {chosen.name}"
    answer(as_json, {"requeued": feed.count, **chosen.fields(), "dead": str(place)}, words)
    return ended(feed.error, stopper, f"{feed.count:,} of {len(letters):,} are ready again")


def copy(engine: str | None, as_json: bool, to: str, settings: Sequence[str]) -> int:
    """Copy the ready params of a queue into another one."""
    source, target = choose(engine), choose(to, settings)
    if source.fields() == target.fields():
        raise SettingsError(f"{source.name} cannot be copied into itself: name another queue by VARIABLE=VALUE")
    with visited(source) as queue:
        backlog = queue.backlog()
        total = None if backlog is None or backlog.ready is None else backlog.ready - backlog.delayed
        # What comes meanwhile is not copied: it could be the copy itself, by another name.
        params = queue.peek(total if backlog is not None and backlog.exact else None)
        torn: list[Undecodable] = []
        count, feed, stopper = filled(target, _decoded(params, torn), "params", total)
    code = answer_put(target, as_json, count, feed, stopper, undecodable=len(torn), source=source.fields())
    if torn:
        tell(f"{len(torn):,} that cannot be decoded {'was' if len(torn) == 1 else 'were'} not copied: {torn[0].why}")
    return code or (ExitCode.DEAD if torn else ExitCode.OK)


def _decoded(params: Iterable[Param], torn: list[Undecodable]) -> Iterator[Param]:
    """Yield params; what could not be decoded is gathered instead: minions of their own queue make it dead."""
    for param in params:
        if isinstance(param, Undecodable):
            torn.append(param)
        else:
            yield param


def purge(engine: str | None, as_json: bool, yes: bool) -> int:
    """Throw away what is ready in a queue."""
    chosen = choose(engine)
    stopper = Stopper()
    with visited(chosen) as queue:
        if not yes and type(queue).purge is not Engine.purge:
            backlog = queue.backlog()
            _ask(chosen, "what is" if backlog is None or backlog.ready is None else f"{backlog.ready:,}")
        with stopper.listening():
            count = queue.purge()
    answer(as_json, {"purged": count, **chosen.fields()}, f"{count:,} thrown away from {chosen.name}")
    return ended(None, stopper, "all was done")


def _ask(chosen: Chosen, count: str) -> None:
    if not os.isatty(0):
        raise SettingsError(f"would throw away {count} ready in {chosen.name}: --yes says that it may")
    if not click.confirm(f"throw away {count} ready in {chosen.name}?", err=True):
        raise SystemExit(ExitCode.DEAD)
