"""The RabbitMQ engine and queues of others, dead params, counts, settings."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pika
import pytest

from minionize.amqp.outbox import Outbox
from minionize.engine import EngineError, NotConnected
from minionize.engines.rabbitmq import RabbitmqEngine
from minionize.errors import SettingsError
from minionize.plugins import load_engine
from tests.acceptance.running import until
from tests.brokers.rabbitmq import RabbitServer, running
from tests.engines.rabbitmq_helpers import Make, engines, publish, take

pytestmark = pytest.mark.broker


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitServer]:
    with running(tmp_path_factory.mktemp("rabbitmq")) as server:
        yield server


@pytest.fixture
def queue() -> str:
    return f"params.{uuid4().hex}"


@pytest.fixture
def make(server: RabbitServer, queue: str) -> Iterator[Make]:
    with engines(server, queue) as make:
        yield make


# Queues of others.


def test_a_classic_queue_is_used_as_it_is(
    server: RabbitServer, queue: str, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    with server.channel() as channel:
        channel.queue_declare(queue, durable=True)
    engine = make()
    assert engine.put(["p"]) == 1
    engine.open()
    assert f"queue {queue} is used as it is" in caplog.text
    assert "inequivalent arg" in caplog.text
    for attempt in (1, 2, 3):
        (delivery,) = take(engine, 1)
        assert delivery.attempt == attempt
        engine.nack([delivery], delay=0.05)
    engine.dead_letter(take(engine, 1), "no", [{}])
    assert [letter.param for letter in engine.dead()] == ["p"]
    assert list(engine.peek()) == []


def test_a_dead_queue_of_others_is_used_as_it_is(
    server: RabbitServer, queue: str, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """What is said of it is of dead params, and not of runs."""
    make().declare()
    with server.channel() as channel:
        channel.queue_delete(f"{queue}.dead")
        channel.queue_declare(f"{queue}.dead", durable=True)
    make().open()
    (words,) = [each.message for each in caplog.records if "used as it is" in each.message]
    assert words.startswith(f"queue {queue}.dead is")
    assert "each look at the dead is a delivery" in words
    assert "runs that die" not in words


def test_a_stream_is_no_queue(server: RabbitServer, queue: str, make: Make) -> None:
    with server.channel() as channel:
        channel.queue_declare(queue, durable=True, arguments={"x-queue-type": "stream"})
        channel.basic_publish("", queue, b"p", pika.BasicProperties(delivery_mode=2))
    engine = make()
    engine.open()
    with pytest.raises(EngineError, match=r"not supported by stream queues.*choose another RABBITMQ_QUEUE") as caught:
        take(engine, 1)
    assert type(caught.value) is EngineError


def test_a_queue_with_a_single_active_consumer_is_none(server: RabbitServer, queue: str, make: Make) -> None:
    with server.channel() as channel:
        arguments = {"x-queue-type": "quorum", "x-single-active-consumer": True}
        channel.queue_declare(queue, durable=True, arguments=arguments)
        channel.basic_publish("", queue, b"p", pika.BasicProperties(delivery_mode=2))
    engine = make()
    engine.open()
    with pytest.raises(EngineError, match="several minions cannot share it: choose another RABBITMQ_QUEUE") as caught:
        take(engine, 1)
    assert type(caught.value) is EngineError


def test_a_minion_makes_the_queue_and_says_so_once(make: Make, queue: str, caplog: pytest.LogCaptureFixture) -> None:
    engine = make()
    for _ in range(2):
        engine.open()
        engine.close()
    made = [record for record in caplog.records if "it is made now" in record.message]
    assert [record.levelno for record in made] == [logging.WARNING]
    assert queue in made[0].message
    # This server is too old to be told how long a run may take.
    assert sum("consumer_timeout" in record.message for record in caplog.records) == 1


def test_a_visitor_makes_nothing(make: Make, queue: str) -> None:
    for _ in range(2):
        with pytest.raises(EngineError, match=f"no queue {queue}"):
            make().visit()


def test_a_queue_that_goes_away_is_made_again(server: RabbitServer, queue: str, make: Make) -> None:
    engine = make()
    engine.open()
    with server.channel() as channel:
        channel.queue_delete(queue)
    with pytest.raises(NotConnected, match="is gone"):
        engine.receive(1, 0.0)
    engine.close()
    engine.open()
    assert engine.receive(1, 0.0) == []


# The dead.


def test_a_queue_of_the_dead_that_goes_away_is_made_again(server: RabbitServer, queue: str, make: Make) -> None:
    engine = make()
    engine.put(["p"])
    engine.open()
    taken = take(engine, 1)
    with server.channel() as channel:
        channel.queue_delete(f"{queue}.dead")
    with pytest.raises(NotConnected, match="is gone"):
        engine.dead_letter(taken, "no", [{}])
    engine.close()
    engine.open()
    engine.dead_letter(taken, "no", [{}])
    assert [letter.param for letter in engine.dead()] == ["p"]


def test_what_the_server_gives_up_is_dead(server: RabbitServer, queue: str, make: Make) -> None:
    """By a consumer that rejects, or by its delivery limit."""
    engine = make()
    engine.put([{"x": 1}])
    publish(server, queue, b"theirs")
    with server.channel() as channel:
        for _ in range(2):
            method, _, _ = channel.basic_get(queue)
            channel.basic_reject(method.delivery_tag, requeue=False)
    engine.open()
    until(lambda: engine.backlog().dead == 2)
    letters = list(engine.dead())
    assert sorted(json.dumps(letter.param) for letter in letters) == ['"theirs"', '{"x": 1}']
    assert {letter.reason for letter in letters} == {"dead-lettered by the broker: rejected"}
    assert all(abs(letter.at - time.time()) < 60 for letter in letters)
    assert engine.requeue([letter.id for letter in letters]) == 2
    assert {delivery.attempt for delivery in take(engine, 2)} == {1}
    assert list(engine.dead()) == []


def test_a_look_at_the_dead_takes_none_away(make: Make) -> None:
    engine = make()
    engine.put([f"p{n}" for n in range(300)])
    engine.open()
    engine.dead_letter(take(engine, 300), "no", [{}] * 300)
    for _ in range(3):
        assert len(list(engine.dead())) == 300
    ids = [letter.id for letter in engine.dead()]
    assert engine.requeue(ids[:100]) == 100
    assert {letter.id for letter in engine.dead()} == set(ids[100:])


def test_dead_params_that_cannot_be_put_stay_to_be_seen(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    engine, other = make(), make()
    engine.put(["p"])
    engine.open()
    (delivery,) = take(engine, 1)
    engine.dead_letter([delivery], "failed", [{}])

    def refuses(*_: Any) -> None:
        raise EngineError("no permission")

    with monkeypatch.context() as patch:
        patch.setattr(Outbox, "publish", refuses)
        with pytest.raises(EngineError, match="no permission"):
            engine.requeue([delivery.id])
    other.visit()
    assert [letter.param for letter in other.dead()] == ["p"]


def test_dead_params_that_were_put_before_one_could_not_are_not_put_twice(
    server: RabbitServer, queue: str, make: Make
) -> None:
    with server.channel() as channel:
        channel.queue_declare(queue, durable=True, arguments={"x-max-length": 2, "x-overflow": "reject-publish"})
    engine = make()
    engine.open()
    for param in ("a", "b", "c"):
        engine.put([param])
        engine.dead_letter(take(engine, 1), "failed", [{}])
    ids = [letter.id for letter in engine.dead()]
    with pytest.raises(NotConnected, match="takes no more"):
        engine.requeue(ids)
    ready = take(engine, 2)
    assert [letter.param for letter in engine.dead()] == sorted({"a", "b", "c"} - {each.param for each in ready})
    assert engine.requeue(ids) == 1
    assert {each.param for each in [*ready, *take(engine, 1)]} == {"a", "b", "c"}


def test_a_dead_queue_of_another_name(server: RabbitServer, queue: str, make: Make) -> None:
    engine = make(dead_queue=f"{queue}.grave")
    engine.put(["p"])
    engine.open()
    engine.dead_letter(take(engine, 1), "no", [{}])
    with server.channel() as channel:
        assert channel.queue_declare(f"{queue}.grave", passive=True).method.message_count == 1


# Counts.


def test_a_peek_counts_nothing(make: Make) -> None:
    engine = make()
    engine.put([f"p{n}" for n in range(250)])
    visitor = make()
    visitor.visit()
    for _ in range(6):
        assert sorted(visitor.peek()) == sorted(f"p{n}" for n in range(250))
        assert len(list(visitor.peek(7))) == 7
    engine.open()
    assert {(delivery.attempt, delivery.crashes) for delivery in take(engine, 250)} == {(1, 0)}


def test_crashes_are_told_from_failures_over_many_hands(make: Make) -> None:
    make().put(["p"])
    for crashes in range(3):
        engine = make()
        engine.open()
        (delivery,) = take(engine, 1)
        assert (delivery.attempt, delivery.crashes) == (2 * crashes + 1, crashes)
        engine.nack([delivery], delay=0.05 * crashes)
        take(engine, 1)
        engine.close()


# Settings.


def test_names_that_cannot_be() -> None:
    queue = next(setting for setting in RabbitmqEngine.settings if setting.key == "queue")
    for bad in ("x" * 241, "amq.gen"):
        with pytest.raises(ValueError, match="name of a queue"):
            queue.parse(bad)
    with pytest.raises(SettingsError, match="RABBITMQ_QUEUE must be set"):
        RabbitmqEngine()
    with pytest.raises(SettingsError, match="unlike RABBITMQ_QUEUE"):
        RabbitmqEngine(queue="params", dead_queue="params")


def test_the_name_of_the_queue_shows_no_secret() -> None:
    engine = load_engine("rabbitmq")(url="amqps://me:s3cret@host:1234/v%2Fh?heartbeat=5", queue="jobs")
    assert engine.queue_name == "amqps://host:1234/v%2Fh/jobs"
