"""Each broken callback fails exactly the cases that are about its fault, and each case is failed by one of them."""

from __future__ import annotations

from functools import partial

import pytest

from minionize.callback import Callback
from minionize.testing import CallbackContract
from minionize.testing.doubles import callbacks
from minionize.testing.verdict import failures

EXACTLY = {
    "ExitsOnABadParam": "a_bad_param_fails_only_itself",
    "SwallowsFailures": "a_bad_param_fails_only_itself",
    "IsSpoiltByABadParam": "a_bad_param_fails_only_itself",
    "RunsOnce": "a_bad_param_fails_only_itself a_result_is_a_json_value good_params_run_in_turn",
    "ReturnsAnObject": "a_result_is_a_json_value",
    "ReturnsNan": "a_result_is_a_json_value",
    "ChangesItsParam": "a_param_is_not_changed",
    "TeardownRaises": "teardown_takes_any_end",
    "TeardownTellsNoFailure": "the_hooks_are_called",
    "TeardownHidesWhy": "the_hooks_are_called",
    "SaysMaybe": "a_verdict_is_ack_or_nack",
    "ChangesTheDirectory": "the_process_stays_as_it_was",
    "LeavesAVariable": "the_process_stays_as_it_was",
    "HasACommandThatNobodyRuns": "a_callable_has_no_command",
    "EmptyCommand": "a_command_can_be_started",
    "OneTextForArgv": "a_command_can_be_started",
    "NulInAWord": "a_command_can_be_started",
    "NoCommand": "a_command_can_be_started",
    "CommandsChange": "a_command_is_that_of_its_param",
    "LooksUpABadParam": (
        "a_command_can_be_started a_command_is_that_of_its_param a_param_without_command_is_a_value_error "
        "good_params_run_in_turn"
    ),
}


def broken() -> dict[str, type[Callback]]:
    classes = [each for each in vars(callbacks).values() if isinstance(each, type)]
    return {
        each.__name__: each for each in classes if issubclass(each, (callbacks.BrokenCall, callbacks.BrokenProcess))
    }


@pytest.mark.parametrize("name", EXACTLY)
def test_a_fault_is_seen_by_its_cases_and_no_other(name: str) -> None:
    expected = {f"test_{word}" for word in EXACTLY[name].split()}
    assert failures(partial(callbacks.BrokenCallbackSuite, broken()[name])) == expected


@pytest.mark.parametrize("kind", [callbacks.BrokenCall, callbacks.BrokenProcess])
def test_without_a_fault_no_case_fails(kind: type[Callback]) -> None:
    assert failures(partial(callbacks.BrokenCallbackSuite, kind)) == set()


def test_no_fault_is_left_out() -> None:
    assert set(broken()) == {*EXACTLY, "BrokenCall", "BrokenProcess"}


def test_every_case_can_fail() -> None:
    seen = {f"test_{word}" for words in EXACTLY.values() for word in words.split()}
    assert {name for name in dir(CallbackContract) if name.startswith("test_")} == seen
