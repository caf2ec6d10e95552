"""Each broken reporter fails exactly the cases that are about its fault, and each case is failed by one of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from minionize.testing import ReporterContract
from minionize.testing.doubles import reporters
from minionize.testing.doubles.reporters import BrokenReporter, BrokenReporterSuite
from minionize.testing.verdict import failures

EXACTLY = {
    "ReportsLater": (
        "a_failure_is_a_reporter_error a_record_has_all_fields a_torn_record_harms_no_other "
        "any_value_makes_one_record each_report_is_one_record every_outcome_is_told lines_are_strict_and_safe "
        "minions_do_not_mix what_json_can_say_is_kept"
    ),
    "DropsAField": (
        "a_record_has_all_fields any_value_makes_one_record every_outcome_is_told lines_are_strict_and_safe "
        "what_json_can_say_is_kept"
    ),
    "RenamesAField": "a_record_has_all_fields every_outcome_is_told",
    "WritesNan": "lines_are_strict_and_safe",
    "RaisesForAnyObject": "any_value_makes_one_record lines_are_strict_and_safe",
    "WritesUnicode": "lines_are_strict_and_safe what_json_can_say_is_kept",
    "IndentsRecords": (
        "a_failure_is_a_reporter_error a_record_has_all_fields a_torn_record_harms_no_other "
        "any_value_makes_one_record each_report_is_one_record every_outcome_is_told lines_are_strict_and_safe "
        "minions_do_not_mix records_are_added what_json_can_say_is_kept"
    ),
    "RewritesTheFile": "a_record_costs_the_same_at_any_time",
    "NewestFirst": (
        "a_failure_is_a_reporter_error a_record_costs_the_same_at_any_time a_torn_record_harms_no_other "
        "any_value_makes_one_record each_report_is_one_record every_outcome_is_told what_json_can_say_is_kept "
        "what_was_written_is_not_touched"
    ),
    "Truncates": "a_torn_record_harms_no_other records_are_added",
    "OneFileForAll": "a_failure_is_a_reporter_error a_torn_record_harms_no_other minions_do_not_mix",
    "LeavesHalfARecord": "a_failure_is_a_reporter_error a_torn_record_harms_no_other",
    "RaisesOsError": "a_failure_is_a_reporter_error",
    "SwallowsFailure": "a_failure_is_a_reporter_error",
    "GivesUpAfterAFailure": "a_failure_is_a_reporter_error",
    "FindsOutLate": "a_hopeless_place_is_found_at_the_start",
    "LeaksADescriptor": "close_is_idempotent",
    "CloseNeedsOpen": (
        "a_hopeless_place_is_found_at_the_start a_torn_record_harms_no_other an_unknown_setting_is_refused "
        "close_is_idempotent records_are_added settings_are_declared"
    ),
    "TakesAnySetting": "an_unknown_setting_is_refused",
    "HasNoName": "settings_are_declared",
}

Suites = Callable[[type[BrokenReporter]], Callable[[], BrokenReporterSuite]]


def broken() -> dict[str, type[BrokenReporter]]:
    classes = [each for each in vars(reporters).values() if isinstance(each, type)]
    return {each.__name__: each for each in classes if issubclass(each, BrokenReporter)}


@pytest.fixture
def suites(tmp_path: Path) -> Suites:
    """Makes makers of suites, each with a directory of its own."""
    count = iter(range(10_000))
    return lambda kind: lambda: BrokenReporterSuite(kind, tmp_path / str(next(count)))


@pytest.mark.parametrize("name", EXACTLY)
def test_a_fault_is_seen_by_its_cases_and_no_other(name: str, suites: Suites) -> None:
    assert failures(suites(broken()[name])) == {f"test_{word}" for word in EXACTLY[name].split()}


def test_without_a_fault_no_case_fails(suites: Suites) -> None:
    assert failures(suites(BrokenReporter)) == set()


def test_no_fault_is_left_out() -> None:
    assert set(broken()) == {*EXACTLY, "BrokenReporter"}


def test_every_case_can_fail() -> None:
    seen = {f"test_{word}" for words in EXACTLY.values() for word in words.split()}
    assert {name for name in dir(ReporterContract) if name.startswith("test_")} == seen
