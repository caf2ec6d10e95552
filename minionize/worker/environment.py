"""Shows the code of users, in this process, the variables of ``.env`` and ``.minionize.yml``."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from minionize.worker.runner import ANNOUNCED


@contextmanager
def lent(variables: Mapping[str, str]) -> Iterator[None]:
    """Put variables into ``os.environ``, and make it what it was at the end.

    What stands there by now wins: it is what the environment said, or code of users has set it since.

    Args:
        variables: The environment over ``.env`` over ``.minionize.yml``.
    """
    ours = {name: value for name, value in variables.items() if name not in os.environ}
    before = {name: os.environ.get(name) for name in (*ours, *ANNOUNCED, "MINION_ID")}
    os.environ.update(ours)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
