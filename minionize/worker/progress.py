"""The progress bar on stderr: rate, failures, ETA."""

from __future__ import annotations

import os
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any

from minionize.engine import Backlog
from minionize.stats import Stats

if TYPE_CHECKING:
    from minionize.worker.loop import Loop
    from minionize.worker.output import Output
    from minionize.worker.pump import Pump

_EVERY = 0.2


def wanted(setting: bool | None) -> bool:
    """Tell whether there is to be a bar: as the user says, else on a terminal that stdout does not share."""
    if setting is not None:
        return setting
    return _is_terminal(2) and not _is_terminal(1)


def _is_terminal(fd: int) -> bool:
    try:
        return os.isatty(fd)
    except OSError:
        return False


class Progress:
    """Draws the bar while it is entered; the loop calls ``tick``."""

    def __init__(self, stats: Stats, loop: Loop, pump: Pump, output: Output) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        self._stats, self._loop, self._pump = stats, loop, pump
        pump.backlog.always = True
        self._seen: Backlog | None = None
        self._total: int | None = None
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}/s  {task.fields[failed]} failed"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            auto_refresh=False,
            transient=True,
        )
        self._task = self._bar.add_task("starting", total=None, rate="0.0", failed=0)
        self._began = time.monotonic()
        self._next = 0.0
        self._shown = False
        for fd, sink in ((1, output.stdout), (2, output.stderr)):
            if _is_terminal(fd):
                sink.before = self.hide

    def __enter__(self) -> Progress:
        """Show the bar."""
        self._bar.start()
        return self

    def hide(self) -> None:
        """Take the bar off its line, which something else is about to be written to; the next tick draws it again."""
        if self._shown:
            self._shown = False
            os.write(2, b"\r\x1b[2K")

    def tick(self, now: float) -> float:
        """Draw if it is time; return when to come back."""
        if now < self._next:
            return self._next
        self._next = now + _EVERY
        counters = self._stats.snapshot()
        done = counters["succeeded"] + counters["dead"]
        fields: dict[str, Any] = {
            "rate": f"{done / max(now - self._began, 1e-3):.1f}",
            "failed": counters["failed"] + counters["timed_out"],
        }
        self._bar.update(
            self._task, description=self._loop.state, completed=done, total=self._count(done), **fields
        )  # fmt: skip
        self._bar.refresh()
        self._shown = _is_terminal(2)
        return self._next

    def _count(self, done: int) -> int | None:
        """Tell how many params there are in all, as far as the queue knows."""
        backlog = self._pump.backlog.latest
        if backlog is not self._seen and backlog is not None and backlog.ready is not None:
            self._seen = backlog
            self._total = done + backlog.ready + (backlog.in_flight or 0)
        return None if self._total is None else max(done, self._total)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the bar away."""
        self._bar.stop()
