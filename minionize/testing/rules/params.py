"""Rules of params: whole or refused, never changed; what cannot be decoded is a delivery of its own."""

from __future__ import annotations

from typing import Any

from minionize.engine import EngineError, Undecodable
from minionize.task import Param, to_json
from minionize.testing.rules.hooks import EngineHooks

TEXTS = (
    "plain",
    "two words",
    "  leading and trailing blanks \t",
    "--",
    "-j",
    "--help",
    "'quotes' \"double\" `back` \\ $HOME; rm *",
    "{} {name} {{}} {",
    "\u00fcn\u00ef\u00e7\u00f8d\u00e9 \u4f60\u597d \U0001f600",
    "odd bytes \udcff\udc80",
    "tab\there",
    '{"json": ["as", 1, "text"]}',
    "null",
    "007",
    "x" * 1_000_000,
)
"""Every queue must keep these."""

AWKWARD = ("", " ", "\n", "two\nlines", "carriage\r", "\r\n", "nul\0byte", "\x1b[31mred", "\x85\u2028", "\ufeffmark")
"""A queue of lines may refuse some of these, aloud."""

VALUES: tuple[Any, ...] = (
    7,
    -1,
    2**63,
    1.5,
    1e300,
    True,
    None,
    [],
    ["a", 1, None],
    {"arg1": 1, "arg2": "foo", "flag": False},
    {"nested": {"list": [{"deep": [1, [2, [3]]]}], "text": "\u00fc\n\0"}},
    {},
)
"""Every queue of JSON values must keep these."""


class ParamRules(EngineHooks):
    """What a param may be."""

    def refused(self, *params: Param) -> list[Param]:
        """Put each param and drain the queue; return what ``put`` refused. All others must come as they were."""
        engine = self.fresh()
        engine.put([])
        taken_in, refused = [], []
        for param in params:
            try:
                assert engine.put([param]) == 1
            except EngineError:
                refused.append(param)
            else:
                taken_in.append(to_json(param))
        engine.open()
        came = [to_json(delivery.param) for delivery in self.drain(engine)]
        changed = [(text[:80], len(text)) for text in came if text not in taken_in]
        missing = [(text[:80], len(text)) for text in taken_in if text not in came]
        assert (changed, missing, len(came)) == ([], [], len(taken_in))
        return refused

    def test_texts_survive(self) -> None:
        """Any text comes as it was put: blanks, dashes, Unicode, odd bytes, a megabyte."""
        assert [param[:80] for param in self.refused(*TEXTS)] == []

    def test_values_survive(self) -> None:
        """A queue of JSON values keeps each as it is; a queue of texts keeps or refuses it."""
        refused = self.refused(*VALUES)
        assert refused == [] or not self.holds_json

    def test_no_param_is_changed(self) -> None:
        """What cannot be kept whole is refused with an EngineError that says so; a blank text is not lost."""
        self.refused(*AWKWARD)

    def test_two_texts_stay_two(self) -> None:
        """Params put in several calls do not run into each other."""
        engine = self.fresh()
        for text in ("a", "b", "c"):
            engine.put([text])
        engine.open()
        assert sorted(delivery.param for delivery in self.drain(engine)) == ["a", "b", "c"]

    def need_decoder(self) -> None:
        """Skip the case where every param can be decoded."""
        self.need(self.features().decodes, "decodes=False")

    def test_what_cannot_be_decoded_is_delivered_so(self) -> None:
        """It comes as Undecodable with what it was and why, and the others come too."""
        self.need_decoder()
        self.fresh().put(["a"] if not self.holds_json else [{"good": 1}])
        self.corrupt()
        engine = self.filled(["b"] if not self.holds_json else [{"good": 2}])
        taken = self.drain(engine)
        bad = [delivery for delivery in taken if isinstance(delivery.param, Undecodable)]
        assert (len(taken), len(bad)) == (3, 1)
        assert isinstance(bad[0].param.raw, str)
        assert bad[0].param.why
        assert bad[0].id not in {delivery.id for delivery in taken if delivery is not bad[0]}

    def test_what_cannot_be_decoded_is_no_loop(self) -> None:
        """It is settled as any other: dead-lettered or acked it never comes again; given back it keeps its id."""
        self.need_decoder()
        self.fresh().put([])
        self.corrupt()
        engine = self.opened()
        first = self.take(engine, 1)
        engine.nack(first)
        again = self.take(engine, 1)
        assert again[0].id == first[0].id
        assert isinstance(again[0].param, Undecodable)
        if engine.features.dead_letter:
            engine.dead_letter(again, "cannot be decoded", [{"raw": again[0].param.raw}])
            assert [letter.id for letter in engine.dead()] == [again[0].id]
        else:
            engine.ack(again)
        self.lapse(again)
        assert self.rest(engine) == []
