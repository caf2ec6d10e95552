"""Records of minionize 0.3.4: one line for each generation, with the times of what a minion did in it."""

from __future__ import annotations

import re

import msgspec

from minionize.status.run import Moment, Run

__all__ = ["OldRun", "from_old"]

_EXIT = re.compile(r"returned non-zero exit status (\d{1,3})\.?$")
_SIGNAL = re.compile(r"died with <Signals\.\w+: (\d{1,2})>\.?$")
_LENGTH = 60  # of a param that stands for an id


class _Action(msgspec.Struct, gc=False):
    name: str
    start: Moment
    end: Moment


class OldRun(msgspec.Struct, gc=False):
    """What 0.3.4 wrote. ``start`` is when the minion asked for the param, so a run is its action ``process``."""

    uid: str
    generation: int
    start: Moment
    end: Moment
    nodename: str = ""
    error: str | None = None
    oar_job_id: str | None = None
    param: msgspec.Raw = msgspec.Raw(b"null")
    atomic_actions: list[_Action] = []


def from_old(old: OldRun) -> Run:
    """Make a run of it. It was acked whatever its outcome; a program's exit code and signal stand in the error."""
    started, ended = old.start, old.end
    for action in old.atomic_actions:
        if action.name == "process":
            started, ended = action.start, action.end
            break
        if action.name == "next":
            started = action.end
    error = old.error
    exited = _EXIT.search(error) if error else None
    killed = _SIGNAL.search(error) if error else None
    return Run(
        outcome="succeeded" if error is None else "failed",
        started=started,
        ended=ended,
        minion=old.uid,
        host=old.nodename,
        id=bytes(old.param)[:_LENGTH].decode("utf-8", "replace"),
        settled="ack",
        exit_code=int(exited[1]) if exited else None,
        signal=int(killed[1]) if killed else None,
        reason=error,
        job=old.oar_job_id,
    )
