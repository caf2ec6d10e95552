"""Rules of looking and caring from outside: who holds what, visiting, throwing away."""

from __future__ import annotations

import pytest

from minionize.engine import Engine, EngineError, Holder
from minionize.testing.rules.hooks import EngineHooks, params_of


class CareRules(EngineHooks):
    """What ``minion-queue`` asks of a queue."""

    def shares(self, engine: Engine) -> dict[str, int]:
        """Return how many params each minion holds that holds some; skip the case where nobody knows."""
        holders = engine.holders()
        if holders is None:
            pytest.skip("the queue does not tell who holds what")
        assert all(isinstance(each, Holder) for each in holders)
        return {each.minion: each.in_flight for each in holders if each.in_flight}

    def purged(self, engine: Engine) -> int:
        """Purge; skip the case where the queue cannot do that."""
        try:
            return engine.purge()
        except EngineError:
            if type(engine).purge is Engine.purge:
                pytest.skip("the queue cannot throw params away")
            raise

    def test_holders_tell_who_holds_what(self) -> None:
        """Each minion is told with what it holds, and no longer when it has settled that."""
        self.need_spread()
        one = self.filled([f"p{n}" for n in range(6)])
        two = self.opened()
        mine, theirs = self.take(one, 3), self.take(two, 1)
        for engine in (one, two):
            assert self.shares(engine) == {one.minion: 3, two.minion: 1}
        one.ack(mine[:2])
        two.nack(theirs)
        assert self.shares(one) == {one.minion: 1}

    def test_a_visitor_takes_nothing(self) -> None:
        """Who visits can look, and is no minion: it holds nothing and ends nothing."""
        engine = self.filled(["a", "b"])
        taken = self.take(engine, 1) if engine.features.shared else []
        visitor = self.fresh()
        visitor.visit()
        visitor.backlog()
        list(visitor.dead())
        assert visitor.minion not in {each.minion for each in visitor.holders() or () if each.in_flight}
        visitor.close()
        if engine.features.shared:
            engine.ack(taken)
        assert len(self.drain(engine)) == 2 - len(taken)

    def test_purge_throws_away_what_is_ready(self) -> None:
        """All that is ready goes, delayed params too; what is put later comes."""
        engine = self.filled(["a", "b", "c"])
        if engine.features.nack_delay:
            engine.nack(self.take(engine, 1), delay=self.delay)
        assert self.purged(engine) == 3
        self.advance(self.delay * 1.5)
        assert engine.put(["d"]) == 1
        assert params_of(self.drain(engine)) == ["d"]

    def test_purge_leaves_what_is_in_flight(self) -> None:
        """What a minion holds stays its own, and nobody else's purge disturbs that; the dead stay too."""
        self.need_shared()
        engine = self.filled(["a", "b", "c", "d"])
        dead, *taken = self.take(engine, 3)
        if engine.features.dead_letter:
            engine.dead_letter([dead], "failed", [{}])
        else:
            engine.ack([dead])
        other = self.fresh()
        other.visit()
        assert self.purged(other) == 1
        assert len(list(engine.dead())) == engine.features.dead_letter
        engine.ack(taken[:1])
        engine.nack(taken[1:])
        assert params_of(self.rest(engine)) == [taken[1].param]
