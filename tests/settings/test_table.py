from __future__ import annotations

from typing import Any

import pytest

from minionize.cpus import usable_cpus
from minionize.settings import SETTINGS
from minionize.table import codes, slots


def test_every_setting_has_a_name_of_its_own() -> None:
    for names in (
        [setting.key for setting in SETTINGS],
        [setting.env for setting in SETTINGS],
        [flag for setting in SETTINGS for flag in setting.flags],
    ):
        assert len(names) == len(set(names))


def test_variables_are_the_keys() -> None:
    for setting in SETTINGS:
        assert setting.env == ("DRY" if setting.key == "dry_run" else f"MINION_{setting.key.upper()}")


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.key)
def test_help_is_one_line_that_ends(setting: Any) -> None:
    assert setting.help.endswith(".")
    assert "\n" not in setting.help
    assert len(setting.help) <= 110


def test_slots() -> None:
    cpus = usable_cpus()
    assert slots("auto") == slots("100%") == cpus
    assert slots("0.001%") == 1
    assert slots("200%") == 2 * cpus
    assert slots("4") == slots(4) == 4


@pytest.mark.parametrize("wrong", ["0", "-1", "x", "%", "-5%", "0%", "inf%", "nan%", "1.5", True, None, [1]])
def test_slots_says_what_would_be_right(wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"must be a number of slots.*50%.*auto"):
        slots(wrong)


def test_codes() -> None:
    assert codes("75,80-82") == {75, 80, 81, 82}
    assert codes(" 1 , 2 - 3 ,") == {1, 2, 3}
    assert codes(75) == codes([75]) == codes(["75"]) == codes(frozenset({75})) == {75}
    assert codes("") == codes([]) == frozenset()


@pytest.mark.parametrize("wrong", ["x", "-1", "256", "5-3", "1-", "1.5", 1.5, {"a": 1}])
def test_codes_says_what_would_be_right(wrong: Any) -> None:
    with pytest.raises(ValueError, match="must be exit codes"):
        codes(wrong)
