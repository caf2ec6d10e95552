"""Rules of leases: alive they keep, run out they set free, and who lost one can no longer settle."""

from __future__ import annotations

import pytest

from minionize.engine import Delivery, Engine, LeaseLost
from minionize.testing.rules.hooks import EngineHooks, ids_of


class LeaseRules(EngineHooks):
    """Leases and fences."""

    def test_lease_is_as_declared(self) -> None:
        """A deadline lease is a number of seconds; any other is None."""
        engine = self.filled(["a"])
        (delivery,) = self.take(engine, 1)
        if engine.features.lease == "deadline":
            assert delivery.lease is not None
            assert delivery.lease > 0
        else:
            assert delivery.lease is None

    def test_a_live_lease_keeps(self) -> None:
        """Nobody gets what another holds before its lease has run out."""
        self.need_deadline()
        engine = self.filled(["a"])
        taken = self.take(engine, 1)
        self.advance((taken[0].lease or 0.0) * 0.5)
        assert self.opened().receive(1, 0.0) == []
        engine.ack(taken)

    def test_what_a_dead_minion_held_goes_to_others(self) -> None:
        """All that a killed minion held comes again, with its ids, and nothing else does."""
        self.need_reclaim()
        engine = self.filled([f"p{n}" for n in range(6)])
        done, held = self.take(engine, 2), self.take(engine, 3)
        engine.ack(done)
        self.orphan(engine, held)
        survivor = self.opened()
        taken = self.take(survivor, 4)
        assert set(ids_of(held)) < set(ids_of(taken))
        survivor.ack(taken)
        assert self.rest(survivor) == []

    def test_what_was_never_started_comes_again_too(self) -> None:
        """A killed minion may have held params that it had not begun."""
        self.need_reclaim()
        engine = self.filled(["begun", "waiting"])
        held = self.take(engine, 2)
        self.orphan(engine, held[:1])
        assert sorted(ids_of(self.take(self.opened(), 2))) == sorted(ids_of(held))

    def test_what_was_settled_survives_a_kill(self) -> None:
        """When ``ack``, ``nack`` or ``dead_letter`` has returned, it is so, whatever becomes of the minion."""
        features = self.need_reclaim()
        engine = self.filled(["acked", "given back", "given up"])
        acked, back, dead = self.take(engine, 3)
        engine.ack([acked])
        engine.nack([back])
        if features.dead_letter:
            engine.dead_letter([dead], "failed", [{}])
        else:
            engine.ack([dead])
        self.kill(engine)
        self.lapse([acked, back, dead])
        other = self.opened()
        (again,) = self.take(other, 1)
        assert again.id == back.id
        assert again.attempt == (2 if features.attempts else again.attempt)
        assert again.crashes in (0, None)
        assert [letter.id for letter in other.dead()] == ([dead.id] if features.dead_letter else [])
        assert self.rest(other) == []

    def test_a_delay_survives_its_minion(self) -> None:
        """A param given back for later comes in its time, though who gave it back is gone."""
        features = self.need_reclaim()
        self.need(features.nack_delay, "nack_delay=False")
        engine = self.filled(["a"])
        taken = self.take(engine, 1)
        engine.nack(taken, delay=self.delay)
        self.kill(engine)
        other = self.opened()
        assert other.receive(1, 0.0) == []
        self.advance(self.delay * 1.5)
        assert ids_of(self.take(other, 1)) == ids_of(taken)

    def test_a_waiting_minion_takes_over(self) -> None:
        """A minion that was there all the time reclaims too, without being opened anew."""
        self.need_reclaim()
        engine = self.filled(["a"])
        survivor = self.opened()
        held = self.take(engine, 1)
        assert survivor.receive(1, 0.0) == []
        self.orphan(engine, held)
        assert ids_of(self.take(survivor, 1)) == ids_of(held)

    def test_a_crash_is_counted(self) -> None:
        """Runs that died with their minion count as attempts, and as crashes where the queue can tell."""
        features = self.need_reclaim()
        self.need(features.crashes, "crashes=False")
        self.fresh().put(["a"])
        for crashes in range(3):
            engine = self.opened()
            taken = self.take(engine, 1)
            assert taken[0].crashes in (crashes, None)
            assert taken[0].redelivered in (crashes > 0, None)
            assert taken[0].attempt == (crashes + 1 if features.attempts else taken[0].attempt)
            self.orphan(engine, taken)

    def test_crashes_and_failures_are_told_apart(self) -> None:
        """A crash before or after a nack adds to both counts just once."""
        features = self.need_reclaim()
        self.need(features.attempts and features.crashes, "attempts=False or crashes=False")
        engine = self.filled(["a"])
        engine.nack(self.take(engine, 1))
        taken = self.take(engine, 1)
        self.orphan(engine, taken)
        engine = self.opened()
        taken = self.take(engine, 1)
        assert (taken[0].attempt, taken[0].crashes) in ((3, 1), (3, None))
        engine.started(taken)
        engine.nack(taken, charge=False)
        taken = self.take(engine, 1)
        assert (taken[0].attempt, taken[0].crashes) in ((3, 1), (3, None))

    # Renewal.

    def test_extend_keeps(self) -> None:
        """A lease that is renewed in time does not run out, however long the run."""
        self.need_deadline()
        engine = self.filled(["a", "b"])
        taken = self.take(engine, 2)
        other = self.opened()
        for _ in range(4):
            self.advance((taken[0].lease or 0.0) * 0.6)
            assert engine.extend(taken) == []
            assert other.receive(2, 0.0) == []
        engine.ack(taken)
        assert self.rest(other) == []

    def test_extend_of_what_is_held_loses_nothing(self) -> None:
        """On any engine ``extend`` of live deliveries returns []."""
        engine = self.filled(["a", "b"])
        taken = self.take(engine, 2)
        assert engine.extend(taken) == []
        engine.ack(taken)
        assert self.rest(engine) == []

    def lose(self, count: int, more: int = 0) -> tuple[Engine, list[Delivery], Engine, list[Delivery], list[Delivery]]:
        """Let one minion lose ``count`` deliveries to another, then take ``more``.

        Returns:
            The first minion, what it lost, the second minion, its deliveries of the same, and what the first holds.
        """
        slow = self.filled([f"p{n}" for n in range(count)])
        stale = self.take(slow, count)
        slow.started(stale)
        self.lapse(stale)
        quick = self.opened()
        taken = self.take(quick, count)
        assert sorted(ids_of(taken)) == sorted(ids_of(stale))
        live: list[Delivery] = []
        if more:
            self.fresh().put([f"q{n}" for n in range(more)])
            live = self.take(slow, more)
        return slow, stale, quick, taken, live

    def test_extend_tells_what_is_lost(self) -> None:
        """``extend`` returns exactly the deliveries that others hold by now, and leaves them their lease."""
        self.need_deadline()
        slow, stale, quick, taken, live = self.lose(2, more=1)
        assert sorted(ids_of(slow.extend([*stale, *live]))) == sorted(ids_of(stale))
        quick.ack(taken)
        slow.ack(live)
        assert self.rest(quick) == []

    # Fences.

    def need_fence(self) -> None:
        """Skip the case where stale settlements cannot be told."""
        features = self.need_deadline()
        self.need(features.fenced, "fenced=False")

    def test_a_stale_ack_is_refused(self) -> None:
        """An ack of what was lost raises LeaseLost with exactly that; the rest of the call is done."""
        self.need_fence()
        slow, stale, quick, taken, live = self.lose(2, more=2)
        with pytest.raises(LeaseLost) as caught:
            slow.ack([live[0], *stale, live[1]])
        assert sorted(ids_of(caught.value.lost)) == sorted(ids_of(stale))
        quick.nack(taken)
        assert sorted(ids_of(self.drain(quick))) == sorted(ids_of(stale))

    def test_a_stale_nack_is_refused(self) -> None:
        """A nack of what was lost raises LeaseLost and does not take it from its new holder."""
        self.need_fence()
        slow, stale, quick, taken, live = self.lose(1, more=1)
        with pytest.raises(LeaseLost) as caught:
            slow.nack([*stale, *live])
        assert ids_of(caught.value.lost) == ids_of(stale)
        assert ids_of(self.rest(self.opened())) == ids_of(live)
        quick.ack(taken)

    def test_a_stale_dead_letter_is_refused(self) -> None:
        """What was lost cannot be given up either."""
        self.need_fence()
        self.need(self.features().dead_letter, "dead_letter=False")
        slow, stale, quick, taken, live = self.lose(1, more=1)
        with pytest.raises(LeaseLost) as caught:
            slow.dead_letter([*stale, *live], "failed", [{}, {}])
        assert ids_of(caught.value.lost) == ids_of(stale)
        assert [letter.id for letter in quick.dead()] == ids_of(live)
        quick.ack(taken)
        assert self.rest(quick) == []
