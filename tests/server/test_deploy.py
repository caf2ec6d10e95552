"""The dashboard and the scrape configuration in deploy/ fit what /metrics exports."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from minionize.server import examples
from minionize.server.metrics import metrics

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
BOARD: dict[str, Any] = json.loads((DEPLOY / "grafana" / "minionize.json").read_text())
PANELS = {panel["title"] + f" ({panel['type']})": panel for panel in BOARD["panels"]}
EXPRESSIONS = [target["expr"] for panel in BOARD["panels"] for target in panel["targets"]]


def exported() -> dict[str, set[str]]:
    """Every sample of /metrics with the names of its labels."""
    found: dict[str, set[str]] = {}
    for family in metrics(examples.STATS):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_only_metrics_that_there_are(expression: str) -> None:
    names = exported()
    used = re.findall(r"\b(minionize_\w+)(?:\{([^}]*)\})?", expression)
    assert used
    for name, selectors in used:
        assert name in names
        assert set(re.findall(r"(\w+)=~?\"", selectors)) <= names[name]
    for level in re.findall(r"(?:by|group_left) \(([^)]*)\)", expression):
        labels = {label.strip() for label in level.split(",")} - {""}
        assert labels <= set().union(*(names[name] for name, _ in used)) | {"le"}
    assert expression.count("(") == expression.count(")")


def test_a_strange_metric_is_seen() -> None:
    with pytest.raises(AssertionError):
        test_only_metrics_that_there_are("sum(minionize_nothing)")
    with pytest.raises(AssertionError):
        test_only_metrics_that_there_are('minionize_slots{state="x"}')


@pytest.mark.parametrize("kind", ["outcome", "kind", "state"])
def test_values_of_labels_are_there(kind: str) -> None:
    values = {
        sample.labels[kind] for family in metrics(examples.STATS) for sample in family.samples if kind in sample.labels
    }
    for expression in EXPRESSIONS:
        for chosen in re.findall(rf'{kind}=~?"([^"$]*)"', expression):
            assert set(chosen.split("|")) <= values


def test_every_panel_follows_the_variables() -> None:
    variables = {variable["name"]: variable for variable in BOARD["templating"]["list"]}
    assert set(variables) == {"datasource", "engine", "queue", "host"}
    for expression in EXPRESSIONS:
        for name in ("engine", "queue", "host"):
            assert f'{name}=~"${name}"' in expression
    for panel in BOARD["panels"]:
        assert {each["datasource"]["uid"] for each in [panel, *panel["targets"]]} == {"${datasource}"}


def test_what_the_dashboard_shows() -> None:
    told = " ".join(EXPRESSIONS)
    for name in set(exported()) - {"minionize_labels", "minionize_received_total"}:
        if name.endswith(("_time_seconds",)):
            continue
        assert name in told, f"no panel shows {name}"


def test_panels_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(BOARD["panels"])
    for panel in BOARD["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells


def test_scrape_configuration() -> None:
    jobs = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())["scrape_configs"]
    assert [job["job_name"] for job in jobs] == ["minionize", "minionize-ports"]
    assert jobs[0]["file_sd_configs"][0]["files"] == ["targets.json"]
