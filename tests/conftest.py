"""What every test shares: as little as possible. Fixtures stand beside the tests that use them."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

from hypothesis import settings

# No deadline: a machine that is busy with something else is no failure.
settings.register_profile("default", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")

# Minions announce themselves and keep dead params under it: not among those of whoever runs the tests.
_STATE = tempfile.mkdtemp(prefix="minionize-tests-")
atexit.register(shutil.rmtree, _STATE, ignore_errors=True)
os.environ["XDG_STATE_HOME"] = _STATE
