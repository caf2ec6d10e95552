"""What the brokers know of partitions: where they begin and end, and what a group has done of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from minionize.kafkaclient.client import ANSWER
from minionize.kafkaclient.progress import Progress

__all__ = ["committed", "offsets"]

_LATEST, _EARLIEST = -1, -2


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
