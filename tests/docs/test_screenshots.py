"""The pictures of mtop show what it shows now."""

from __future__ import annotations

import pytest

from screenshots.make import HERE, PAINTED, SHOTS, Shot, draw
from tests.mtop.snapshots.make import lines


@pytest.mark.parametrize("shot", SHOTS, ids=lambda shot: shot.name)
def test_picture_is_up_to_date(shot: Shot) -> None:
    assert list(lines(draw(shot))) == list(lines((HERE / f"{shot.name}.svg").read_text())), "run: ./check screenshots"


def test_pictures_load_nothing_from_elsewhere() -> None:
    for shot in SHOTS:
        assert "url(http" not in (HERE / f"{shot.name}.svg").read_text()
    assert (HERE / f"{PAINTED}.png").read_bytes().startswith(b"\x89PNG")
