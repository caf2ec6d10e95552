"""The rules of the contracts as test suites: subclass one, say how to make yours, and run pytest.

    class TestMine(EngineContract):
        def make_engine(self) -> Engine:
            return MyEngine(url=self.url)

Needs pytest. ``doubles.py`` holds implementations that break one rule each: they prove that the suites see it.
"""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite(
    "minionize.testing.rules",
    "minionize.testing.reporter",
    "minionize.testing.callback",
    "minionize.testing.registry",
)

from minionize.testing.callback import CallbackContract  # noqa: E402 - after the rewriting of assertions is set up
from minionize.testing.clock import ManualClock  # noqa: E402
from minionize.testing.engine import EngineContract  # noqa: E402
from minionize.testing.registry import RegistryContract  # noqa: E402
from minionize.testing.reporter import ReporterContract  # noqa: E402

__all__ = ["CallbackContract", "EngineContract", "ManualClock", "RegistryContract", "ReporterContract"]
