"""Servers that take long to start: one of each for all tests of this directory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.brokers.google import PubSubServer
    from tests.brokers.kafka import KafkaServer
    from tests.brokers.pulsar import PulsarServer


@pytest.fixture(scope="session")
def pubsub_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PubSubServer]:
    from tests.brokers.google import running

    with running(tmp_path_factory.mktemp("pubsub")) as server:
        yield server


@pytest.fixture(scope="session")
def pulsar_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PulsarServer]:
    from tests.brokers.pulsar import running

    with running(tmp_path_factory.mktemp("pulsar")) as server:
        yield server


@pytest.fixture(scope="session")
def kafka_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer]:
    from tests.brokers.kafka import running

    with running(tmp_path_factory.mktemp("kafka")) as server:
        yield server
