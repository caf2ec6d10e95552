"""What a minion holds of a topic, over lost connections."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from minionize.pulsarclient.inbox import Inbox, Line
from minionize.pulsarclient.message import Message

__all__ = ["Held", "Hold"]

_REMEMBERED = 10_000


class Held:
    """One delivery: the receipt.

    Attributes:
        message: What was delivered.
        line: Which consumer it came to.
        settled: Whether we were told what becomes of it.
        anew: Whether the server has confirmed a message in place of it: this one is only to be acked.
    """

    __slots__ = ("anew", "line", "message", "settled")

    def __init__(self, message: Message, line: Line) -> None:
        self.message, self.line = message, line
        self.settled = self.anew = False


class Hold:
    """All of them.

    A server gives what a lost connection held to anybody, so also to us again. What still runs here is then taken over
    in silence; what we were told to ack is acked again: an ack that was under way is lost with its connection.
    """

    def __init__(self, subscription: str) -> None:
        self._subscription = subscription
        self._held: dict[str, Held] = {}
        self._done: OrderedDict[str, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._held)

    def knows(self, line: Line, message: Message) -> bool:
        """See to a message that is no new delivery: done, held, or not for us; tell whether it is one."""
        if not message.is_for(self._subscription) or message.position in self._done:
            self._drop(line, message)
            return True
        id = message.id
        while (held := self._held.get(id)) is not None:
            if held.message.position == message.position:
                message.id = id
                held.line.held -= 1
                held.line, held.message = line, message
                return True
            if (message.is_anew or held.message.is_anew) and held.message.body == message.body:
                # Put anew by a minion that died before it had acked the other one.
                self.drop(line, message)
                return True
            id += "~"
        return False

    def admit(self, line: Line, message: Message) -> Held:
        """Hold a delivery. Messages that others have given one id are params all the same."""
        while message.id in self._held:
            message.id += "~"
        held = self._held[message.id] = Held(message, line)
        return held

    def drop(self, line: Line, message: Message) -> None:
        """Ack a message that is of no use any more, and must not be delivered should it come again."""
        self._remember(message)
        self._drop(line, message)

    def _remember(self, message: Message) -> None:
        self._done[message.position] = None
        while len(self._done) > _REMEMBERED:
            self._done.popitem(last=False)

    @staticmethod
    def _drop(line: Line, message: Message) -> None:
        line.acknowledge(message)
        line.held -= 1

    def finish(self, inbox: Inbox, receipts: Sequence[Held]) -> None:
        """Ack messages: they are done, or have been put elsewhere."""
        for held in receipts:
            # Any consumer may ack what another one, of a connection that is lost, was given.
            line = held.line if held.line.inbox is inbox else inbox.line_of(held.line.topic)
            line.acknowledge(held.message)
            self._remember(held.message)
            self.forget(held)

    def give_back(self, inbox: Inbox, receipts: Sequence[Held]) -> None:
        """Have the server deliver messages again; those of a lost connection it has given back already."""
        for held in receipts:
            if held.line.inbox is inbox:
                held.line.give_back(held.message)
            self.forget(held)

    def forget(self, held: Held) -> None:
        """Hold it no longer."""
        held.settled = True
        held.line.held -= 1
        self._held.pop(held.message.id, None)
