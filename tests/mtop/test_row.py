from __future__ import annotations

import pytest

from mtop.columns import COLUMNS, Column
from mtop.format import Glyphs, width
from mtop.widgets.row import head_parts

WIDTHS = [column.width for column in COLUMNS]


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.key)
@pytest.mark.parametrize(("ascii", "sign"), [(False, "▼"), (True, "v")])
def test_title_and_sign_of_the_sorted_column_are_whole(column: Column, ascii: bool, sign: str) -> None:
    parts = head_parts(COLUMNS, WIDTHS, column.key, True, Glyphs(ascii))
    assert parts[1 + COLUMNS.index(column)][0].strip() == column.title + sign
    assert [width(words) for words, _ in parts] == [1, *(cells + 1 for cells in WIDTHS)]
