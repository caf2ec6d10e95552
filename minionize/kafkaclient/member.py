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
from minionize.kafkaclient.client import ANSWER, BRIEF, Client, close
from minionize.kafkaclient.commits import Commits
from minionize.kafkaclient.identity import Identity
from minionize.kafkaclient.lending import Lending
from minionize.kafkaclient.offsets import committed, offsets
from minionize.kafkaclient.progress import FRESH, LENT, RUNNING, SEEN, Changes, Entry, Mark, Progress, Record

__all__ = ["OPEN", "Member"]

OPEN = 1000
"""So many params of a partition that are not done, and no more are taken from it: more could not be told apart."""

_STASH = 16  # so many messages may have come unasked before fetching pauses
_NEWS = 1.0  # seconds between looks for what became of what is lent


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
        self._commits = Commits(client.topic, partial(self.listen, 0))
        self.consumer = self._commits.consumer = client.consumer(on_commit=self._commits.hear)
        self.parts: dict[int, Progress] = {}
        self._former: dict[int, Progress] = {}
        self._ready: deque[Entry] = deque()
        self._delayed: list[tuple[float, int, Entry]] = []
        self._order = itertools.count()
        self._lending = Lending(client)
        self._identity = Identity(client, lambda: client.known(self.consumer, lambda: None))
        self._strange: set[int] = set()
        self._look = 0.0
        self.joined = self._is_settled = self._leaving = False
        self._is_stranger = self._was_away = False
        self._grace = 0.0
        # A consumer that is thrown away unclosed can hang for ever, at the exit of the process too.
        self.closing = weakref.finalize(self, close, self.consumer)

    # The group.

    def join(self, patience: float) -> None:
        """Join the group, and wait a while to be told what is ours."""
        topic = self._client.topic
        self.consumer.subscribe([topic], on_assign=self._gain, on_revoke=self._revoke, on_lost=self._lose)
        until = time.monotonic() + patience
        while not self.joined and time.monotonic() < until:
            self.listen(0, BRIEF)

    def resume(self) -> None:
        """Hear that the brokers, which were out of reach, are tried again."""
        self._was_away = True

    def leave(self) -> None:
        """Leave the group, so that others go on at once with what is not done."""
        from confluent_kafka import KafkaException

        self._hand_over(self.parts, {})
        lent = {entry: entry.mark._replace(state=SEEN) for entry in self._lending.out.values()}
        with suppress(KafkaException, TimeoutError):
            self._lending.tell(lent)
            self._take_back()
        self.parts, self._former, self._leaving = {}, {}, True
        self.closing()

    def _gain(self, consumer: Any, gained: list[Any]) -> None:
        from confluent_kafka import TopicPartition

        if self._leaving:
            return
        topic, numbers = self._client.topic, [each.partition for each in gained]
        self._recognise(ANSWER)
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
        if self._is_stranger and self._was_away:
            # For one session from now the group may wait for who we were, and give us what that had only then. Once,
            # not whenever we try again: what has gone to another by then is lost.
            self._grace = time.monotonic() + self._client.session + ANSWER
        self._is_stranger = self._was_away = False
        self.joined = self._is_settled = True
        self._focus()

    def _revoke(self, _consumer: Any, revoked: list[Any]) -> None:
        """Go on with what we hold, as its new owner learns, and give away the rest."""
        from confluent_kafka import KafkaException

        parts = {each.partition: self.parts[each.partition] for each in revoked if each.partition in self.parts}
        held = [entry for part in parts.values() for entry in part.open.values() if entry.held]
        if self._leaving:
            return
        with suppress(KafkaException, TimeoutError):
            self._lending.take_back(held)
        lent = self._lending.marks(held, self.consumer.memberid())
        if self._hand_over(parts, lent, now=True):
            self._lending.out.update({(entry.partition, entry.offset): entry for entry in lent})
        self._forget(revoked)

    def _lose(self, _consumer: Any, lost: list[Any]) -> None:
        self._lending.out.clear()
        self._forget(lost)
        self._is_stranger = True

    def _forget(self, lost: list[Any]) -> None:
        for each in lost:
            part = self.parts.pop(each.partition, None)
            if part is not None:
                self._former[each.partition] = part
        self._is_settled = False

    def _hand_over(self, parts: dict[int, Progress], changes: Changes, now: bool = False) -> bool:
        """Write down what is not done of partitions that we give away: what we were running has not crashed.

        Return whether that stands there, as far as we know: without an answer it may.
        """
        from confluent_kafka import KafkaException

        entries = [entry for part in parts.values() for entry in part.open.values()]
        seen = {
            entry: entry.mark._replace(state=SEEN)
            for entry in entries
            if entry.mark.state == RUNNING or (entry.held and entry.mark.state == FRESH)
        }
        # What is not known then counts as a crash.
        with suppress(KafkaException, TimeoutError):
            return self._commits.commit(
                {number: part for number, part in parts.items() if part.open}, {**seen, **changes}, now
            )
        return True

    def _recognise(self, patience: float = 0.0) -> None:
        """See whether this is still the topic of which we know what is done."""
        if self._identity.is_new(patience):
            self._former = {}
            self._strange = set(self.parts)

    def _begin_anew(self) -> None:
        """Take partitions of a new topic from the first record; what we hold of the former one is lost."""
        from confluent_kafka import TopicPartition

        # It may have fewer; the rest will be taken from us.
        there = self._client.known(self.consumer, lambda: None)
        topic, numbers = self._client.topic, self._strange & self.parts.keys() & set(there)
        begins = offsets(self.consumer, topic, numbers, latest=False)
        self._lending.out.clear()
        news = {number: Progress(number, begin) for number, begin in begins.items()}
        self.parts.update(news)
        starts = [TopicPartition(topic, number, begin) for number, begin in begins.items()]
        self.consumer.resume(starts)
        for each in starts:
            self.consumer.seek(each)
        # What was committed since may be of the former topic.
        if self._commits.commit(news, {}):
            self._strange = set()
            self._say(f"{self._client} was deleted and made anew: taking it from its first param")

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
        self._focus(idle=most <= 0 and len(self._ready) >= _STASH)
        message = self.consumer.poll(wait)
        if message is None:
            return
        messages = [message, *(self.consumer.consume(most - 1, 0) if most > 1 else ())]
        for each in messages:
            self._arrive(each)
        for number in {each.partition() for each in messages}:
            self._notice_end(number)

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

    def _notice_end(self, number: int) -> None:
        """See whether that was all of a partition: word from the broker comes later, when the next fetch has waited."""
        from confluent_kafka import TopicPartition

        part = self.parts.get(number)
        if part is not None and not part.at_end:
            _, end = self.consumer.get_watermark_offsets(TopicPartition(self._client.topic, number), cached=True)
            part.at_end = 0 <= end <= part.next

    def _queue(self, entry: Entry) -> None:
        if entry.mark.state == LENT:
            self._lending.lent.add(entry)
        elif entry.mark.due > time.time():
            heapq.heappush(self._delayed, (entry.mark.due, next(self._order), entry))
        else:
            self._ready.append(entry)

    def _wake(self) -> None:
        """Make ready what is due, and what others have given back."""
        self._recognise()
        if self._strange:
            self._begin_anew()
        if self._lending.lent and time.monotonic() >= self._look:
            self._look = time.monotonic() + _NEWS
            self._take_back()
        now = time.time()
        while self._delayed and self._delayed[0][0] <= now:
            self._ready.append(heapq.heappop(self._delayed)[2])

    def _take_back(self) -> None:
        """Hear what became of what others run in our partitions."""
        lending = self._lending
        lending.lent = {entry for entry in lending.lent if self._is_open(entry)}
        changes = lending.look(self.consumer.memberid()) if lending.lent else {}
        if self._commit(changes):
            gone = self._apply(changes).keys()
            lending.lent -= changes.keys()
            for entry, mark in changes.items():
                if mark is not None and entry not in gone:
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

    def lost(self, entries: Iterable[Entry]) -> set[Entry]:
        """Return which deliveries are no longer ours; if one should come back to us it is to be delivered again."""
        gone = {entry for entry in entries if self._is_lost(entry)}
        for entry in gone:
            entry.held = False
        return gone

    def _is_lost(self, entry: Entry) -> bool:
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
            lost |= self.lost(left)
            lent = {entry: mark for entry, mark in left.items() if self._lending.has(entry)}
            self._tell(lent)
            left = {entry: mark for entry, mark in left.items() if entry not in lost and entry not in lent}
            if all(entry.partition in self.parts for entry in left) and self._commit(left):
                left = self._apply(left)
                if not left:
                    return lost
            if time.monotonic() > until:
                why = "no broker answers" if self._client.down else "the group is being shared out anew"
                raise NotConnected(f"{self._client}: cannot commit now: {why}")
            self.listen(0, BRIEF)

    def _tell(self, changes: Changes) -> None:
        """Tell the new owner what became of what we ran for it."""
        for entry, mark in changes.items():
            entry.mark = mark or entry.mark
        self._lending.tell({entry: mark for entry, mark in changes.items() if mark is None or mark.state != RUNNING})

    def _apply(self, changes: Changes) -> dict[Entry, Mark | None]:
        """Note what was committed; return the rest, whose partitions went to others while we waited for that."""
        rest = {}
        for entry, mark in changes.items():
            if self._is_open(entry):
                self.parts[entry.partition].change({entry: mark})
                entry.held = entry.held and mark is not None
            else:
                rest[entry] = mark
        return rest

    def _commit(self, changes: Changes) -> bool:
        return self._commits.commit({entry.partition: self.parts[entry.partition] for entry in changes}, changes)

    def give_back(self, entries: Iterable[Entry]) -> None:
        """Queue entries for their next delivery."""
        for entry in entries:
            entry.held = False
            if self._is_open(entry):
                self._queue(self.parts[entry.partition].give_back(entry))
