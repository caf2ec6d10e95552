"""Params that are run by a minion whose partition went to another one, because minions came or left.

The new owner must not run them too, and must hear what becomes of them. So the former one notes in the offset of the
partition that it still runs them, and as which member of the group; the new owner lets them be as long as there is that
member. What became of them stands as metadata in a group of their own, ``GROUP.MINION``, which never has members: only
its minion writes there, so nothing can be overwritten.
"""

from __future__ import annotations

from collections.abc import Iterable

from minionize.kafkaclient.client import ANSWER, Client
from minionize.kafkaclient.progress import LENT, ROOM, SEEN, Changes, Entry, Mark, pack, unpack

__all__ = ["Lending"]


class Lending:
    """What we run in partitions of others, and what others run in ours.

    Attributes:
        out: What we run in partitions of others, by place.
        lent: What others run in ours.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._news: dict[int, dict[int, Mark | None]] = {}
        self.out: dict[tuple[int, int], Entry] = {}
        self.lent: set[Entry] = set()

    def has(self, entry: Entry) -> bool:
        """Tell whether we run it in a partition of another."""
        return self.out.get((entry.partition, entry.offset)) is entry

    def marks(self, entries: Iterable[Entry], member: str | None) -> dict[Entry, Mark]:
        """Return what to note of entries that we go on running, for the new owner.

        Args:
            entries: What we run.
            member: Who we are in the group now; a minion that was lost comes back as another member.
        """
        known = self._client.minion and member
        return {entry: entry.mark._replace(state=LENT, due=0.0, holder=member or "") for entry in entries if known}

    def take_back(self, entries: Iterable[Entry]) -> None:
        """Take back what we told of params when we ran them for others before: it would seem to be of this time."""
        old = [each for each in entries if self._news.get(each.partition, {}).pop(each.offset, None)]
        if old:
            self._write({each.partition for each in old})

    def tell(self, changes: Changes) -> None:
        """Write down what became of what we ran for others."""
        for entry, mark in changes.items():
            news = self._news.setdefault(entry.partition, {})
            news[entry.offset] = mark
        if changes:
            self._write({entry.partition for entry in changes})
        for entry in changes:
            entry.held = False
            self.out.pop((entry.partition, entry.offset), None)

    def _write(self, partitions: set[int]) -> None:
        from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition

        notes = [
            TopicPartition(self._client.topic, number, 0, metadata=_fitting(self._news[number]))
            for number in partitions
        ]
        asked = [ConsumerGroupTopicPartitions(self._group(self._client.minion), notes)]
        (answer,) = self._client.admin().alter_consumer_group_offsets(asked, request_timeout=ANSWER).values()
        for each in answer.result(ANSWER + 1.0).topic_partitions:
            if each.error:
                raise KafkaException(each.error)

    def look(self, member: str | None) -> dict[Entry, Mark | None]:
        """Return what became of what others ran in our partitions; what a lost member ran has crashed.

        Args:
            member: Who we are: what we run ourselves is not lent, so what seems so is run by nobody.
        """
        alive = self._members() - {member}
        found: dict[Entry, Mark | None] = {}
        for holder in {entry.mark.holder for entry in self.lent}:
            theirs = [entry for entry in self.lent if entry.mark.holder == holder]
            news = self._read(_minion(holder), {entry.partition for entry in theirs})
            for entry in theirs:
                place = (entry.partition, entry.offset)
                if place in news:
                    found[entry] = news[place]
                elif holder not in alive:
                    found[entry] = Mark(entry.mark.failed, entry.mark.crashed + 1, SEEN)
        return found

    def _members(self) -> set[str | None]:
        group = self._client.group
        answer = self._client.admin().describe_consumer_groups([group], request_timeout=ANSWER)[group]
        return {member.member_id for member in answer.result(ANSWER + 1.0).members}

    def _read(self, minion: str, partitions: set[int]) -> dict[tuple[int, int], Mark | None]:
        from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition

        places = [TopicPartition(self._client.topic, number) for number in partitions]
        asked = [ConsumerGroupTopicPartitions(self._group(minion), places)]
        (answer,) = self._client.admin().list_consumer_group_offsets(asked, request_timeout=ANSWER).values()
        return {
            (each.partition, int(row[0])): Mark(*row[1:]) if len(row) > 1 else None
            for each in answer.result(ANSWER + 1.0).topic_partitions
            for row in unpack(each.metadata or "") or ()
        }

    def _group(self, minion: str) -> str:
        return f"{self._client.group}.{minion}"


def _minion(member: str) -> str:
    """Tell which minion a member is: the brokers name members CLIENT-UUID, and minions are clients by their id."""
    return member[: -len("-00000000-0000-0000-0000-000000000000")]


def _fitting(news: dict[int, Mark | None]) -> str:
    """Write news as metadata; the oldest of them go when there is no room: they are known by now."""
    while True:
        text = pack([[offset, *(mark or ())] for offset, mark in news.items()])
        if len(text) <= ROOM:
            return text
        for offset in list(news)[: len(news) // 10 + 1]:
            del news[offset]
