"""What examples/service/ and deploy/docker/ say, without an engine; tests/containers/ builds and runs them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
BASE = (ROOT / "deploy" / "docker" / "Dockerfile").read_text()
SERVICES: dict[str, Any] = yaml.safe_load((ROOT / "examples" / "service" / "compose.yml").read_text())["services"]


def test_minions_of_the_example_share_queue_and_registry() -> None:
    minions = [service for service in SERVICES.values() if service["image"] == "square"]
    assert len(minions) == 3
    assert len({tuple(sorted(service["environment"].items())) for service in minions}) == 1
    assert minions[0]["environment"]["REDIS_URL"].startswith("redis://redis:6379/")
    assert minions[0]["environment"]["MINION_REGISTRY"].startswith("redis://redis:6379/")


def test_no_port_is_published_and_only_the_service_starts_by_itself() -> None:
    assert not any("ports" in service for service in SERVICES.values())
    assert {name for name, service in SERVICES.items() if "profiles" not in service} == {"redis", "square"}


@pytest.mark.parametrize("killed_after", [10, int(SERVICES["square"]["stop_grace_period"].removesuffix("s"))])
def test_a_run_is_ended_before_the_engine_kills(killed_after: int) -> None:
    grace = re.search(r"MINION_GRACE=(\d+)", BASE)
    assert grace is not None
    assert int(grace[1]) < killed_after
