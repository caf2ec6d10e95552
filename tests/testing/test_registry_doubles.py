"""Each broken registry fails exactly the cases that are about its fault, and each case is failed by one of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from minionize.testing import RegistryContract
from minionize.testing.doubles import registries
from minionize.testing.doubles.registries import BrokenRegistry, BrokenRegistrySuite
from minionize.testing.verdict import failures

EXACTLY = {
    "WritesInPlace": "a_reader_sees_no_half_announcement",
    "KeepsTheFirst": (
        "a_failure_is_a_registry_error a_heartbeat_replaces_the_one_before a_reader_sees_no_half_announcement "
        "a_tombstone_has_the_final_numbers an_announcement_under_another_name_is_passed_over"
    ),
    "TrustsTheContent": "an_announcement_under_another_name_is_passed_over",
    "AgesByTheHost": (
        "a_heartbeat_replaces_the_one_before ages_are_told_by_the_clock_of_the_registry what_is_announced_is_read"
    ),
    "KnowsNoAge": "ages_are_told_by_the_clock_of_the_registry",
    "OneFileForAHost": "a_newcomer_cleans_up ages_are_told_by_the_clock_of_the_registry minions_do_not_mix",
    "ReadsAPage": "many_are_read",
    "LeavesNothing": "a_newcomer_cleans_up a_tombstone_has_the_final_numbers",
    "LeavesTheToken": "a_tombstone_has_the_final_numbers",
    "ForgetsAnyPath": "forget",
    "ForgetsForEver": "a_late_heartbeat_of_a_forgotten_minion",
    "NeverCleans": "a_newcomer_cleans_up",
    "CleansTooMuch": "a_newcomer_cleans_up",
    "TrustsJson": "what_is_no_announcement_is_passed_over",
    "RaisesForNonsense": "what_is_no_announcement_is_passed_over",
    "CountsNothing": "what_is_no_announcement_is_passed_over",
    "RefusesTheNew": "what_later_versions_add_is_no_harm",
    "EscapesTexts": "any_text_comes_back_as_it_was",
    "RefusesTheLong": "a_long_command_line_is_cut",
    "RaisesOsError": (
        "a_failure_is_a_registry_error a_hopeless_place_is_a_registry_error "
        "what_cannot_be_announced_is_a_registry_error"
    ),
    "SwallowsFailure": (
        "a_failure_is_a_registry_error a_hopeless_place_is_a_registry_error "
        "what_cannot_be_announced_is_a_registry_error"
    ),
    "GivesUpAfterAFailure": "a_failure_is_a_registry_error",
    "TellsTheToken": "a_failure_is_a_registry_error a_hopeless_place_is_a_registry_error",
    "MakesItsPlace": "a_hopeless_place_is_a_registry_error nothing_announced_is_nothing_read",
    "NamesNoPlace": "a_hopeless_place_is_a_registry_error",
    "ShowsItsSecret": "secrets_are_not_shown",
    "LeaksADescriptor": "close_is_idempotent",
    "CloseNeedsUse": (
        "a_failure_is_a_registry_error a_heartbeat_replaces_the_one_before "
        "a_hopeless_place_is_a_registry_error a_late_heartbeat_of_a_forgotten_minion "
        "a_long_command_line_is_cut a_newcomer_cleans_up a_reader_sees_no_half_announcement "
        "many_are_read a_tombstone_has_the_final_numbers ages_are_told_by_the_clock_of_the_registry "
        "any_text_comes_back_as_it_was close_is_idempotent forget it_has_a_name minions_do_not_mix "
        "nothing_announced_is_nothing_read secrets_are_not_shown what_cannot_be_announced_is_a_registry_error "
        "what_is_announced_is_read what_is_no_announcement_is_passed_over"
    ),
    "HasNoName": "it_has_a_name",
}

Suites = Callable[[type[BrokenRegistry]], Callable[[], BrokenRegistrySuite]]


def broken() -> dict[str, type[BrokenRegistry]]:
    classes = [each for each in vars(registries).values() if isinstance(each, type)]
    return {each.__name__: each for each in classes if issubclass(each, BrokenRegistry)}


@pytest.fixture
def suites(tmp_path: Path) -> Suites:
    """Makes makers of suites, each with a place of its own."""
    count = iter(range(10_000))
    return lambda kind: lambda: BrokenRegistrySuite(kind, tmp_path / str(next(count)))


@pytest.mark.parametrize("name", EXACTLY)
def test_a_fault_is_seen_by_its_cases_and_no_other(name: str, suites: Suites) -> None:
    assert failures(suites(broken()[name])) == {f"test_{word}" for word in EXACTLY[name].split()}


def test_without_a_fault_no_case_fails(suites: Suites) -> None:
    assert failures(suites(BrokenRegistry)) == set()


def test_no_fault_is_left_out() -> None:
    assert set(broken()) == {*EXACTLY, "BrokenRegistry"}


def test_every_case_can_fail() -> None:
    seen = {f"test_{word}" for words in EXACTLY.values() for word in words.split()}
    assert {name for name in dir(RegistryContract) if name.startswith("test_")} == seen
