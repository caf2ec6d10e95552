"""A minion as a member of the group: which partitions are its own, what comes from them, and what it has done."""

from __future__ import annotations

import heapq
import itertools
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import Any

from minionize.errors import NotConnected
from minionize.kafkaclient.bounded import Bounded
from minionize.kafkaclient.client import ANSWER, Client
from minionize.kafkaclient.lending import Lending
from minionize.kafkaclient.progress import FRESH, LENT, ROOM, RUNNING, SEEN, Changes, Entry, Progress, Record

__all__ = ["OPEN", "Member", "committed", "offsets"]

OPEN = 1000
"""So many params of a partition that are not done, and no more are taken from it: more could not be told apart."""

_BRIEF = 0.05
_NEWS = 1.0  # seconds between looks for what became of what is lent
_MOVING = frozenset(
    {"REBALANCE_IN_PROGRESS", "ILLEGAL_GENERATION", "UNKNOWN_MEMBER_ID", "FENCED_INSTANCE_ID", "_STATE", "_NO_OFFSET"}
)
"""The group is being shared out anew: soon it is clear what is still ours."""

_LATEST, _EARLIEST = -1, -2
Call = Callable[[Callable[[], Any], float], Any]


def offsets(consumer: Any, topic: str, partitions: Iterable[int], latest: bool) -> dict[int, int]:
    """Ask for the end, or the begin, of partitions, in one round trip."""
    from confluent_kafka import KafkaException, TopicPartition

    when = _LATEST if latest else _EARLIEST
    asked = [TopicPartition(topic, number, when) for number in partitions]
    if not asked:
        return {}
    found = consumer.offsets_for_times(asked, timeout=ANSWER)
    for each in found:
        if each.error:
            raise KafkaException(each.error)
    return {each.partition: each.offset for each in found}


def committed(consumer: Any, topic: str, partitions: Iterable[int]) -> dict[int, Progress]:
    """Ask what the group has done of partitions."""
    from confluent_kafka import KafkaException, TopicPartition

    asked = [TopicPartition(topic, number) for number in partitions]
    if not asked:
        return {}
    begins = offsets(consumer, topic, [each.partition for each in asked], latest=False)
    found = {}
    for each in consumer.committed(asked, timeout=ANSWER):
        if each.error:
            raise KafkaException(each.error)
        number, begin = each.partition, begins[each.partition]
        progress = Progress(number, each.offset if each.offset >= 0 else begin, each.metadata or "")
        progress.expire(begin)
        found[number] = progress
    return found


def _directly(function: Callable[[], Any], _seconds: float) -> Any:
    return function()


