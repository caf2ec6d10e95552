"""The servers of deploy/compose.yml: reached only from here, where the engines look for them, asked how they are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from minionize.plugins import engine_names, load_engine

COMPOSE = Path(__file__).resolve().parents[1] / "deploy" / "compose.yml"
ENGINES = {"redis": "redis", "rabbitmq": "rabbitmq", "pulsar": "pulsar", "kafka": "kafka", "pubsub": "google"}
PORTS = {"redis": 6379, "rabbitmq": 5672, "pulsar": 6650, "kafka": 9092, "pubsub": 8085}


def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())["services"]
    return found


def test_there_is_one_for_each_engine() -> None:
    assert set(services()) == set(ENGINES) == set(PORTS)


@pytest.mark.parametrize("name", ENGINES)
def test_a_server_is_where_its_engine_looks(name: str) -> None:
    service = services()[name]
    for port in service["ports"]:
        assert re.fullmatch(r"127\.0\.0\.1:(\d+):\1", port)
    assert f"127.0.0.1:{PORTS[name]}:{PORTS[name]}" in service["ports"]
    if ENGINES[name] not in engine_names():
        pytest.skip(f"there is no engine {ENGINES[name]} here")
    defaults = [str(setting.default) for setting in load_engine(ENGINES[name]).settings]
    places = [match[1] for default in defaults if (match := re.search(r"localhost:(\d+)", default))]
    assert name == "pubsub" or places, defaults
    assert {int(port) for port in places} <= {int(port.split(":")[1]) for port in service["ports"]}


@pytest.mark.parametrize("name", ENGINES)
def test_a_server_is_asked_how_it_is(name: str) -> None:
    service = services()[name]
    assert set(service["healthcheck"]) == {"test", "interval", "timeout", "retries"}
    assert service["healthcheck"]["test"][0] == "CMD"
    image, _, tag = service["image"].partition(":")
    assert image
    assert tag not in ("", "latest")


def test_no_port_is_there_twice() -> None:
    ports = [port for service in services().values() for port in service["ports"]]
    assert len(set(ports)) == len(ports)
