"""Rules of dead letters: evidence is kept, nothing comes again, and a requeue starts afresh."""

from __future__ import annotations

import time

import pytest

from minionize.engine import Engine, EngineError
from minionize.testing.rules.hooks import EngineHooks, ids_of, params_of, same

EVIDENCE = {
    "outcome": "failed",
    "exit_code": 3,
    "signal": None,
    "stderr": "no\nsuch \u00fc",
    "argv": ["a.out", "-x"],
}


class DeadRules(EngineHooks):
    """Dead letters."""

    def need_dead(self) -> None:
        """Skip the case where the queue keeps no dead params."""
        self.need(self.features().dead_letter, "dead_letter=False")

    def reader(self, engine: Engine) -> Engine:
        """Return who looks at the dead letters: another minion where there can be one."""
        return self.another(engine)

    def test_a_dead_param_leaves_the_queue(self) -> None:
        """What was given up is not delivered again; what was not goes on."""
        self.need_dead()
        engine = self.filled(["a", "b"])
        first, second = self.take(engine, 2)
        engine.dead_letter([first], "failed", [EVIDENCE])
        self.advance(self.delay * 1.5)
        assert self.rest(engine) == []
        engine.ack([second])
        self.lapse([first, second])
        assert self.rest(self.reader(engine)) == []

    def test_evidence_is_kept(self) -> None:
        """``dead`` lists id, param, reason, evidence and time, for every minion, as often as it is asked."""
        self.need_dead()
        engine = self.filled(["a", "b", "c"])
        taken = self.take(engine, 3)
        begin = time.time() - 5
        engine.dead_letter(taken[:2], "exit code 3", [EVIDENCE, {"exit_code": 4}])
        engine.close()
        reader = self.successor(engine)
        for _ in range(2):
            letters = {letter.id: letter for letter in reader.dead()}
            assert set(letters) == set(ids_of(taken[:2]))
            for delivery, evidence in zip(taken, [EVIDENCE, {"exit_code": 4}], strict=False):
                letter = letters[delivery.id]
                assert same(letter.param, delivery.param)
                assert letter.reason == "exit code 3"
                assert same(dict(letter.evidence), evidence)
                assert begin <= letter.at <= time.time() + 5

    def test_nobody_is_dead_at_first(self) -> None:
        """A queue without dead params lists none, and requeues none."""
        engine = self.filled(["a"])
        assert list(engine.dead()) == []
        assert engine.requeue(["a", "no-such-id"]) == 0
        assert len(self.drain(engine)) == 1

    def test_requeue_starts_afresh(self) -> None:
        """A requeued param comes again with attempt 1 and no crashes, and is no longer among the dead."""
        self.need_dead()
        engine = self.filled(["a", "b", "c"])
        taken = self.take(engine, 3)
        engine.started(taken)
        engine.nack(taken)
        taken = self.take(engine, 3)
        engine.dead_letter(taken, "failed", [EVIDENCE] * 3)
        wanted = taken[:2]
        assert engine.requeue([*ids_of(wanted), "no-such-id"]) == 2
        assert engine.requeue(ids_of(wanted)) == 0
        assert [letter.id for letter in engine.dead()] == ids_of(taken[2:])
        again = self.rest(self.reader(engine))
        assert sorted(params_of(again)) == sorted(params_of(wanted))
        assert {delivery.attempt for delivery in again} == ({1} if engine.features.attempts else {None})
        assert {delivery.crashes for delivery in again} <= {0, None}

    def test_a_requeued_param_can_be_settled(self) -> None:
        """It is a param as any other: done when acked, dead again when given up again."""
        self.need_dead()
        engine = self.filled(["a", "b"])
        taken = self.take(engine, 2)
        engine.dead_letter(taken, "failed", [EVIDENCE] * 2)
        engine.requeue(ids_of(taken))
        first, second = self.take(engine, 2)
        engine.ack([first])
        engine.dead_letter([second], "failed again", [{}])
        assert self.rest(engine) == []
        assert [(letter.id, letter.reason) for letter in engine.dead()] == [(second.id, "failed again")]

    def test_an_engine_without_dead_letters_says_so(self) -> None:
        """It raises EngineError, and the param is still held."""
        self.need(not self.features().dead_letter, "dead_letter=True")
        engine = self.filled(["a"])
        taken = self.take(engine, 1)
        with pytest.raises(EngineError):
            engine.dead_letter(taken, "failed", [EVIDENCE])
        engine.nack(taken)
        assert len(self.drain(engine)) == 1