class Member:
    """Our part of the group.

    Args:
        client: Makes the connection.
        read: Reads a message; None for one that is meant for others.
        say: Takes a warning.

    Attributes:
        consumer: The connection.
        parts: The partitions that are ours now.
        joined: Whether we were told once what is ours.
    """

    def __init__(self, client: Client, read: Callable[[Any], Record | None], say: Callable[[str], None]) -> None:
        self._client, self._read, self._say = client, read, say
        self.consumer = client.consumer()
        self.parts: dict[int, Progress] = {}
        self._former: dict[int, Progress] = {}
        self._ready: deque[Entry] = deque()
        self._delayed: list[tuple[float, int, Entry]] = []
        self._order = itertools.count()
        self._room = ROOM
        self._bounded = Bounded()
        self._lending = Lending(client)
        self._look = 0.0
        self.joined = self._is_settled = self._leaving = False
        self._grace = 0.0
        # A consumer that is thrown away unclosed can hang for ever, at the exit of the process too.
        self.closing = weakref.finalize(self, self.consumer.close)

    # The group.

    def join(self, patience: float) -> None:
        """Join the group, and wait a while to be told what is ours."""
        topic = self._client.topic
        self.consumer.subscribe([topic], on_assign=self._gain, on_revoke=self._revoke, on_lost=self._lose)
        until = time.monotonic() + patience
        while not self.joined and time.monotonic() < until:
            self.listen(0, _BRIEF)

    def resume(self) -> None:
        """Hear that the brokers are back; for one session they may wait for us and take us for a stranger."""
        self._grace = time.monotonic() + self._client.session + ANSWER

    def leave(self) -> None:
        """Leave the group, so that others go on at once with what is not done."""
        from confluent_kafka import KafkaError, KafkaException

        self._hand_over(self.parts, {}, self._bounded.call)
        lent = {entry: entry.mark._replace(state=SEEN) for entry in self._lending.out.values()}
        with suppress(KafkaException, TimeoutError):
            self._lending.tell(lent)
        self.parts, self._former, self._leaving = {}, {}, True
        # The brokers learn of it anyway, when the session runs out.
        with suppress(KafkaException, KafkaError, TimeoutError):  # type: ignore[arg-type]
            self._bounded.call(self.closing, ANSWER)
        self._bounded.close()

    @property
    def holds(self) -> bool:
        """Whether deliveries are held."""
        parts = (*self.parts.values(), *self._former.values())
        return bool(self._lending.out) or any(entry.held for part in parts for entry in part.open.values())

    def _gain(self, consumer: Any, gained: list[Any]) -> None:
        from confluent_kafka import TopicPartition

        if self._leaving:
            return
        topic, numbers = self._client.topic, [each.partition for each in gained]
        news = committed(consumer, topic, numbers)
        ends = offsets(consumer, topic, numbers, latest=True)
        for number, progress in news.items():
            progress.take_over(self._former.get(number))
            progress.at_end = progress.start >= ends[number]
            for offset in progress.open:
                self._lending.out.pop((number, offset), None)
        starts = [TopicPartition(topic, number, each.start) for number, each in news.items()]
        consumer.incremental_assign(starts)
        # One that comes back may still be paused.
        consumer.resume(starts)
        self.parts.update(news)
        self._former = {number: part for number, part in self._former.items() if number not in news}
        self.joined = self._is_settled = True
        self._focus()

    def _revoke(self, _consumer: Any, revoked: list[Any]) -> None:
        """Go on with what we hold, as its new owner learns, and give away the rest."""
        parts = {each.partition: self.parts[each.partition] for each in revoked if each.partition in self.parts}
        held = [entry for part in parts.values() for entry in part.open.values() if entry.held]
        if self._leaving:
            return
        lent = self._lending.marks(held)
        # We are being called by the client, which makes calls of other threads wait.
        if self._hand_over(parts, lent, _directly):
            self._lending.out.update({(entry.partition, entry.offset): entry for entry in lent})
        self._forget(revoked)

    def _lose(self, _consumer: Any, lost: list[Any]) -> None:
        self._lending.out.clear()
        self._forget(lost)

    def _forget(self, lost: list[Any]) -> None:
        for each in lost:
            part = self.parts.pop(each.partition, None)
            if part is not None:
                self._former[each.partition] = part
        self._is_settled = False

    def _hand_over(self, parts: dict[int, Progress], changes: Changes, call: Call) -> bool:
        """Write down what is not done of partitions that we give away: what we were running has not crashed."""
        from confluent_kafka import KafkaException

        entries = [entry for part in parts.values() for entry in part.open.values()]
        seen = {
            entry: entry.mark._replace(state=SEEN)
            for entry in entries
            if entry.mark.state == RUNNING or (entry.held and entry.mark.state == FRESH)
        }
        # What is not known then counts as a crash.
        with suppress(KafkaException, TimeoutError):
            return self._commit({number for number, part in parts.items() if part.open}, {**seen, **changes}, call)
        return False

    # What comes.

    def take(self, most: int, timeout: float) -> list[Entry]:
        """Take up to ``most`` params, waiting up to ``timeout`` seconds for the first; 0 keeps the membership alive."""
        until = time.monotonic() + timeout
        while True:
            self._wake()
            left = max(0.0, until - time.monotonic())
            wait = 0.0 if self._ready and most else min(left, self._until_due())
            self.listen(most - len(self._ready), wait)
            taken = self._pick(most)
            if taken or time.monotonic() >= until:
                return taken

    def listen(self, most: int, wait: float) -> None:
        """Hear what the brokers send: news of the group, and up to ``most`` messages, or else at most one."""
        self._focus(idle=most <= 0 and bool(self._ready))
        message = self.consumer.poll(wait)
        if message is None:
            return
        self._arrive(message)
        if most > 1:
            for each in self.consumer.consume(most - 1, 0):
                self._arrive(each)

    def _arrive(self, message: Any) -> None:
        error = message.error()
        part = self.parts.get(message.partition())
        if error is not None:
            if error.name() == "_PARTITION_EOF":
                if part is not None:
                    part.at_end = True
            elif self._client.is_refusal(error):
                raise self._client.failure(error, "read it")
            return
        if part is None:
            return
        gone = part.gone
        part.at_end = False
        entry = part.arrive(message.offset(), self._read(message))
        if entry is not None:
            self._queue(entry)
        if part.gone > gone:
            self._say(f"{self._client}: {part.gone} params were deleted by the brokers before they were done")

    def _queue(self, entry: Entry) -> None:
        if entry.mark.state == LENT:
            self._lending.lent.add(entry)
        elif entry.mark.due > time.time():
            heapq.heappush(self._delayed, (entry.mark.due, next(self._order), entry))
        else:
            self._ready.append(entry)

    def _wake(self) -> None:
        """Make ready what is due, and what others have given back."""
        if self._lending.lent and time.monotonic() >= self._look:
            self._look = time.monotonic() + _NEWS
            self._take_back()
        now = time.time()
        while self._delayed and self._delayed[0][0] <= now:
            self._ready.append(heapq.heappop(self._delayed)[2])

    def _take_back(self) -> None:
        lending = self._lending
        lending.lent = {entry for entry in lending.lent if self._is_open(entry)}
        changes = lending.look()
        if self._commit({entry.partition for entry in changes}, changes):
            self._apply(changes)
            lending.lent -= changes.keys()
            for entry, mark in changes.items():
                if mark is not None:
                    self._queue(entry)

    def _until_due(self) -> float:
        return max(0.0, self._delayed[0][0] - time.time()) if self._delayed else float("inf")

    def _pick(self, most: int) -> list[Entry]:
        taken: list[Entry] = []
        while self._ready and len(taken) < most:
            entry = self._ready.popleft()
            if self._is_open(entry):
                entry.held = True
                taken.append(entry)
        return taken

    def _focus(self, idle: bool = False) -> None:
        """Fetch from the last of our partitions only, and from one before it when there is nothing left in that.

        When minions come, cooperative-sticky takes the first partitions of each to share them out: the last one stays,
        and with it what we hold. Fetched messages count for nobody, so pausing loses only the time to fetch again.
        """
        from confluent_kafka import TopicPartition

        wanted = not idle
        pause: list[Any] = []
        resume: list[Any] = []
        for number in sorted(self.parts, reverse=True):
            part = self.parts[number]
            fetch = wanted and len(part.open) < OPEN
            wanted = wanted and (part.at_end or not fetch)
            if part.paused == fetch:
                (resume if fetch else pause).append(TopicPartition(self._client.topic, number, part.next))
                part.paused = not fetch
        if pause:
            self.consumer.pause(pause)
        if resume:
            self.consumer.resume(resume)
            for each in resume:
                # Without a seek the client takes up to a second to notice.
                self.consumer.seek(each)

    # What is done.

    def _is_open(self, entry: Entry) -> bool:
        part = self.parts.get(entry.partition)
        return part is not None and part.open.get(entry.offset) is entry

    def is_lost(self, entry: Entry) -> bool:
        """Tell whether a delivery is no longer ours; while the group is being shared out anew it still is."""
        if self._lending.has(entry):
            return False
        part = self.parts.get(entry.partition)
        if part is None and (not self._is_settled or time.monotonic() < self._grace):
            part = self._former.get(entry.partition)
        return not (entry.held and part is not None and part.open.get(entry.offset) is entry)

    def change(self, changes: Changes) -> set[Entry]:
        """Commit new marks of what we hold, None for what is done; return what is no longer ours.

        Raises:
            NotConnected: It is not known whether they were committed.
        """
        until = time.monotonic() + ANSWER
        left, lost = dict(changes), set[Entry]()
        while True:
            lost |= {entry for entry in left if self.is_lost(entry)}
            lent = {entry: mark for entry, mark in left.items() if self._lending.has(entry)}
            self._tell(lent)
            left = {entry: mark for entry, mark in left.items() if entry not in lost and entry not in lent}
            numbers = {entry.partition for entry in left}
            if numbers <= self.parts.keys() and self._commit(numbers, left):
                self._apply(left)
                return lost
            if time.monotonic() > until:
                why = "no broker answers" if self._client.down else "the group is being shared out anew"
                raise NotConnected(f"{self._client}: cannot commit now: {why}")
            self.listen(0, _BRIEF)

    def _tell(self, changes: Changes) -> None:
        """Tell the new owner what became of what we ran for it."""
        for entry, mark in changes.items():
            entry.mark = mark or entry.mark
        self._lending.tell({entry: mark for entry, mark in changes.items() if mark is None or mark.state != RUNNING})

    def _apply(self, changes: Changes) -> None:
        for entry, mark in changes.items():
            self.parts[entry.partition].change({entry: mark})
            entry.held = entry.held and mark is not None

    def _commit(self, numbers: set[int], changes: Changes, call: Call | None = None) -> bool:
        """Commit what is done of partitions; False if the group is being shared out anew."""
        from confluent_kafka import KafkaException, TopicPartition

        topic, call = self._client.topic, call or self._bounded.call
        while numbers:
            notes = [(number, *self.parts[number].note(changes, self._room)) for number in sorted(numbers)]
            wanted = [TopicPartition(topic, number, offset, metadata=text) for number, offset, text in notes]
            try:
                for each in call(partial(self.consumer.commit, offsets=wanted, asynchronous=False), ANSWER):
                    if each.error:
                        raise KafkaException(each.error)
            except KafkaException as error:
                name = error.args[0].name()
                if name == "OFFSET_METADATA_TOO_LARGE" and self._room:
                    self._room //= 2
                    continue
                if name in _MOVING:
                    return False
                raise
            break
        return True

    def give_back(self, entries: Iterable[Entry]) -> None:
        """Queue entries for their next delivery."""
        for entry in entries:
            entry.held = False
            if self._is_open(entry):
                self._queue(self.parts[entry.partition].give_back(entry))
