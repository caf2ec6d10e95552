from __future__ import annotations

import subprocess
import sys
from typing import get_args

import httpx
import prometheus_client.openmetrics.parser
import prometheus_client.parser
import pytest
from prometheus_client.metrics_core import Metric

from minionize.stats.wire import BacklogSeen, State
from tests.server.fake import FakeMinion

OPENMETRICS = "application/openmetrics-text; version=1.0.0,text/plain;q=0.5"


def scrape(client: httpx.Client, accept: str | None = None) -> dict[str, Metric]:
    """Read /metrics as Prometheus does."""
    answer = client.get("/metrics", headers={"Accept": accept} if accept else {})
    assert answer.status_code == 200
    openmetrics = accept == OPENMETRICS
    assert answer.headers["content-type"].startswith("application/openmetrics-text" if openmetrics else "text/plain")
    module = prometheus_client.openmetrics.parser if openmetrics else prometheus_client.parser
    families = list(module.text_string_to_metric_families(answer.text))
    assert len({family.name for family in families}) == len(families)
    return {family.name: family for family in families}


def samples(family: Metric) -> dict[tuple[str, ...], float]:
    return {(sample.name, *sample.labels.values()): sample.value for sample in family.samples}


@pytest.mark.parametrize("accept", [None, OPENMETRICS])
def test_the_numbers_of_the_minion(client: httpx.Client, minion: FakeMinion, accept: str | None) -> None:
    families = scrape(client, accept)
    counters = minion.wire["counters"]
    runs = {key[1]: value for key, value in samples(families["minionize_runs"]).items()}
    in_flight = minion.wire["in_flight"]["count"]
    assert sum(runs.values()) + in_flight == counters["received"]
    assert (runs["succeeded"], runs["timed_out"]) == (counters["succeeded"], counters["timed_out"])
    assert samples(families["minionize_dead"]) == {("minionize_dead_total",): counters["dead"]}
    assert samples(families["minionize_slots"]) == {("minionize_slots",): 4}
    assert samples(families["minionize_backlog"])["minionize_backlog", "ready"] == 8713
    assert samples(families["minionize_resident_memory_bytes"])["minionize_resident_memory_bytes", "runs"] == 2**31


@pytest.mark.parametrize("accept", [None, OPENMETRICS])
def test_histogram(client: httpx.Client, minion: FakeMinion, accept: str | None) -> None:
    family = scrape(client, accept)["minionize_run_duration_seconds"]
    assert family.type == "histogram"
    buckets = [(sample.labels["le"], sample.value) for sample in family.samples if sample.name.endswith("_bucket")]
    assert buckets == [("5.0", 204), ("10.0", 655), ("25.0", 1230), ("+Inf", 1279)]
    totals = samples(family)
    assert totals[("minionize_run_duration_seconds_count",)] == 1279
    assert totals[("minionize_run_duration_seconds_sum",)] == minion.wire["latency"]["sum"]


@pytest.mark.parametrize("state", get_args(State))
def test_one_state_at_a_time(client: httpx.Client, minion: FakeMinion, state: State) -> None:
    minion.wire["state"] = state
    found = samples(scrape(client)["minionize_state"])
    assert {key[1] for key, value in found.items() if value == 1} == {state}
    assert {key[1] for key in found} == set(get_args(State))


def test_labels_of_any_name(client: httpx.Client, minion: FakeMinion) -> None:
    minion.wire["labels"] = {"a-b": 'x"y\\\n', "a.b": "second", "é": "\udcff"}
    minion.wire["queue"] = 'q"\n\\'
    for accept in (None, OPENMETRICS):
        families = scrape(client, accept)
        assert families["minionize_labels"].samples[0].labels == {"label_a_b": 'x"y\\\n', "label__": "?"}
    assert families["minionize"].samples[0].labels["queue"] == 'q"\n\\'


def test_what_the_queue_cannot_tell_is_not_there(client: httpx.Client, minion: FakeMinion) -> None:
    minion.wire["backlog"] = BacklogSeen(ready=3, in_flight=None, dead=None, exact=False, as_of=1.0)
    minion.wire["labels"] = {}
    minion.wire["in_flight"]["oldest"] = None
    families = scrape(client)
    assert list(samples(families["minionize_backlog"])) == [("minionize_backlog", "ready")]
    assert "minionize_labels" not in families
    minion.wire["backlog"] = None
    assert not [name for name in scrape(client) if "backlog" in name]


def test_few_series(client: httpx.Client, minion: FakeMinion) -> None:
    minion.running *= 100
    assert sum(len(family.samples) for family in scrape(client).values()) < 80


def test_nothing_of_prometheus_is_imported_before_it_is_asked_for() -> None:
    code = (
        "import sys, minionize.server.app as a; print([m for m in ('prometheus_client', 'psutil') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
