"""Each broken engine fails exactly the cases that are about its fault, and each case is failed by one of them."""

from __future__ import annotations

import importlib
from functools import partial

import pytest

from minionize.testing import EngineContract
from minionize.testing.doubles.engines import BrokenEngine, BrokenEngineSuite, Renames
from minionize.testing.verdict import failures

EXACTLY = {
    "Hoards": (
        "backlog_adds_up backlog_counts_what_waits backlog_is_that_of_all_minions holders_tell_who_holds_what "
        "no_more_is_held_than_was_asked_for open_and_close_are_idempotent peek_takes_nothing "
        "purge_leaves_what_is_in_flight purge_throws_away_what_is_ready two_minions_share_all_params"
    ),
    "PumpEnds": "receive_zero_with_all_in_flight",
    "PumpTakes": "receive_zero_takes_nothing",
    "Spins": "receive_waits_for_the_time_out",
    "Hangs": "receive_returns_nothing_at_the_time_out",
    "NeverEnds": (
        "an_empty_queue the_end_comes_when_all_is_settled the_end_waits_for_what_others_hold "
        "the_end_waits_for_what_was_given_back"
    ),
    "EndsForGood": "what_others_put_later_comes_too",
    "EndsThoughEndless": "an_empty_queue an_endless_queue_never_ends",
    "WaitsForAFullBatch": "receive_does_not_wait_for_a_full_batch",
    "EndsOnce": "the_end_comes_when_all_is_settled",
    "RepeatsIds": "a_large_batch ids_are_distinct",
    "LastInFirstOut": "order_is_kept",
    "DropsEqualParams": "equal_params_stay_apart",
    "LosesLargeBatches": "a_large_batch a_queue_drains ids_are_distinct",
    "MiscountsPut": "no_param_is_changed put_tells_how_many texts_survive values_survive",
    "PutResets": (
        "a_stale_ack_is_refused a_stale_dead_letter_is_refused a_stale_nack_is_refused extend_tells_what_is_lost "
        "put_disturbs_nothing"
    ),
    "JoinsPuts": "no_param_is_changed put_tells_how_many texts_survive two_texts_stay_two",
    "NacksTheWholeBatch": (
        "a_large_batch attempts_are_counted_for_each_param backlog_adds_up nack_settles_only_what_it_names "
        "what_was_settled_survives_a_kill"
    ),
    "AcksTheWholeBatch": "ack_settles_only_what_it_names",
    "CloseAcks": "close_never_acks settling_on_a_closed_engine_loses_nothing",
    "CannotReopen": "open_and_close_are_idempotent",
    "DeclareEmpties": "opening_takes_nothing put_declares_the_queue",
    "Nacks2": "nack_twice_brings_one_back",
    "NackUndoesAck": "nack_after_ack_brings_nothing_back",
    "SecondAckTakesAnother": "ack_twice_harms_nobody",
    "RefusesNothing": "settling_nothing_is_nothing",
    "StartedCounts": (
        "a_charged_nack_counts_as_an_attempt a_crash_is_counted an_uncharged_nack_counts_nothing "
        "crashes_and_failures_are_told_apart started_does_not_disturb"
    ),
    "FlushesAcksAtClose": (
        "a_dead_param_leaves_the_queue ack_is_final backlog_adds_up holders_tell_who_holds_what "
        "the_end_waits_for_what_others_hold what_a_dead_minion_held_goes_to_others "
        "what_was_settled_survives_a_kill"
    ),
    "KeepsDelaysToItself": (
        "a_delay_survives_its_minion backlog_counts_what_waits peek_shows_a_param_whose_time_has_come "
        "purge_throws_away_what_is_ready"
    ),
    "DeadLettersInSilence": "an_engine_without_dead_letters_says_so",
    "AttemptNotCounted": (
        "a_charged_nack_counts_as_an_attempt a_crash_is_counted a_delayed_nack_counts_too "
        "an_uncharged_nack_counts_nothing attempts_are_counted_for_each_param crashes_and_failures_are_told_apart "
        "started_does_not_disturb what_was_settled_survives_a_kill"
    ),
    "AlwaysCharges": (
        "a_delayed_nack_counts_too an_uncharged_nack_counts_nothing attempts_are_counted_for_each_param "
        "crashes_and_failures_are_told_apart"
    ),
    "NeverCharges": (
        "a_charged_nack_counts_as_an_attempt a_delayed_nack_counts_too an_uncharged_nack_counts_nothing "
        "attempts_are_counted_for_each_param crashes_and_failures_are_told_apart started_does_not_disturb "
        "what_was_settled_survives_a_kill"
    ),
    "DelayedNackIsFree": "a_delayed_nack_counts_too",
    "NeverRedelivered": "a_crash_is_counted redelivered_is_told",
    "RedeliveredByAttempt": "redelivered_is_told",
    "IgnoresDelay": (
        "a_delay_survives_its_minion backlog_counts_what_waits nack_with_a_delay_holds_back "
        "peek_shows_no_delayed_param the_end_waits_for_what_was_given_back"
    ),
    "DelayedForEver": (
        "a_delay_survives_its_minion a_delayed_nack_counts_too backlog_counts_what_waits "
        "nack_with_a_delay_holds_back peek_shows_a_param_whose_time_has_come the_end_waits_for_what_was_given_back"
    ),
    "DelayStopsAll": "a_delay_holds_only_its_own_param",
    "CountsNackAsCrash": "a_crash_is_counted nack_is_no_crash what_was_settled_survives_a_kill",
    "CrashNotCounted": "a_crash_is_counted crashes_and_failures_are_told_apart",
    "ForgetsTheUnstarted": (
        "close_never_acks settling_on_a_closed_engine_loses_nothing what_was_never_started_comes_again_too"
    ),
    "ReclaimsAtOpenOnly": "a_waiting_minion_takes_over",
    "LeaseIsShorterThanTold": "a_live_lease_keeps extend_keeps",
    "ExtendDoesNothing": "extend_keeps extend_tells_what_is_lost",
    "ExtendsOnlyTheFirst": "extend_keeps extend_tells_what_is_lost",
    "ExtendTellsNoLoss": "extend_tells_what_is_lost",
    "ExtendLosesTheHeld": "extend_keeps extend_of_what_is_held_loses_nothing extend_tells_what_is_lost",
    "ExtendLosesAll": "extend_tells_what_is_lost",
    "ExtendStealsBack": "extend_tells_what_is_lost",
    "AcceptsStaleAcks": "a_stale_ack_is_refused",
    "AcceptsStaleNacks": "a_stale_nack_is_refused",
    "BuriesWhatOthersHold": "a_stale_dead_letter_is_refused",
    "HidesLoss": "a_stale_ack_is_refused",
    "StopsAtTheFirstLoss": "a_stale_ack_is_refused",
    "BlamesTheWholeBatch": "a_stale_ack_is_refused",
    "KeepsNacksToItself": (
        "a_delay_survives_its_minion a_stale_nack_is_refused attempts_are_counted_for_each_param "
        "nack_serves_other_minions what_was_settled_survives_a_kill"
    ),
    "DropsTheDead": (
        "a_requeued_param_can_be_settled a_stale_dead_letter_is_refused backlog_adds_up evidence_is_kept "
        "purge_leaves_what_is_in_flight requeue_starts_afresh what_cannot_be_decoded_is_no_loop "
        "what_was_settled_survives_a_kill"
    ),
    "DropsEvidence": "evidence_is_kept",
    "SharesEvidence": "evidence_is_kept",
    "TheDeadComeBack": (
        "a_dead_param_leaves_the_queue a_requeued_param_can_be_settled backlog_adds_up "
        "purge_leaves_what_is_in_flight requeue_starts_afresh what_cannot_be_decoded_is_no_loop "
        "what_was_settled_survives_a_kill"
    ),
    "RequeueKeepsTheDead": "a_requeued_param_can_be_settled backlog_adds_up requeue_starts_afresh",
    "RequeueTakesAll": "requeue_starts_afresh",
    "RequeueForgetsNothing": "nobody_is_dead_at_first requeue_starts_afresh",
    "DeadIsSpentByReading": "evidence_is_kept",
    "BacklogForgetsWhatIsHeld": "backlog_adds_up backlog_is_that_of_all_minions",
    "BacklogCountsTwice": "backlog_adds_up backlog_is_that_of_all_minions",
    "BacklogForgetsTheDelayed": "backlog_counts_what_waits",
    "BacklogIsOld": "backlog_adds_up backlog_counts_what_waits",
    "BacklogIsItsOwn": "backlog_is_that_of_all_minions",
    "BacklogIsAnEstimate": (
        "backlog_adds_up backlog_counts_what_waits backlog_is_as_declared backlog_is_that_of_all_minions"
    ),
    "BacklogTakes": "a_visitor_takes_nothing backlog_adds_up backlog_counts_what_waits backlog_disturbs_nothing",
    "PeekTakes": "peek_takes_nothing",
    "PeekShowsTheHeld": "peek_takes_nothing",
    "PeekShowsTheDelayed": "peek_shows_no_delayed_param",
    "StripsTexts": "no_param_is_changed texts_survive",
    "SplitsLines": "no_param_is_changed",
    "DropsBlankTexts": "no_param_is_changed",
    "ReplacesOddBytes": "texts_survive",
    "TextsOnly": "values_survive",
    "GuessesJson": "texts_survive",
    "CutsLongTexts": "texts_survive",
    "StumblesOverTheUndecodable": "what_cannot_be_decoded_is_delivered_so what_cannot_be_decoded_is_no_loop",
    "DropsTheUndecodable": "what_cannot_be_decoded_is_delivered_so what_cannot_be_decoded_is_no_loop",
    "DeliversTheUndecodableRaw": "what_cannot_be_decoded_is_delivered_so what_cannot_be_decoded_is_no_loop",
    "ShowsItsSecret": "no_secret_in_the_repr",
    "UsesAVariableTwice": "settings_are_declared_once",
    "TellsNothingOfItself": "features_are_consistent",
    "TakesAnySetting": "an_unknown_setting_is_refused",
    "DeadWithoutTime": "evidence_is_kept",
    "HoldersAreItself": "holders_tell_who_holds_what",
    "HoldersRemember": "holders_tell_who_holds_what",
    "VisitTakes": "a_visitor_takes_nothing purge_leaves_what_is_in_flight",
    "PurgeForgetsTheDelayed": "purge_throws_away_what_is_ready",
    "PurgeTakesTheHeld": "purge_leaves_what_is_in_flight",
    "PurgeTakesTheDead": "purge_leaves_what_is_in_flight",
    "PurgeMiscounts": "purge_leaves_what_is_in_flight",
    "PurgeDoesNothing": "purge_leaves_what_is_in_flight purge_throws_away_what_is_ready",
}
"""Faults of one rule, and all cases that see them."""

