"""The pulsar engine keeps the engine contract, on a real server."""

from __future__ import annotations

from typing import ClassVar
from uuid import uuid4

import pytest

from minionize.engine import Engine
from minionize.engines.pulsar import PulsarEngine
from minionize.message import JSON, TYPE
from minionize.testing.engine import EngineContract
from minionize.testing.rules.params import ParamRules
from tests.brokers.pulsar import PulsarServer

pytestmark = pytest.mark.broker


class OnPulsar:
    """A topic of its own for each case."""

    decoder: ClassVar[str] = "json"
    quiet = 0.2

    @pytest.fixture(autouse=True)
    def _topic(self, pulsar_server: PulsarServer) -> None:
        self.server, self.topic = pulsar_server, f"params-{uuid4().hex}"

    def make_engine(self) -> Engine:
        """Make another minion's engine."""
        return PulsarEngine(connection=self.server.url, topic=self.topic, decoder=self.decoder)

    def corrupt(self) -> None:
        """Send what says that it is JSON."""
        self.server.produce(self.topic, b"{no JSON", properties={TYPE: JSON})


class TestPulsar(OnPulsar, EngineContract):
    """Where what says nothing of itself is JSON."""


class TestPulsarOfTexts(OnPulsar, ParamRules):
    """Where it is a text."""

    decoder = "identity"
