from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.server.fake import TOKEN, FakeMinion, Live, serving


@pytest.fixture(scope="module")
def _live() -> Iterator[Live]:
    with serving() as live:
        yield live


@pytest.fixture
def live(_live: Live) -> Live:
    """A server over a minion that was told nothing yet."""
    _live.minion.__dict__.update(FakeMinion().__dict__)
    return _live


@pytest.fixture
def minion(live: Live) -> FakeMinion:
    return live.minion


@pytest.fixture
def client(live: Live) -> Iterator[httpx.Client]:
    """A client without the token. (It need not read all certificates of this machine.)"""
    with httpx.Client(base_url=live.url, verify=False) as client:
        yield client


@pytest.fixture
def owner(live: Live) -> Iterator[httpx.Client]:
    """A client with the token."""
    with httpx.Client(base_url=live.url, verify=False, headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        yield client
