from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.running import Place, opened
from tests.brokers.server import need
from tests.mtop.acceptance.watching import Screen


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with opened(tmp_path) as place:
        yield place


@pytest.fixture
def screen(place: Place) -> Iterator[Screen]:
    """A terminal for mtop."""
    need("tmux", "tmux")
    screen = Screen(place)
    try:
        yield screen
    finally:
        screen.close()


@pytest.fixture
def other(place: Place) -> Iterator[Screen]:
    """Another one."""
    need("tmux", "tmux")
    screen = Screen(place)
    try:
        yield screen
    finally:
        screen.close()