AT_LEAST = {
    "AcksOnReceive": "close_never_acks what_a_dead_minion_held_goes_to_others a_live_lease_keeps",
    "TakesOneMore": "max_messages_is_never_exceeded no_more_is_held_than_was_asked_for",
    "TakesAtOpen": "opening_takes_nothing order_is_kept",
    "EndsTooEarly": "the_end_comes_when_all_is_settled the_end_waits_for_what_others_hold",
    "RedeliversWhenIdle": "nothing_comes_twice_while_it_is_held receive_returns_nothing_at_the_time_out",
    "DeliversTwice": "nothing_comes_twice_while_it_is_held two_minions_share_all_params",
    "ChangesIds": "nack_brings_back_the_same what_a_dead_minion_held_goes_to_others",
    "LosesOnNack": "nack_brings_back_the_same nack_serves_other_minions",
    "AcksLater": "ack_is_final the_end_comes_when_all_is_settled",
    "PutNeedsOpen": "put_declares_the_queue",
    "StartedAcks": "started_does_not_disturb what_a_dead_minion_held_goes_to_others",
    "AttemptFromZero": "a_charged_nack_counts_as_an_attempt a_crash_is_counted receive_zero_takes_nothing",
    "NeverReclaims": "a_waiting_minion_takes_over what_a_dead_minion_held_goes_to_others close_never_acks",
    "TellsNoLease": "lease_is_as_declared",
}
"""Faults that spoil much; among the cases that see them are these."""

