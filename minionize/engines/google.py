"""Engine on a subscription of Google's Pub/Sub."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby, islice
from typing import Any

from minionize.engine import DeadLetter, Delivery, Engine, Features
from minionize.errors import EngineError, LeaseLost, NotConnected, SettingsError
from minionize.message import Codec, batches, decoder_setting
from minionize.pubsub.envelope import (
    ENOUGH,
    attempts_of,
    dead,
    fresh,
    held_back,
    id_of,
    is_for,
    letter,
    param_of,
    retry,
    revived,
)
from minionize.pubsub.leases import Leases, Receipt, now
from minionize.pubsub.link import MOST, Link
from minionize.pubsub.look import Look
from minionize.pubsub.places import SHORTEST, Place
from minionize.setting import Setting, integer, text
from minionize.task import Param

_LONGEST = 600  # seconds of an ack deadline
_PAUSE = 0.05
_EAGER, _LAZY = 5.0, 1.0
_LATE = 1.0
_QUIET = 1.0


def _deadline(value: Any) -> int:
    seconds = integer(1)(value)
    if seconds > _LONGEST:
        raise ValueError(f"must be {_LONGEST} seconds or less")
    return seconds


class GoogleEngine(Engine):
    """Takes params from a subscription. Whoever holds one renews its lease; who does not loses it to another.

    Args:
        quiet: Seconds without a message after which a look at a subscription has seen all of it.
        values: The settings.
    """

    name = "google"
    client = "google.cloud.pubsub_v1"
    features = Features(
        lease="deadline",
        attempts=True,
        nack_delay=True,
        dead_letter=False,
        backlog="none",
        finite=False,
        shared=True,
        fenced=True,
        ordered=False,
        crashes=False,
        browse=False,
        ack="acknowledged",
        renewal="a new ack deadline",
        redelivery="any minion, when the ack deadline has passed",
    )
    settings = (
        Setting("project", "GOOGLE_PROJECT_ID", text, "", "Project of topic and subscription.", mandatory=True),
        Setting("topic", "GOOGLE_TOPIC_ID", text, "", "Topic, where params are put.", mandatory=True),
        Setting(
            "subscription",
            "GOOGLE_SUBSCRIPTION",
            text,
            "",
            "Subscription, from which minions take params; made where it is missing.",
            mandatory=True,
        ),
        Setting(
            "ack_deadline",
            "GOOGLE_ACK_DEADLINE",
            _deadline,
            60,
            "After so long without a sign of life a minion loses its params; at most 600.",
            metavar="SECONDS",
            schema="integer",
        ),
        Setting(
            "dead_topic",
            "GOOGLE_DEAD_TOPIC",
            text,
            "",
            "Topic for dead params, read by a subscription of the same name; else they go to --dead.",
        ),
        decoder_setting("GOOGLE_DECODER"),
        Setting(
            "credentials",
            "GOOGLE_APPLICATION_CREDENTIALS",
            text,
            "",
            "File with credentials; else those of gcloud, or of the machine.",
            metavar="FILE",
        ),
        Setting("emulator", "PUBSUB_EMULATOR_HOST", text, "", "HOST:PORT of an emulator instead of Google."),
    )

    def __init__(self, quiet: float = _QUIET, **values: Any) -> None:
        """Take the settings; connects to nothing."""
        super().__init__(**values)
        config, self._quiet = self.config, quiet
        self._place = self._place_of(config["topic"], config["subscription"])
        dead_topic = config["dead_topic"]
        self._dead_place = self._place_of(dead_topic, dead_topic.rpartition("/")[2]) if dead_topic else None
        if self._dead_place is not None and set(self._dead_place) & set(self._place):
            raise SettingsError("engine google: GOOGLE_DEAD_TOPIC must be named unlike the topic and the subscription")
        self.features = replace(type(self).features, dead_letter=self._dead_place is not None)
        self._codec = Codec(config["decoder"])
        self._link = Link(config["emulator"], config["credentials"])
        self._leases = Leases(self._link, self._place.subscription)
        self._deadline = int(config["ack_deadline"])
        self._granted = 0  # seconds of the lease with which messages come; 0 where we may not know
        self._is_open = False
        self._found = self._looked = 0.0

    def _place_of(self, topic: str, subscription: str) -> Place:
        def path(kind: str, name: str) -> str:
            return name if "/" in name else f"projects/{self.config['project']}/{kind}/{name}"

        return Place(path("topics", topic), path("subscriptions", subscription))

    @property
    def queue_name(self) -> str:
        """Project and subscription."""
        return f"{self.config['project']}/{self._place.subscription.rpartition('/')[2]}"

    # Coming and going.

    def open(self) -> None:
        """Connect; make the subscription where it is not there, and say so."""
        self._granted = self._place.enter(self._link, self._deadline)
        if self._dead_place is not None:
            self._dead_place.enter(self._link, self._deadline)
        self._is_open, self._found = True, now()

    def visit(self) -> None:
        """Connect; make nothing."""
        if self._place.find(self._link) is None:
            raise EngineError(f"there is no {self._place.subscription}: fill it (minion-queue fill) or start a minion")

    def declare(self) -> None:
        """Create topics and subscriptions; the latter do not expire."""
        self._place.declare(self._link, self._deadline)
        if self._dead_place is not None:
            self._dead_place.declare(self._link, self._deadline)

    def close(self) -> None:
        """Let go; what is held stays leased until its time is over."""
        self._is_open = False
        self._link.hang_up()

    def _connected(self) -> Link:
        if not self._is_open:
            raise NotConnected(f"{self._place.subscription} is not open")
        return self._link

    # Receiving.

    def receive(self, max_messages: int, timeout: float) -> list[Delivery]:
        """Take up to ``max_messages`` params; waits by asking again, less often where nothing has come for long."""
        self._connected()
        if max_messages <= 0:
            return []
        if not self._may_look(timeout):
            time.sleep(timeout)
            return []
        until = now() + timeout
        while True:
            deliveries, more = self._pull(max_messages)
            left = until - now()
            # Behind much that is not for us there may be a param; but leases are to be renewed meanwhile.
            if deliveries or left <= (-_LATE if more else 0.0):
                return deliveries
            if not more:
                time.sleep(min(left, _PAUSE))

    def _may_look(self, timeout: float) -> bool:
        at = now()
        return timeout <= 0.0 or at - self._found < _EAGER or at - self._looked >= _LAZY

    def _pull(self, most: int) -> tuple[list[Delivery], bool]:
        """Ask once; return what is to be run, and whether there was something else."""
        self._looked = now()
        received = self._link.pull(self._place.subscription, most)
        if not received:
            return [], False
        self._found = self._looked
        receipts = self._leases.begin(received, self._looked + (self._granted or SHORTEST))
        ours = self._sift(receipts)
        if self._granted != self._deadline:
            ours -= self._leases.renew(ours, self._deadline)
        return [self._deliver(each) for each in receipts if each in ours], len(ours) < len(received)

    def _sift(self, receipts: list[Receipt]) -> set[Receipt]:
        """Return what is to be run now; remove what is for others only, and hold back what is to wait."""
        strange = [each for each in receipts if not is_for(each.message, self._place.subscription)]
        ours = set(receipts).difference(strange)
        waiting: dict[int, list[Receipt]] = {}
        for each in ours:
            if (wait := held_back(each.message)) > 0.0:
                waiting.setdefault(math.ceil(min(wait, _LONGEST)), []).append(each)
        if strange:
            self._leases.drop(strange)
        for seconds, group in waiting.items():
            self._leases.hold_back(group, seconds)
            ours.difference_update(group)
        return ours

    def _deliver(self, receipt: Receipt) -> Delivery:
        message, attempts = receipt.message, attempts_of(receipt.message)
        # Without a policy for dead letters the service does not count: what came once may have come before.
        redelivered = True if attempts is not None or receipt.times > 1 else False if receipt.times else None
        return Delivery(
            param=param_of(message, self._codec),
            id=self._leases.name(receipt, id_of(message)),
            attempt=(attempts or 0) + 1,
            redelivered=redelivered,
            lease=max(0.0, receipt.until - now()),
            receipt=receipt,
        )

    # Leases.

    def extend(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """Renew the leases."""
        self._connected()
        lost = self._leases.renew((each.receipt for each in deliveries), self._deadline)
        return [each for each in deliveries if each.receipt in lost]

    # Settling.

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Settle as done."""
        self._connected()
        self._tell_lost(deliveries, self._leases.acknowledge(each.receipt for each in deliveries))

    def nack(self, deliveries: Sequence[Delivery], delay: float = 0.0, charge: bool = True) -> None:
        """Give back: as it is, or put anew where something is to be noted beside it."""
        self._connected()
        if not charge and delay <= 0.0:
            lost = self._leases.give_back(each.receipt for each in deliveries)
        else:
            lost = self._put_anew(
                self._place.topic,
                {
                    each.receipt: retry(
                        each.receipt.message, (each.attempt or 1) - 1 + charge, self._place.subscription, delay
                    )
                    for each in deliveries
                },
            )
        self._tell_lost(deliveries, lost)

    def dead_letter(self, deliveries: Sequence[Delivery], reason: str, evidence: Sequence[Mapping[str, Any]]) -> None:
        """Give up: put into the dead topic, then acknowledged."""
        self._connected()
        if self._dead_place is None:
            super().dead_letter(deliveries, reason, evidence)
            return
        messages = {
            each.receipt: dead(each.receipt.message, self._place.subscription, reason, facts)
            for each, facts in zip(deliveries, evidence, strict=True)
        }
        self._tell_lost(deliveries, self._put_anew(self._dead_place.topic, messages))

    def _put_anew(self, topic: str, messages: Mapping[Receipt, Any]) -> set[Receipt]:
        """Put messages in place of what is held, which is then removed; return what was lost before."""
        waiting = [each for each in messages if not each.settled and not each.anew]
        # What somebody else runs by now must not be there twice.
        lost = self._leases.renew(waiting, self._deadline)
        ours = [each for each in waiting if each not in lost]
        # Those of one key first: each key takes a call, and what a call has put must not be put again.
        ours.sort(key=lambda each: str(messages[each].ordering_key))
        for _, alike in groupby(ours, lambda each: messages[each].ordering_key):
            receipts = list(alike)
            unpublished = iter(receipts)
            for part in _calls(messages[each] for each in receipts):
                self._link.publish(topic, part)
                for each in islice(unpublished, len(part)):
                    each.anew = True
        return lost | self._leases.acknowledge(each for each in messages if each not in lost)

    @staticmethod
    def _tell_lost(deliveries: Sequence[Delivery], lost: set[Receipt]) -> None:
        if lost:
            raise LeaseLost([each for each in deliveries if each.receipt in lost])

    # Filling, looking and caring; none of these needs ``open``.

    def put(self, params: Iterable[Param]) -> int:
        """Put params into the topic."""
        count = 0
        try:
            self.declare()
            for batch in _calls(fresh(self._codec, param) for param in params):
                self._link.publish(self._place.topic, batch)
                count += len(batch)
        except EngineError as error:
            raise type(error)(f"{error}; {count} params were put") from error
        finally:
            if not self._is_open:
                self._link.hang_up()
        return count

    def _look(self, subscription: str) -> Look:
        return Look(self._link, subscription, self._deadline, self._quiet)

    def peek(self, limit: int | None = None) -> Iterator[Param]:
        """Yield ready params: taken, and given back when all are shown."""
        return islice(self._ready(MOST if limit is None else min(limit, MOST)), limit) if limit != 0 else iter(())

    def _ready(self, size: int) -> Iterator[Param]:
        with self._look(self._place.subscription) as look:
            for batch in look.batches(size):
                for message in batch:
                    if is_for(message, self._place.subscription) and held_back(message) <= 0.0:
                        yield param_of(message, self._codec)

    def dead(self) -> Iterator[DeadLetter]:
        """Yield the dead params: taken, and given back when all are shown."""
        if self._dead_place is not None:
            with self._look(self._dead_place.subscription) as look:
                for batch in look.batches():
                    for message in batch:
                        yield letter(message, self._codec)

    def requeue(self, ids: Iterable[str]) -> int:
        """Put dead params anew, with their ids."""
        wanted, count = Counter(ids), 0
        if self._dead_place is None or not wanted:
            return 0
        with self._look(self._dead_place.subscription) as look:
            for batch in look.batches():
                chosen = list(self._chosen(batch, wanted))
                for part in _calls(revived(message, id, self._place.subscription) for id, message in chosen):
                    self._link.publish(self._place.topic, part)
                look.settle([message for _, message in chosen])
                count += len(chosen)
                if not wanted.total():
                    break
        return count

    def _chosen(self, batch: Sequence[Any], wanted: Counter[str]) -> Iterator[tuple[str, Any]]:
        """Yield the dead params that are wanted, with their ids; each is then wanted once less."""
        for message in batch:
            id = letter(message, self._codec).id
            if wanted[id] > 0:
                wanted[id] -= 1
                yield id, message

    def purge(self) -> int:
        """Throw away what is ready."""
        count = 0
        with self._look(self._place.subscription) as look:
            for batch in look.batches():
                look.settle(batch)
                count += sum(is_for(message, self._place.subscription) for message in batch)
        return count


def _calls(messages: Iterable[Any]) -> Iterator[list[Any]]:
    """Yield messages in as many as one call may hold."""
    return batches(messages, lambda each: int(each.ByteSize()), ENOUGH)
