"""Screens are as they were: pictures of a recording, in all sizes and themes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mtop.snapshots.make import HERE, PICTURES, Picture, draw, lines


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_picture_is_as_it_was(picture: Picture, tmp_path: Path) -> None:
    before, now = (HERE / f"{picture.name}.svg").read_text(), draw(picture)
    assert list(lines(now)) == list(lines(before)), "if that is meant: python -m tests.mtop.snapshots.make"
    assert now == before, "other colours; if that is meant: python -m tests.mtop.snapshots.make"


def test_pictures_load_nothing_from_elsewhere() -> None:
    for path in HERE.glob("*.svg"):
        assert "url(http" not in path.read_text()
