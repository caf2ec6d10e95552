"""How long the runs of a minion took."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from minionize.stats.wire import Latency as LatencyWire
from mtop.format import bar, count, duration, percent
from mtop.model.minion import Minion
from mtop.screens.lines import Lines
from mtop.screens.panes.pane import Pane

__all__ = ["Latency", "bins"]

_BESIDE = 36
_MOST = 100


def bins(latency: LatencyWire) -> list[tuple[float | None, int]]:
    """Return how many runs lie in each bucket alone, with its upper bound; without empty ones at both ends."""
    alone: list[tuple[float | None, int]] = []
    before = 0
    for bound, runs in latency["buckets"][:_MOST]:
        alone.append((bound, max(0, runs - before)))
        before = max(before, runs)
    full = [number for number, (_, runs) in enumerate(alone) if runs]
    return alone[max(0, full[0] - 1) : full[-1] + 2] if full else []


class Latency(Pane):
    """A histogram."""

    def draw(self, minion: Minion) -> None:
        """Draw it."""
        latency = minion.said["latency"]
        self.query_one(Lines).show(self._lines(latency) if latency["count"] > 0 else [])
        self.notice("" if latency["count"] > 0 else "No run has ended yet.", "dim")

    def _lines(self, latency: LatencyWire) -> Iterator[Text]:
        mean = latency["sum"] / latency["count"]
        facts = (("p50", latency["p50"]), ("p95", latency["p95"]), ("p99", latency["p99"]), ("mean", mean))
        parts = [part for name, value in facts for part in (f"   {name} ", (duration(value), "accent"))]
        yield self.line((count(latency["count"]), "accent"), " runs", *parts)
        yield self.line("")
        found = bins(latency)
        most = max((runs for _, runs in found), default=1)
        cells = max(8, self.size.width - _BESIDE)
        lower: float | None = 0.0
        for bound, runs in found:
            share = runs / latency["count"]
            name = f"<= {duration(bound)}" if bound is not None else f"> {duration(lower)}"
            drawn = bar(runs / most, cells, self.session.glyphs)
            marks = self._marks(latency, lower, bound)
            yield self.line(
                (f"{name:>10} ", "dim"), (drawn, "accent"), f" {count(runs):>6} {percent(share):>4}", (marks, "warn")
            )
            lower = bound

    def _marks(self, latency: LatencyWire, lower: float | None, upper: float | None) -> str:
        """Say which quantiles lie in a bucket."""
        quantiles = (("p50", latency["p50"]), ("p95", latency["p95"]), ("p99", latency["p99"]))
        top = float("inf") if upper is None else upper
        return "".join(f" {name}" for name, value in quantiles if value is not None and (lower or 0.0) < value <= top)
