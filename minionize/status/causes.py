"""Failures by their cause. Pure."""

from __future__ import annotations

from minionize.cause import cause_of
from minionize.status.run import Run

__all__ = ["Cause", "Causes"]

_CAUSES = 5_000
_REMEMBERED = 2_000
_SAMPLES = 3
_OTHERS = "(other causes)"
_TAIL = 2_000  # characters of stderr in which its last line is looked for


class Cause:
    """What failed in the same way.

    Attributes:
        count: How many runs.
        seconds: What they took.
        first, last: Unix seconds at which the first and the last one ended.
        samples: Ids of a few params.
    """

    __slots__ = ("count", "first", "last", "samples", "seconds")

    def __init__(self) -> None:
        self.count = 0
        self.seconds = 0.0
        self.first = float("inf")
        self.last = 0.0
        self.samples: list[str] = []


class Causes:
    """All causes; beyond a few thousand, further ones are counted as one."""

    def __init__(self) -> None:
        self.found: dict[str, Cause] = {}
        self._known: dict[tuple[object, ...], str] = {}

    def add(self, run: Run, seconds: float) -> None:
        """Count one run that failed."""
        name = self._name(run)
        cause = self.found.get(name)
        if cause is None:
            name = name if len(self.found) < _CAUSES else _OTHERS
            cause = self.found.setdefault(name, Cause())
        cause.count += 1
        cause.seconds += seconds
        cause.first = min(cause.first, run.ended)
        cause.last = max(cause.last, run.ended)
        if len(cause.samples) < _SAMPLES and run.id not in cause.samples:
            cause.samples.append(run.id)

    def _name(self, run: Run) -> str:
        """Say the cause; whole sweeps fail with the same words, and finding it takes longer than anything else."""
        stderr = run.stderr[-_TAIL:] if run.stderr else None
        key = (run.outcome, run.exit_code, run.signal, run.reason, stderr)
        name = self._known.get(key)
        if name is None:
            evidence = zip(("outcome", "exit_code", "signal", "reason", "stderr"), key, strict=True)
            name = cause_of(dict(evidence))
            if len(self._known) < _REMEMBERED:
                self._known[key] = name
        return name
