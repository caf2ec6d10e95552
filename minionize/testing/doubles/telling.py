"""Broken engines: dead letters, backlog, params, and what an engine tells of itself."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from minionize.engine import Backlog, DeadLetter, Delivery, EndOfQueue, Undecodable
from minionize.setting import Setting, text
from minionize.task import Param
from minionize.testing.doubles.engines import BrokenEngine


class DropsTheDead(BrokenEngine):
    """Gives up without a trace."""

    def dead_letter(self, deliveries: Sequence[Delivery], reason: str, evidence: Sequence[Mapping[str, Any]]) -> None:
        """Ack instead."""
        self.ack(deliveries)


class DropsEvidence(BrokenEngine):
    """Keeps the dead without the reason why."""

    def dead_letter(self, deliveries: Sequence[Delivery], reason: str, evidence: Sequence[Mapping[str, Any]]) -> None:
        """Keep nothing of it."""
        super().dead_letter(deliveries, reason, [{} for _ in evidence])


class SharesEvidence(BrokenEngine):
    """Keeps the evidence of the first for all of a batch."""

    def dead_letter(self, deliveries: Sequence[Delivery], reason: str, evidence: Sequence[Mapping[str, Any]]) -> None:
        """Repeat the first."""
        super().dead_letter(deliveries, reason, [evidence[0] for _ in evidence])


class TheDeadComeBack(BrokenEngine):
    """Lists a param as dead and delivers it again."""

    def dead_letter(self, deliveries: Sequence[Delivery], reason: str, evidence: Sequence[Mapping[str, Any]]) -> None:
        """Put it back too."""
        super().dead_letter(deliveries, reason, evidence)
        self.queue.put([each.param for each in deliveries])


class RequeueKeepsTheDead(BrokenEngine):
    """Delivers a requeued param and still lists it as dead."""

    def requeue(self, ids: Iterable[str]) -> int:
        """Keep the letters."""
        letters = {letter.id: letter for letter in self.dead()}
        count = super().requeue(ids)
        self.queue._dead.update(letters)
        return count


class RequeueTakesAll(BrokenEngine):
    """Requeues every dead param, whichever was named."""

    def requeue(self, ids: Iterable[str]) -> int:
        """Name them all."""
        return super().requeue([letter.id for letter in self.dead()]) if list(ids) else 0


class RequeueForgetsNothing(BrokenEngine):
    """Goes on with the old count of attempts."""

    def dead_letter(self, deliveries: Sequence[Delivery], reason: str, evidence: Sequence[Mapping[str, Any]]) -> None:
        """Remember the attempts."""
        super().dead_letter(deliveries, reason, evidence)
        self.old = {each.id: each.attempt or 1 for each in deliveries}

    def requeue(self, ids: Iterable[str]) -> int:
        """Restore the attempts."""
        count = super().requeue(ids)
        for entry in self.queue._ready:
            entry.attempts = self.old.get(entry.id, 0)
        return count


class DeadIsSpentByReading(BrokenEngine):
    """Consumes the dead letters when they are listed."""

    def dead(self) -> Iterator[DeadLetter]:
        """List and forget."""
        letters = list(super().dead())
        self.queue._dead.clear()
        return iter(letters)


class BacklogForgetsWhatIsHeld(BrokenEngine):
    """Counts the ready only."""

    def backlog(self) -> Backlog | None:
        """Tell nothing in flight."""
        backlog = super().backlog()
        return backlog and replace(backlog, in_flight=0)


class BacklogCountsTwice(BrokenEngine):
    """Counts what is in flight as ready too: the length of a stream."""

    def backlog(self) -> Backlog | None:
        """Add it."""
        backlog = super().backlog()
        return backlog and replace(backlog, ready=(backlog.ready or 0) + (backlog.in_flight or 0))


class BacklogForgetsTheDelayed(BrokenEngine):
    """Does not count what waits for its time."""

    def backlog(self) -> Backlog | None:
        """Leave it out."""
        backlog = super().backlog()
        return backlog and replace(backlog, ready=(backlog.ready or 0) - backlog.delayed)


class BacklogIsOld(BrokenEngine):
    """Shows the first count for ever."""

    seen: Backlog | None = None

    def backlog(self) -> Backlog | None:
        """Count once."""
        self.seen = self.seen or super().backlog()
        return self.seen


class BacklogIsItsOwn(BrokenEngine):
    """Counts what this minion holds, not what all hold."""

    holds = 0

    def receive(self, max_messages: int, timeout: float) -> list[Delivery]:
        """Count."""
        taken = super().receive(max_messages, timeout)
        self.holds += len(taken)
        return taken

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Count down."""
        super().ack(deliveries)
        self.holds -= len(deliveries)

    def nack(self, deliveries: Sequence[Delivery], delay: float = 0.0, charge: bool = True) -> None:
        """Count down."""
        super().nack(deliveries, delay, charge)
        self.holds -= len(deliveries)

    def dead_letter(self, deliveries: Sequence[Delivery], reason: str, evidence: Sequence[Mapping[str, Any]]) -> None:
        """Count down."""
        super().dead_letter(deliveries, reason, evidence)
        self.holds -= len(deliveries)

    def backlog(self) -> Backlog | None:
        """Tell our own."""
        backlog = super().backlog()
        return backlog and replace(backlog, in_flight=self.holds)


class BacklogIsAnEstimate(BrokenEngine):
    """Is declared exact, and is not."""

    def backlog(self) -> Backlog | None:
        """Guess."""
        backlog = super().backlog()
        return backlog and replace(backlog, exact=False)


