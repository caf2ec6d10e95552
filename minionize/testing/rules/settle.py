"""Rules of settling: ack is final, nack brings back, closing settles nothing."""

from __future__ import annotations

import contextlib

from minionize.engine import EndOfQueue, Engine, EngineError, LeaseLost
from minionize.testing.rules.hooks import EngineHooks, ids_of, params_of


class SettleRules(EngineHooks):
    """Ack, nack and close."""

    def test_ack_is_final(self) -> None:
        """What was acked never comes again: not later, not after ``close``, not to another minion."""
        engine = self.filled(["a", "b", "c"])
        taken = self.take(engine, 3)
        engine.ack(taken)
        self.lapse(taken)
        assert self.rest(engine) == []
        engine.close()
        assert self.rest(self.successor(engine)) == []

    def test_ack_settles_only_what_it_names(self) -> None:
        """An ack of one of a batch leaves the others in flight."""
        engine = self.filled(["a", "b", "c"])
        taken = self.take(engine, 3)
        engine.ack([taken[1]])
        engine.nack([taken[0], taken[2]])
        assert sorted(params_of(self.drain(engine))) == sorted([taken[0].param, taken[2].param])

    def test_settling_nothing_is_nothing(self) -> None:
        """Empty lists are fine."""
        engine = self.filled(["a"])
        engine.ack([])
        engine.nack([])
        engine.started([])
        assert engine.extend([]) == []
        assert len(self.drain(engine)) == 1

    def test_ack_twice_harms_nobody(self) -> None:
        """A second ack of the same delivery does nothing, or raises LeaseLost; others are not touched."""
        engine = self.filled(["a", "b"])
        first = self.take(engine, 1)
        engine.ack(first)
        with contextlib.suppress(LeaseLost):
            engine.ack(first)
        assert len(self.drain(engine)) == 1

    def test_nack_after_ack_brings_nothing_back(self) -> None:
        """Done stays done."""
        engine = self.filled(["a"])
        taken = self.take(engine, 1)
        engine.ack(taken)
        with contextlib.suppress(LeaseLost):
            engine.nack(taken)
        assert self.rest(engine) == []

    def test_nack_twice_brings_one_back(self) -> None:
        """Giving the same delivery back twice does not make two of it."""
        engine = self.filled(["a"])
        taken = self.take(engine, 1)
        engine.nack(taken)
        with contextlib.suppress(LeaseLost):
            engine.nack(taken)
        assert len(self.rest(engine)) == 1

    def test_started_does_not_disturb(self) -> None:
        """Hearing of a start, even twice, leaves the delivery as it is."""
        engine = self.filled(["a", "b"])
        taken = self.take(engine, 2)
        engine.started(taken)
        engine.started(taken[:1])
        assert self.rest(engine) == []
        engine.ack(taken[:1])
        engine.nack(taken[1:])
        again = self.take(engine, 1)
        assert ids_of(again) == ids_of(taken[1:])
        assert again[0].attempt in (2, None)
        engine.ack(again)
        assert self.rest(engine) == []

    # Closing.

    def test_open_and_close_are_idempotent(self) -> None:
        """Twice is as once, ``close`` needs no ``open``, and an engine may be opened again."""
        never = self.fresh()
        never.close()
        never.close()
        engine = self.filled(["a", "b"])
        engine.open()
        engine.ack(self.take(engine, 1))
        engine.open()
        engine.close()
        engine.close()
        engine.open()
        assert len(self.drain(engine)) == 1

    def test_close_never_acks(self) -> None:
        """What is held when the engine is closed comes again."""
        engine = self.filled(["a", "b", "c"])
        taken = self.take(engine, 2)
        engine.close()
        self.lapse(taken)
        assert sorted(params_of(self.drain(self.successor(engine)))) == ["a", "b", "c"]

    # Giving back.

    def test_nack_brings_back_the_same(self) -> None:
        """A param given back comes again with its id."""
        engine = self.filled(["a", "b"])
        taken = self.take(engine, 2)
        engine.nack(taken)
        again = self.take(engine, 2)
        assert {d.id: d.param for d in again} == {d.id: d.param for d in taken}

    def test_nack_serves_other_minions(self) -> None:
        """What one minion gives back another can take at once."""
        self.need_spread()
        engine = self.filled(["a"])
        taken = self.take(engine, 1)
        engine.nack(taken)
        assert ids_of(self.take(self.opened(), 1)) == ids_of(taken)

    def test_nack_settles_only_what_it_names(self) -> None:
        """The others of a batch stay in flight."""
        engine = self.filled(["a", "b"])
        taken = self.take(engine, 2)
        engine.nack(taken[:1])
        assert ids_of(self.rest(engine)) == ids_of(taken[:1])

    def test_a_charged_nack_counts_as_an_attempt(self) -> None:
        """The first delivery is attempt 1, and each charged nack adds one."""
        self.need(self.features().attempts, "attempts=False")
        engine = self.filled(["a"])
        assert self.attempts(engine, [True, True, True]) == [1, 2, 3, 4]

    def test_an_uncharged_nack_counts_nothing(self) -> None:
        """A delivery given back uncharged leaves no trace in the count."""
        self.need(self.features().attempts, "attempts=False")
        engine = self.filled(["a"])
        assert self.attempts(engine, [False, True, False, False, True]) == [1, 1, 2, 2, 2, 3]

    def attempts(self, engine: Engine, charges: list[bool]) -> list[int | None]:
        """Give one param back again and again; return the attempt of each delivery."""
        seen = []
        for charge in charges:
            taken = self.take(engine, 1)
            engine.started(taken)
            seen.append(taken[0].attempt)
            engine.nack(taken, charge=charge)
        return [*seen, self.take(engine, 1)[0].attempt]

    def test_attempts_are_counted_for_each_param(self) -> None:
        """What one param went through is not counted for another, whoever gets it."""
        self.need(self.features().attempts, "attempts=False")
        engine = self.filled(["a", "b"])
        first, second = self.take(engine, 2)
        engine.nack([first])
        engine.nack([second], charge=False)
        other = self.another(engine)
        assert {d.id: d.attempt for d in self.take(other, 2)} == {first.id: 2, second.id: 1}

    def test_redelivered_is_told(self) -> None:
        """The flag is False at first and True afterwards, charged or not; None only where the queue cannot tell.

        One that counts attempts can tell what was charged.
        """
        engine = self.filled(["a"])
        first = self.take(engine, 1)
        engine.nack(first, charge=False)
        second = self.take(engine, 1)
        engine.nack(second)
        flags = [first[0].redelivered, second[0].redelivered, self.take(engine, 1)[0].redelivered]
        unsure = [None, None, engine.features.attempts or None]
        assert flags == (unsure if flags[0] is None else [False, True, True])

    def test_nack_is_no_crash(self) -> None:
        """Only runs without an outcome count as crashes."""
        engine = self.filled(["a"])
        for charge in (True, False):
            taken = self.take(engine, 1)
            engine.started(taken)
            engine.nack(taken, charge=charge)
        assert self.take(engine, 1)[0].crashes in (0, None)

    def test_nack_with_a_delay_holds_back(self) -> None:
        """A param given back for later comes when its time has come, not before."""
        self.need(self.features().nack_delay, "nack_delay=False")
        engine = self.filled(["a"])
        taken = self.take(engine, 1)
        engine.nack(taken, delay=self.delay)
        assert engine.receive(1, 0.0) == []
        if engine.features.shared:
            assert self.opened().receive(1, 0.0) == []
        self.advance(self.delay * 1.5)
        assert ids_of(self.take(engine, 1)) == ids_of(taken)

    def test_a_delay_holds_only_its_own_param(self) -> None:
        """The others come meanwhile."""
        engine = self.filled(["a", "b", "c"])
        engine.nack(self.take(engine, 1), delay=self.delay if engine.features.nack_delay else 0.0)
        assert len(self.take(engine, 2)) == 2

    def test_a_delayed_nack_counts_too(self) -> None:
        """The delay changes nothing about the charge."""
        features = self.features()
        self.need(features.nack_delay and features.attempts, "nack_delay=False or attempts=False")
        engine = self.filled(["a"])
        for expected, charge in ((1, True), (2, False), (2, True)):
            (taken,) = self.take(engine, 1)
            assert taken.attempt == expected
            engine.nack([taken], delay=self.delay, charge=charge)
            self.advance(self.delay * 1.5)
        assert self.take(engine, 1)[0].attempt == 3

    def test_settling_on_a_closed_engine_loses_nothing(self) -> None:
        """After ``close`` a settlement is an EngineError or takes effect; the param is never stuck or doubled."""
        engine = self.filled(["a"])
        taken = self.take(engine, 1)
        engine.close()
        with contextlib.suppress(EngineError, EndOfQueue):
            engine.nack(taken)
        self.lapse(taken)
        assert len(self.drain(self.successor(engine))) == 1
