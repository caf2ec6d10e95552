"""The numbers of a minion for Prometheus. Few series, none of which names a param; imported when first scraped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import get_args

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, InfoMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector, CollectorRegistry

from minionize.stats.wire import State, StatsWire

OUTCOMES = ("succeeded", "failed", "timed_out", "could_not_start", "preempted", "lease_lost")
"""The counters that say how a run ended: together with what is in flight they are all that was received."""

_COUNTED = {
    "received": "Deliveries taken",
    "retried": "Runs given back as a charged attempt",
    "redelivered": "Deliveries of a param that was delivered before",
    "crashed": "Deliveries after a run that ended without an outcome",
    "dead": "Params given up",
}


def exposition(stats: StatsWire, accept: str) -> tuple[bytes, str]:
    """Write the numbers in the format that is asked for.

    Args:
        stats: The numbers.
        accept: The header of the request.

    Returns:
        The text and its type.
    """
    registry = CollectorRegistry()
    registry.register(_Collected(stats))
    encode, kind = choose_encoder(accept)
    return encode(registry), kind


def metrics(stats: StatsWire) -> Iterator[Metric]:
    """Make all metrics of a minion."""
    yield from _identity(stats)
    yield from _counters(stats)
    yield from _slots(stats)
    yield from _backlog(stats)
    yield from _resources(stats)


class _Collected(Collector):
    """Hands over the numbers of one scrape."""

    def __init__(self, stats: StatsWire) -> None:
        self._stats = stats

    def collect(self) -> Iterable[Metric]:
        """Return all metrics."""
        return metrics(self._stats)


def _identity(stats: StatsWire) -> Iterator[Metric]:
    named = {
        "id": stats["id"],
        "host": stats["host"],
        "user": stats["user"],
        "version": stats["version"],
        "engine": stats["engine"],
        "queue": stats["queue"],
    }
    yield InfoMetricFamily("minionize", "Which minion this is", value={key: _text(named[key]) for key in named})
    if labels := _labels(stats["labels"]):
        family = GaugeMetricFamily(
            "minionize_labels", "The labels of the minion (--label), always 1", labels=list(labels)
        )
        family.add_metric(list(labels.values()), 1.0)
        yield family
    states = GaugeMetricFamily("minionize_state", "1 for the state that the minion is in", labels=["state"])
    for state in get_args(State):
        states.add_metric([state], float(state == stats["state"]))
    yield states
    yield GaugeMetricFamily(
        "minionize_start_time_seconds", "When the minion started, in Unix seconds", value=stats["started"]
    )


def _counters(stats: StatsWire) -> Iterator[Metric]:
    counters = {str(name): number for name, number in stats["counters"].items() if isinstance(number, int)}
    runs = CounterMetricFamily("minionize_runs", "Runs that ended, by outcome", labels=["outcome"])
    for outcome in OUTCOMES:
        runs.add_metric([outcome], counters[outcome])
    yield runs
    for name, what in _COUNTED.items():
        yield CounterMetricFamily(f"minionize_{name}", what, value=counters[name])
    latency = stats["latency"]
    yield HistogramMetricFamily(
        "minionize_run_duration_seconds",
        "How long runs took, whatever their outcome",
        buckets=[("+Inf" if bound is None else repr(bound), number) for bound, number in latency["buckets"]],
        sum_value=latency["sum"],
    )


def _slots(stats: StatsWire) -> Iterator[Metric]:
    in_flight = stats["in_flight"]
    yield GaugeMetricFamily("minionize_slots", "Slots", value=stats["slots"])
    yield GaugeMetricFamily("minionize_busy_slots", "Slots in which a param runs", value=stats["busy"])
    yield GaugeMetricFamily("minionize_in_flight", "Deliveries taken and not settled yet", value=in_flight["count"])
    yield GaugeMetricFamily(
        "minionize_in_flight_oldest_seconds", "Age of the oldest run under way", value=in_flight["oldest"] or 0.0
    )


def _backlog(stats: StatsWire) -> Iterator[Metric]:
    """What the queue holds: the same at each of its minions, so take the max, not the sum."""
    backlog = stats["backlog"]
    if backlog is None:
        return
    held = {"ready": backlog["ready"], "in_flight": backlog["in_flight"], "dead": backlog["dead"]}
    family = GaugeMetricFamily(
        "minionize_backlog", "Params that the queue holds, as this minion saw it", labels=["kind"]
    )
    for kind, number in held.items():
        if number is not None:
            family.add_metric([kind], number)
    yield family
    yield GaugeMetricFamily(
        "minionize_backlog_time_seconds", "When the queue said so, in Unix seconds", value=backlog["as_of"]
    )


def _resources(stats: StatsWire) -> Iterator[Metric]:
    used = stats["resources"]
    cpu = GaugeMetricFamily("minionize_cpu_cores", "Cores in use", labels=["of"])
    cpu.add_metric(["minion"], used["cpu"])
    cpu.add_metric(["runs"], used["children_cpu"])
    yield cpu
    memory = GaugeMetricFamily("minionize_resident_memory_bytes", "Memory in use", labels=["of"])
    memory.add_metric(["minion"], used["rss"])
    memory.add_metric(["runs"], used["children_rss"])
    yield memory


def _labels(labels: dict[str, str]) -> dict[str, str]:
    """Make names that Prometheus takes; of two that become the same the first one stays."""
    named: dict[str, str] = {}
    for key, value in labels.items():
        named.setdefault(f"label_{re.sub('[^a-zA-Z0-9_]', '_', key)}", _text(value))
    return named


def _text(value: str) -> str:
    """Replace what cannot be sent as UTF-8."""
    return value.encode("utf-8", "replace").decode()