class BacklogTakes(BrokenEngine):
    """Counts by taking."""

    def backlog(self) -> Backlog | None:
        """Take one and give it back."""
        backlog = super().backlog()
        try:
            taken = self.queue.take(1, 30.0, 0.0)
        except EndOfQueue:
            return backlog
        self.queue.nack(taken, 3600.0, False)
        return backlog


class PeekTakes(BrokenEngine):
    """Shows params by taking them."""

    def peek(self, limit: int | None = None) -> Iterator[Param]:
        """Take and give back."""
        try:
            taken = self.queue.take(1000 if limit is None else max(limit, 1), 30.0, 0.0)
        except EndOfQueue:
            taken = []
        self.queue.nack(taken, 0.0, False)
        return iter([each.param for each in taken][:limit])


class PeekShowsTheHeld(BrokenEngine):
    """Shows what is in flight."""

    def peek(self, limit: int | None = None) -> Iterator[Param]:
        """Add what is held."""
        shown = [*(entry.param for entry in self.queue._held.values()), *super().peek()]
        return iter(shown[:limit])


class PeekShowsTheDelayed(BrokenEngine):
    """Shows what is not ready yet."""

    def peek(self, limit: int | None = None) -> Iterator[Param]:
        """Add what waits."""
        now = self.queue._clock()
        waiting = [entry.param for due, _, entry in self.queue._back if due > now]
        return iter([*waiting, *super().peek()][:limit])


class StripsTexts(BrokenEngine):
    """Takes the blanks off."""

    def put(self, params: Iterable[Param]) -> int:
        """Strip."""
        return super().put(each.strip() if isinstance(each, str) else each for each in params)


class SplitsLines(BrokenEngine):
    """Makes several params of a text with line ends."""

    def put(self, params: Iterable[Param]) -> int:
        """Split."""
        params = list(params)
        for each in params:
            super().put(each.split("\n") if isinstance(each, str) else [each])
        return len(params)


class DropsBlankTexts(BrokenEngine):
    """Loses an empty text."""

    def put(self, params: Iterable[Param]) -> int:
        """Leave it out."""
        params = list(params)
        super().put(each for each in params if not isinstance(each, str) or each.strip())
        return len(params)


class ReplacesOddBytes(BrokenEngine):
    """Writes UTF-8 with replacement characters."""

    def put(self, params: Iterable[Param]) -> int:
        """Replace."""
        return super().put(
            each.encode("utf-8", "replace").decode() if isinstance(each, str) else each for each in params
        )


class TextsOnly(BrokenEngine):
    """Makes a text of every param."""

    def put(self, params: Iterable[Param]) -> int:
        """Make texts."""
        return super().put(each if isinstance(each, (str, Undecodable)) else str(each) for each in params)


class GuessesJson(BrokenEngine):
    """Decodes a text that looks like JSON."""

    def receive(self, max_messages: int, timeout: float) -> list[Delivery]:
        """Decode what can be."""
        return [replace(each, param=_guess(each.param)) for each in super().receive(max_messages, timeout)]


def _guess(param: Param) -> Param:
    try:
        return json.loads(param)
    except (TypeError, ValueError):
        return param


class CutsLongTexts(BrokenEngine):
    """Has a limit that it does not tell."""

    def put(self, params: Iterable[Param]) -> int:
        """Cut at 64 KiB."""
        return super().put(each[:65536] if isinstance(each, str) else each for each in params)


class StumblesOverTheUndecodable(BrokenEngine):
    """Raises for a param that cannot be decoded."""

    def receive(self, max_messages: int, timeout: float) -> list[Delivery]:
        """Raise."""
        taken = super().receive(max_messages, timeout)
        if any(isinstance(each.param, Undecodable) for each in taken):
            raise ValueError("cannot decode")
        return taken


class DropsTheUndecodable(BrokenEngine):
    """Acks in silence what it cannot decode."""

    def receive(self, max_messages: int, timeout: float) -> list[Delivery]:
        """Ack and take the next."""
        taken = super().receive(max_messages, timeout)
        self.ack([each for each in taken if isinstance(each.param, Undecodable)])
        return [each for each in taken if not isinstance(each.param, Undecodable)]


class DeliversTheUndecodableRaw(BrokenEngine):
    """Hands out as a param what is none."""

    def receive(self, max_messages: int, timeout: float) -> list[Delivery]:
        """Take the raw text for the param."""
        taken = super().receive(max_messages, timeout)
        return [replace(each, param=getattr(each.param, "raw", each.param)) for each in taken]


class ShowsItsSecret(BrokenEngine):
    """Has a password in its repr."""

    settings = (Setting("password", "", text, "hunter2", "The password.", secret=True),)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.config})"


class UsesAVariableTwice(BrokenEngine):
    """Has two settings behind one variable."""

    settings = (Setting("one", "SAME", text, None, "One."), Setting("other", "SAME", text, None, "Other."))


class TellsNothingOfItself(BrokenEngine):
    """Leaves its words for the docs empty."""

    features = replace(BrokenEngine.features, renewal="")


class TakesAnySetting(BrokenEngine):
    """Swallows misspelt settings."""

    def __init__(self, *args: Any, **values: Any) -> None:
        super().__init__(*args, **{key: each for key, each in values.items() if key == "lease"})


class DeadWithoutTime(BrokenEngine):
    """Does not tell when a param was given up."""

    def dead(self) -> Iterator[DeadLetter]:
        """Tell no time."""
        return iter([replace(letter, at=letter.at - time.time()) for letter in super().dead()])
