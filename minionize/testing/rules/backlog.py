"""Rules of what an engine tells of its queue and of itself: backlog, peek, features, repr."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest

from minionize.engine import Backlog, Engine, EngineError
from minionize.task import Param
from minionize.testing.rules.hooks import EngineHooks, counted, params_of


class BacklogRules(EngineHooks):
    """Telling."""

    def need_exact(self) -> None:
        """Skip the case where numbers are estimates."""
        backlog = self.features().backlog
        self.need(backlog == "exact", f"backlog={backlog!r}")

    def look(self, engine: Engine) -> Backlog:
        """Return the backlog, exact and of now."""
        backlog = engine.backlog()
        assert backlog is not None
        assert backlog.exact
        assert abs(backlog.as_of - time.time()) < self.patience
        return backlog

    def test_backlog_is_as_declared(self) -> None:
        """None where the features say "none"; ``exact`` only where they say so."""
        engine = self.filled(["a"])
        backlog = engine.backlog()
        if engine.features.backlog == "none":
            assert backlog is None
        elif backlog is not None:
            assert backlog.exact == (engine.features.backlog == "exact")

    def test_backlog_adds_up(self) -> None:
        """At every step what is ready, in flight and dead is what is not done."""
        self.need_exact()
        engine = self.filled([f"p{n}" for n in range(10)])
        assert (self.look(engine).ready, counted(engine.backlog())) == (10, 10)
        taken = self.take(engine, 4)
        assert (self.look(engine).in_flight, counted(engine.backlog())) == (4, 10)
        engine.ack(taken[:1])
        assert (self.look(engine).in_flight, counted(engine.backlog())) == (3, 9)
        engine.nack(taken[1:2])
        assert (self.look(engine).ready, counted(engine.backlog())) == (7, 9)
        if engine.features.dead_letter:
            engine.dead_letter(taken[2:3], "failed", [{}])
            assert (self.look(engine).dead, counted(engine.backlog())) == (1, 9)
            engine.requeue([taken[2].id])
            assert (self.look(engine).dead, counted(engine.backlog())) == (0, 9)
        else:
            engine.ack(taken[2:3])
        engine.ack(taken[3:])
        engine.ack(self.take(engine, self.look(engine).ready or 0))
        end = self.look(engine)
        assert (end.ready, end.in_flight, counted(end)) == (0, 0, 0)
        assert end.done in (10, None)

    def test_backlog_counts_what_waits(self) -> None:
        """Delayed params are ready, and told apart."""
        self.need_exact()
        self.need(self.features().nack_delay, "nack_delay=False")
        engine = self.filled(["a", "b"])
        engine.nack(self.take(engine, 1), delay=self.delay)
        backlog = self.look(engine)
        assert (backlog.ready, backlog.in_flight, backlog.delayed) == (2, 0, 1)
        self.advance(self.delay * 1.5)
        assert (self.look(engine).ready, self.look(engine).delayed) == (2, 0)

    def test_backlog_is_that_of_all_minions(self) -> None:
        """Every minion sees the same numbers."""
        self.need_exact()
        self.need_spread()
        one = self.filled([f"p{n}" for n in range(6)])
        two = self.opened()
        one.ack(self.take(one, 1))
        self.take(one, 2)
        self.take(two, 1)
        for engine in (one, two):
            assert (self.look(engine).ready, self.look(engine).in_flight) == (2, 3)

    def test_backlog_disturbs_nothing(self) -> None:
        """Asking for it takes nothing and loses nothing."""
        engine = self.filled(["a", "b"])
        for _ in range(3):
            engine.backlog()
        taken = self.take(engine, 2)
        engine.backlog()
        engine.ack(taken)
        assert self.rest(engine) == []

    def test_peek_takes_nothing(self) -> None:
        """``peek`` shows what is ready and not what is held, up to a limit, and leaves all as it is."""
        engine = self.filled(["a", "b", "c"])
        held = self.take(engine, 1)
        others = sorted({"a", "b", "c"} - set(params_of(held)))
        try:
            shown = list(engine.peek())
        except EngineError:
            shown = others  # it says that it cannot
        else:
            assert len(list(engine.peek(1))) == 1
            assert list(engine.peek(0)) == []
        assert sorted(shown) == others
        taken = self.take(engine, 2)
        assert sorted(params_of(taken)) == others
        assert not engine.features.browse or not any(delivery.redelivered for delivery in taken)

    def test_peek_shows_no_delayed_param(self) -> None:
        """A param that waits for its time is not ready."""
        self.need(self.features().nack_delay, "nack_delay=False")
        engine = self.filled(["a"])
        # Longer than any look: what comes while it lasts may be shown.
        engine.nack(self.take(engine, 1), delay=60.0)
        with suppress(EngineError):
            assert list(engine.peek()) == []

    def test_peek_shows_a_param_whose_time_has_come(self) -> None:
        """What waited for its time is ready when that has come."""
        self.need(self.features().nack_delay, "nack_delay=False")
        engine = self.filled(["a"])
        engine.nack(self.take(engine, 1), delay=self.delay)
        self.advance(self.delay * 1.5)
        shown: list[Param] = []
        end = time.monotonic() + self.patience
        with suppress(EngineError):
            while not shown and time.monotonic() < end:
                shown = list(engine.peek())
            assert shown == ["a"]

    def test_features_are_consistent(self) -> None:
        """The declared words are those of the contract, and do not contradict each other."""
        engine = self.fresh()
        features = engine.features
        assert engine.name
        assert features.lease in ("deadline", "connection", "none")
        assert features.backlog in ("exact", "estimate", "none")
        assert features.lease != "none" or not features.shared, "who shares a queue must hold what it takes"
        assert features.lease == "deadline" or not features.fenced, "a fence is for leases that run out"
        for word in ("ack", "renewal", "redelivery"):
            assert getattr(features, word), f"the table in the docs needs features.{word}"

    def test_settings_are_declared_once(self) -> None:
        """Keys and variables are distinct, each with its help; all values are in ``config``."""
        engine = self.fresh()
        keys = [setting.key for setting in engine.settings]
        variables = [setting.env for setting in engine.settings if setting.env]
        assert len(set(keys)) == len(keys)
        assert len(set(variables)) == len(variables)
        assert all(setting.help for setting in engine.settings)
        assert set(engine.config) == set(keys)

    def test_no_secret_in_the_repr(self) -> None:
        """The repr of an engine, and of what it delivers, shows no value of a secret setting."""
        engine = self.filled(["a"])
        shown = repr(engine) + repr(self.take(engine, 1)) + str(engine)
        for setting in engine.settings:
            value = engine.config[setting.key]
            if setting.secret and value:
                assert str(value) not in shown, f"{setting.key} is shown"

    def test_an_unknown_setting_is_refused(self) -> None:
        """A misspelt setting is an error that names it."""
        engine = self.fresh()
        with pytest.raises(Exception, match="no_such_setting"):
            type(engine)(**{**engine.config, "no_such_setting": 1})
