"""What every test shares: as little as possible. Fixtures stand beside the tests that use them."""

from __future__ import annotations

import os

from hypothesis import settings

# No deadline: a machine that is busy with something else is no failure.
settings.register_profile("default", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")
