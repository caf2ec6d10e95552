"""As many connections as files may be open, no more."""

from __future__ import annotations

import resource

import pytest

from mtop.poll.descriptors import room_for


class Limits:
    """Stands for the limits of this process."""

    def __init__(self, soft: int, hard: int, refuses: bool = False) -> None:
        self.now = (soft, hard)
        self.refuses = refuses

    def get(self, _: int) -> tuple[int, int]:
        return self.now

    def set(self, _: int, limits: tuple[int, int]) -> None:
        if self.refuses:
            raise ValueError("no")
        self.now = limits


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> Limits:
    """A soft limit of 1,024 files, 20 of them open; the hard one is 4,096."""
    made = Limits(1024, 4096)
    monkeypatch.setattr("resource.getrlimit", made.get)
    monkeypatch.setattr("resource.setrlimit", made.set)
    monkeypatch.setattr("mtop.poll.descriptors._files", lambda: 20)
    return made


def test_what_fits_changes_nothing(limits: Limits) -> None:
    assert room_for(900) == 900
    assert limits.now == (1024, 4096)


def test_the_limit_is_raised_as_far_as_is_needed(limits: Limits) -> None:
    assert room_for(3000) == 3000
    assert limits.now == (3000 + 84, 4096)


def test_no_further_than_it_can_be(limits: Limits) -> None:
    assert room_for(10_000) == 4096 - 84
    assert limits.now == (4096, 4096)


def test_connections_that_are_open_already_take_no_room(limits: Limits) -> None:
    assert room_for(4_000, open_now=15) == 4_000


def test_a_limit_that_cannot_be_raised(limits: Limits) -> None:
    limits.refuses = True
    assert room_for(10_000) == 1024 - 84


def test_no_limit(limits: Limits) -> None:
    limits.now = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    assert room_for(100_000) == 100_000
    limits.now = (1024, resource.RLIM_INFINITY)
    assert room_for(100_000) == 100_000
    assert limits.now == (100_084, resource.RLIM_INFINITY)


def test_hardly_any(limits: Limits) -> None:
    limits.now = (30, 30)
    assert room_for(100) == 8
    assert room_for(2) == 2
