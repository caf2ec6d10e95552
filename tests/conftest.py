"""What every test shares: as little as possible. Fixtures stand beside the tests that use them."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

import pytest
from hypothesis import HealthCheck, settings

# No deadline, no check of the pace: a machine that is busy with something else is no failure.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("default"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")

# Minions announce themselves and keep dead params under it: not among those of whoever runs the tests.
_STATE = tempfile.mkdtemp(prefix="minionize-tests-")
atexit.register(shutil.rmtree, _STATE, ignore_errors=True)
os.environ["XDG_STATE_HOME"] = _STATE

_OTHERS = ("broker", "container", "terminal")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """In CI, a test that waits for a server, an engine or a terminal of others may fail once; never one of chaos."""
    if not os.environ.get("CI"):
        return
    for item in items:
        if any(item.get_closest_marker(name) for name in _OTHERS) and not item.get_closest_marker("chaos"):
            item.add_marker(pytest.mark.flaky(reruns=1))
