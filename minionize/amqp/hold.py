"""What a minion holds of a queue: deliveries, and the channels that carry them, over lost connections."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from minionize.amqp.channel import Arrival, Channel
from minionize.amqp.faults import NOT_FOUND, code_of
from minionize.amqp.link import Link
from minionize.amqp.message import Message
from minionize.engine import EngineError, NotConnected
from minionize.notice import notice

__all__ = ["Held", "Hold"]

_CHANNELS = 1000
_SPARE = 4
"""Channels left for questions and orders."""

_REMEMBERED = 10_000
_HOPES = 4


class Held:
    """One delivery: the receipt.

    Attributes:
        message: What was delivered.
        id: Id of its param.
        channel: What it came by.
        tag: Its number there.
        settled: Whether we were told what becomes of it.
        anew: Whether the server has confirmed a message in place of it: this one is only to be acked.
        hopes: How often it is still looked for, should the server take it back.
        sent: The outbox that has what takes its place, and only waits for the server to confirm it.
    """

    __slots__ = ("anew", "channel", "hopes", "id", "message", "sent", "settled", "tag")

    def __init__(self, message: Message, id: str, channel: Channel, tag: int) -> None:
        self.message, self.id, self.channel, self.tag = message, id, channel, tag
        self.settled = self.anew = False
        self.hopes = _HOPES
        self.sent: object = None

    @property
    def is_ours(self) -> bool:
        """Whether the server still counts it as ours; else it gives it to somebody else, or to us again."""
        return self.channel.is_open


class Hold:
    """All of them.

    A server gives what a lost connection held to anybody, so also to us again. What still runs here is then taken over
    in silence; what we were told to ack is acked again.
    """

    def __init__(self) -> None:
        self._channels: list[Channel] = []
        self._held: dict[str, Held] = {}
        self._done: OrderedDict[str, None] = OrderedDict()
        self._has_warned = False

    def take(self, link: Link, queue: str, most: int) -> list[Held]:
        """Take what is ready now.

        Raises:
            NotConnected: The queue cannot be reached, or is gone.
        """
        taken: list[Held] = []
        try:
            self._take(link, queue, most, taken)
        except BaseException:
            # Nobody hears of these: when they come again they must not seem to run here.
            for held in taken:
                self.forget(held)
            raise
        return taken

    def _take(self, link: Link, queue: str, most: int, taken: list[Held]) -> None:
        ready = link.count(queue)
        if ready is None:
            raise NotConnected(f"{link.place}: queue {queue} is gone")
        while (wanted := min(most, ready) - len(taken)) > 0:
            channels = self._free(link, wanted)
            came = self._get(link, queue, channels)
            taken.extend(held for held in map(self._admit, came) if held is not None)
            if len(came) < len(channels):
                return

    def missing(self) -> int:
        """Count what runs here though the server has taken it back; each for a few times only."""
        lost = [held for held in self._held.values() if held.hopes and not held.is_ours]
        for held in lost:
            held.hopes -= 1
        return len(lost)

    @staticmethod
    def _get(link: Link, queue: str, channels: Sequence[Channel]) -> list[Arrival]:
        try:
            return link.get(queue, channels)
        except EngineError as error:
            if code_of(error) != NOT_FOUND:
                raise
            raise NotConnected(str(error)) from error

    def _free(self, link: Link, count: int) -> list[Channel]:
        """Find channels that carry nothing; where there are no more to be had, those that carry least."""
        self._drop_closed()
        free = [channel for channel in self._channels if not channel.held][:count]
        room = min(_CHANNELS, link.most_channels - _SPARE) - len(self._channels)
        opened = link.channels(min(count - len(free), room)) if count > len(free) and room > 0 else []
        self._channels += opened
        found = [*free, *opened] or sorted(self._channels, key=lambda channel: channel.held)[:count]
        if not found:
            raise EngineError(f"{link.place} allows too few channels: raise channel_max to {2 * _SPARE} or more")
        return found

    def _drop_closed(self) -> None:
        closed = [channel for channel in self._channels if not channel.is_open]
        if not closed:
            return
        self._channels = [channel for channel in self._channels if channel.is_open]
        if not self._has_warned and any(channel.was_held_too_long for channel in closed):
            self._has_warned = True
            notice(
                "rabbitmq",
                "the server has taken a param back, for its run takes longer than consumer_timeout: another minion may "
                "run it too. Raise that in rabbitmq.conf; from RabbitMQ 3.12 on minionize does so for its queues",
            )

    def _admit(self, arrival: Arrival) -> Held | None:
        """Hold what has come; None of what we hold already, or had been told to ack."""
        message = Message(arrival)
        channel, tag, id = arrival.channel, arrival.method.delivery_tag, message.id
        if message.again and message.copy in self._done:
            if not message.ours:
                del self._done[message.copy]
            channel.ack(tag)
            return None
        channel.held += 1
        if lost := self._lost(message):
            lost.channel, lost.tag, lost.hopes = channel, tag, _HOPES
            lost.message.copy = message.copy
            return None
        while id in self._held:
            # Of another producer: messages that do not differ are params all the same.
            id += "~"
        held = self._held[id] = Held(message, id, channel, tag)
        return held

    def _lost(self, message: Message) -> Held | None:
        """Find what runs here, though its connection was lost: it has come again, or another minion has put it anew."""
        anew = self._held.get(message.id) if message.ours else None
        if anew is not None and not anew.is_ours and anew.message.body == message.body:
            return anew
        same = (held for held in self._held.values() if held.message.copy == message.copy and not held.is_ours)
        return next(same, None) if message.again else None

    def finish(self, link: Link, receipts: Sequence[Held]) -> None:
        """Ack messages: done, or put elsewhere; what is not ours now is acked when it comes again."""
        for held in receipts:
            is_ours = held.is_ours
            # A message of others may have a twin: it is remembered only where it must come again.
            if held.message.ours or not is_ours:
                self._remember(held.message.copy)
            self.forget(held)
            if is_ours:
                held.channel.ack(held.tag)
        if receipts:
            link.sync()

    def _remember(self, copy: str) -> None:
        self._done[copy] = None
        while len(self._done) > _REMEMBERED:
            self._done.popitem(last=False)

    def forget(self, held: Held) -> None:
        """Hold it no longer."""
        held.settled = True
        held.channel.held -= 1
        self._held.pop(held.id, None)

    def disconnect(self) -> None:
        """Hear that the connection has ended; what is held may come again."""
        self._channels.clear()
