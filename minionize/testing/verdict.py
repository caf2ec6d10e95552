"""Run a contract suite outside pytest, to see what it says about an implementation."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

__all__ = ["failures"]


def failures(make_suite: Callable[[], Any]) -> set[str]:
    """Return the names of the cases that fail.

    Args:
        make_suite: Makes a fresh instance of the suite, ready for one case, without the help of fixtures.
    """
    failed = set()
    for name in [name for name, _ in inspect.getmembers(make_suite(), callable) if name.startswith("test_")]:
        suite = make_suite()
        try:
            try:
                getattr(suite, name)()
            finally:
                getattr(suite, "close_all", bool)()
        except pytest.skip.Exception:
            pass
        except (Exception, SystemExit, pytest.fail.Exception):
            failed.add(name)
    return failed
