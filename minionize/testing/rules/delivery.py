"""Rules of receiving: what comes, how much of it, in which order, and when the queue ends."""

from __future__ import annotations

import time

import pytest

from minionize.engine import EndOfQueue
from minionize.testing.rules.hooks import EngineHooks, ids_of, params_of


class DeliveryRules(EngineHooks):
    """Receiving."""

    def test_a_queue_drains(self) -> None:
        """Every param comes exactly once when it is acked."""
        params = [f"p{n}" for n in range(25)]
        engine = self.filled(params)
        assert sorted(params_of(self.drain(engine))) == sorted(params)
        assert self.rest(engine) == []

    def test_put_tells_how_many(self) -> None:
        """``put`` returns how many params it put, takes any iterable, and adds to what is there."""
        engine = self.fresh()
        assert engine.put([]) == 0
        assert engine.put(iter(["a", "b"])) == 2
        assert engine.put(("c",)) == 1
        engine.open()
        assert sorted(params_of(self.drain(engine))) == ["a", "b", "c"]

    def test_put_declares_the_queue(self) -> None:
        """``put`` needs neither ``open`` nor ``declare``, and ``declare`` leaves what is there."""
        engine = self.fresh()
        engine.put(["a"])
        engine.declare()
        engine.open()
        engine.declare()
        engine.declare()
        assert params_of(self.drain(engine)) == ["a"]

    def test_what_others_put_later_comes_too(self) -> None:
        """A minion that has emptied the queue gets what is put afterwards."""
        self.need_shared()
        engine = self.filled(["a"])
        assert params_of(self.drain(engine)) == ["a"]
        self.fresh().put(["b"])
        assert params_of(self.take(engine, 1)) == ["b"]

    def test_put_disturbs_nothing(self) -> None:
        """Filling a queue that is being worked on adds to it; what is held or done stays so."""
        self.need_shared()
        engine = self.filled(["done", "held"])
        first, second = self.take(engine, 2)
        engine.ack([first])
        self.fresh().put(["new"])
        other = self.another(engine)
        assert params_of(self.drain(other)) == ["new"]
        engine.ack([second])
        assert self.rest(other) == []

    def test_receive_returns_nothing_at_the_time_out(self) -> None:
        """With nothing ready ``receive`` waits about the time-out, then returns []."""
        engine = self.filled(["a"])
        self.take(engine, 1)
        begin = time.monotonic()
        assert engine.receive(1, self.quiet) == []
        assert time.monotonic() - begin < self.quiet + self.slack
        begin = time.monotonic()
        assert engine.receive(1, 0.0) == []
        assert time.monotonic() - begin < self.slack

    def test_receive_waits_for_the_time_out(self) -> None:
        """A ``receive`` with nothing ready does not return at once: the minion would spin."""
        engine = self.filled(["a"])
        self.take(engine, 1)
        begin = time.monotonic()
        engine.receive(1, self.quiet)
        assert time.monotonic() - begin >= self.quiet * 0.8

    def test_receive_does_not_wait_for_a_full_batch(self) -> None:
        """What is ready is returned at once, though there is less of it than was asked for."""
        engine = self.filled(["a", "b"])
        begin = time.monotonic()
        taken = engine.receive(10, self.slack * 2)
        assert time.monotonic() - begin < self.slack
        assert isinstance(taken, list)
        assert taken

    def test_a_large_batch(self) -> None:
        """Hundreds of params are received and settled as a few are."""
        engine = self.filled([f"p{n}" for n in range(500)])
        taken = self.take(engine, 500)
        assert len(set(ids_of(taken))) == 500
        engine.nack(taken[:250])
        engine.ack(taken[250:])
        assert sorted(ids_of(self.drain(engine))) == sorted(ids_of(taken[:250]))

    def test_max_messages_is_never_exceeded(self) -> None:
        """``receive`` never returns more than it was asked for."""
        engine = self.filled([f"p{n}" for n in range(10)])
        for most in (1, 3, 2, 4):
            assert len(engine.receive(most, self.quiet)) <= most

    def test_no_more_is_held_than_was_asked_for(self) -> None:
        """What one minion did not ask for is there for another."""
        self.need_shared()
        engine = self.filled([f"p{n}" for n in range(6)])
        mine = self.take(engine, 2)
        others = self.take(self.another(engine), 4)
        assert len({*ids_of(mine), *ids_of(others)}) == 6

    def test_receive_zero_takes_nothing(self) -> None:
        """``receive(0, t)`` is the pump: it takes no param and counts no attempt."""
        engine = self.filled(["a", "b"])
        for _ in range(3):
            assert engine.receive(0, 0.0) == []
        taken = self.take(self.another(engine), 2)
        assert {delivery.attempt for delivery in taken} <= {1, None}
        assert not any(delivery.redelivered for delivery in taken)

    def test_receive_zero_with_all_in_flight(self) -> None:
        """The pump may run while every slot is busy."""
        engine = self.filled(["a"])
        taken = self.take(engine, 1)
        assert engine.receive(0, 0.0) == []
        engine.ack(taken)

    def test_opening_takes_nothing(self) -> None:
        """``open`` takes no param, and neither does ``declare`` nor a minion that leaves at once."""
        self.need_shared()
        self.fresh().put(["a", "b"])
        idle = self.opened()
        idle.declare()
        idle.close()
        taken = self.take(self.opened(), 2)
        assert not any(delivery.redelivered for delivery in taken)

    def test_nothing_comes_twice_while_it_is_held(self) -> None:
        """A param in flight is delivered to nobody else, nor again to its holder."""
        engine = self.filled([f"p{n}" for n in range(5)])
        self.take(engine, 5)
        assert self.rest(engine) == []
        if engine.features.shared:
            assert self.rest(self.opened()) == []

    def test_two_minions_share_all_params(self) -> None:
        """Two minions in turn get every param, none twice."""
        self.need_spread()
        params = [f"p{n}" for n in range(20)]
        one = self.filled(params)
        two = self.opened()
        taken = []
        for _ in range(10):
            for engine in (one, two):
                batch = self.take(engine, 1)
                engine.ack(batch)
                taken += batch
        assert sorted(params_of(taken)) == sorted(params)
        assert self.rest(one) == [] == self.rest(two)

    def test_ids_are_distinct(self) -> None:
        """Each param has an id of its own."""
        engine = self.filled([f"p{n}" for n in range(50)])
        ids = ids_of(self.rest(engine))
        assert all(isinstance(id, str) and id for id in ids)
        assert len(set(ids)) == 50

    def test_equal_params_stay_apart(self) -> None:
        """Of equal params as many come as ``put`` said it put, each with an id of its own."""
        engine = self.fresh()
        count = engine.put(["x", "x", "y"])
        engine.open()
        assert len(set(ids_of(self.drain(engine)))) == count

    def test_order_is_kept(self) -> None:
        """Params come in the order in which they were put."""
        self.need(self.features().ordered, "ordered=False")
        params = [f"p{n}" for n in (5, 3, 9, 1, 7, 2, 8)]
        engine = self.filled(params)
        taken = [*self.take(engine, 3), *self.take(engine, 1), *self.take(engine, 3)]
        assert params_of(taken) == params

    # The end.

    def test_the_end_comes_when_all_is_settled(self) -> None:
        """EndOfQueue only with nothing ready and nothing in flight, and again at the next call."""
        self.need(self.features().finite, "finite=False")
        engine = self.filled(["a", "b"])
        first, second = self.take(engine, 2)
        assert engine.receive(1, self.quiet) == []
        engine.ack([first])
        assert engine.receive(1, self.quiet) == []
        engine.ack([second])
        for _ in range(3):
            with pytest.raises(EndOfQueue):
                engine.receive(1, self.quiet)

    def test_the_end_waits_for_what_others_hold(self) -> None:
        """A finite queue has not ended while another minion holds a param."""
        features = self.need_shared()
        self.need(features.finite, "finite=False")
        holder = self.filled(["a"])
        held = self.take(holder, 1)
        idle = self.opened()
        assert idle.receive(1, self.quiet) == []
        holder.ack(held)
        with pytest.raises(EndOfQueue):
            idle.receive(1, self.quiet)

    def test_the_end_waits_for_what_was_given_back(self) -> None:
        """A param given back, at once or for later, keeps a finite queue alive."""
        features = self.features()
        self.need(features.finite, "finite=False")
        engine = self.filled(["a"])
        engine.nack(self.take(engine, 1))
        taken = self.take(engine, 1)
        if features.nack_delay:
            engine.nack(taken, self.delay)
            assert engine.receive(1, 0.0) == []
            self.advance(self.delay * 1.5)
            taken = self.take(engine, 1)
        engine.ack(taken)
        with pytest.raises(EndOfQueue):
            engine.receive(1, self.quiet)

    def test_an_empty_queue(self) -> None:
        """An empty queue that is finite has ended; any other just has nothing."""
        engine = self.filled([])
        if engine.features.finite:
            with pytest.raises(EndOfQueue):
                engine.receive(1, self.quiet)
        else:
            assert engine.receive(1, self.quiet) == []

    def test_an_endless_queue_never_ends(self) -> None:
        """A queue that is not finite returns [] for ever."""
        self.need(not self.features().finite, "finite=True")
        engine = self.filled(["a"])
        self.drain(engine)
        for _ in range(3):
            assert engine.receive(1, self.quiet) == []
