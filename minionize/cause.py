"""What failures are grouped by: how a run ended, and the last thing that it said, without what differs each time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

__all__ = ["cause_of", "normal"]

_LENGTH = 120
_VARYING = re.compile(
    r"""(?x)
    (?P<quoted>"[^"\n]*"|'[^'\n]*')
    | (?P<path>(?<![\w])/(?:[\w.+@%~-]+/)*[\w.+@%~-]+)
    | (?P<hex>\b0x[0-9a-fA-F]+\b|\b(?=[0-9a-f]*\d)[0-9a-f]{8,}\b)
    | (?P<number>(?<![A-Za-z_])[-+]?\d+(?:\.\d+)*(?:[eE][-+]?\d+)?)
    """
)
_STANDS = {"quoted": "'...'", "path": "/...", "hex": "N", "number": "N"}


def cause_of(evidence: Mapping[str, Any]) -> str:
    """Say in one line why a run did not succeed, the same for all that failed in the same way.

    Args:
        evidence: What is known of it: a record, a dead letter's evidence, an entry of ``/failures``; of these names
            what there is: outcome, exit_code, signal, reason, stderr.
    """
    ended = _ended(evidence)
    words = _last_line(evidence.get("stderr"))
    return f"{ended}: {normal(words)}" if words else ended


def normal(words: str) -> str:
    """Replace what differs from run to run (numbers, paths, quoted words) by what stands for it; cut what is long."""
    return _VARYING.sub(lambda found: _STANDS[found.lastgroup or "number"], words)[:_LENGTH]


def _ended(evidence: Mapping[str, Any]) -> str:
    reason = evidence.get("reason")
    if evidence.get("outcome") == "timed_out":
        return "timed out"
    if evidence.get("signal") is not None or evidence.get("exit_code") is not None:
        number = evidence.get("signal")
        return _signal_name(number) if number is not None else f"exit code {evidence['exit_code']}"
    return normal(str(reason)) if reason else str(evidence.get("outcome") or "unknown")


def _signal_name(number: object) -> str:
    import signal

    try:
        return f"killed by {signal.Signals(int(str(number))).name}"
    except ValueError:
        return f"killed by signal {number}"


def _last_line(text: object) -> str:
    """Return the last line that says something."""
    for line in reversed(str(text).splitlines() if text else []):
        if line.strip():
            return line.strip()
    return ""