FILES = ("engines", "settling", "leases", "telling", "caring")


def broken() -> dict[str, type[BrokenEngine]]:
    modules = [importlib.import_module(f"minionize.testing.doubles.{name}") for name in FILES]
    classes = [each for module in modules for each in vars(module).values() if isinstance(each, type)]
    return {each.__name__: each for each in classes if issubclass(each, BrokenEngine)}


def cases(words: str) -> set[str]:
    return {f"test_{word}" for word in words.split()}


@pytest.mark.parametrize("name", EXACTLY)
def test_a_fault_is_seen_by_its_cases_and_no_other(name: str) -> None:
    assert failures(partial(BrokenEngineSuite, broken()[name])) == cases(EXACTLY[name])


@pytest.mark.parametrize("name", AT_LEAST)
def test_a_great_fault_is_seen_by_the_cases_about_it(name: str) -> None:
    assert failures(partial(BrokenEngineSuite, broken()[name])) >= cases(AT_LEAST[name])


@pytest.mark.parametrize("kind", [BrokenEngine, Renames])
def test_without_a_fault_no_case_fails(kind: type[BrokenEngine]) -> None:
    assert failures(partial(BrokenEngineSuite, kind)) == set()


def test_no_fault_is_left_out() -> None:
    assert set(broken()) == {*EXACTLY, *AT_LEAST, "BrokenEngine", "Renames"}


def test_every_case_can_fail() -> None:
    seen = set().union(*(cases(words) for words in (*EXACTLY.values(), *AT_LEAST.values())))
    assert {name for name in dir(EngineContract) if name.startswith("test_")} == seen
