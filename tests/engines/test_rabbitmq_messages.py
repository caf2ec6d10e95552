"""The RabbitMQ engine and messages of others, queues of others, dead params, delays, counts."""

from __future__ import annotations

import json
import logging
import struct
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pika
import pytest

from minionize.amqp.outbox import Outbox
from minionize.engine import EngineError, NotConnected, Undecodable
from minionize.engines.rabbitmq import RabbitmqEngine
from minionize.errors import NotNow, SettingsError
from minionize.plugins import load_engine
from tests.acceptance.running import until
from tests.brokers.rabbitmq import RabbitServer, running

pytestmark = pytest.mark.broker
Make = Callable[..., RabbitmqEngine]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitServer]:
    with running(tmp_path_factory.mktemp("rabbitmq")) as server:
        yield server


@pytest.fixture
def queue() -> str:
    return f"params.{uuid4().hex}"


@pytest.fixture
def make(server: RabbitServer, queue: str) -> Iterator[Make]:
    made: list[RabbitmqEngine] = []

    def make(**values: Any) -> RabbitmqEngine:
        made.append(RabbitmqEngine(**{"url": server.url, "queue": queue, **values}))
        return made[-1]

    yield make
    for engine in made:
        engine.close()


def publish(server: RabbitServer, queue: str, *bodies: bytes, **properties: Any) -> None:
    with server.channel() as channel:
        for body in bodies:
            channel.basic_publish("", queue, body, pika.BasicProperties(**properties), mandatory=True)


def take(engine: RabbitmqEngine, count: int) -> list[Any]:
    taken: list[Any] = []
    end = time.monotonic() + 10.0
    while len(taken) < count and time.monotonic() < end:
        taken += engine.receive(count - len(taken), 0.05)
    assert len(taken) == count
    return taken


# Messages of others.


def test_messages_of_others(server: RabbitServer, queue: str, make: Make) -> None:
    engine = make()
    engine.open()
    publish(server, queue, b"plain", b"odd \xff")
    publish(server, queue, b'{"a": 1}', content_type="application/json; charset=utf-8")
    publish(server, queue, b"torn {", content_type="application/json")
    params = [delivery.param for delivery in take(engine, 4)]
    assert all(param in params for param in ("plain", "odd \udcff", {"a": 1}))
    assert sum(isinstance(param, Undecodable) for param in params) == 1


@pytest.mark.parametrize("moment", [1_700_000_000_000, 2**64 - 1])
def test_headers_that_cannot_be_read(
    server: RabbitServer, queue: str, make: Make, monkeypatch: pytest.MonkeyPatch, moment: int
) -> None:
    """A time in milliseconds, say: they end nothing, and are gone when the message is put anew; all else stays."""
    engine = make()
    engine.open()

    usual: Callable[[list[bytes], Any], int] = pika.data.encode_value

    def encode(pieces: list[bytes], given: Any) -> int:
        if given != "odd":
            return usual(pieces, given)
        pieces.append(struct.pack(">cQ", b"T", moment))
        return 9

    with monkeypatch.context() as patch:
        patch.setattr(pika.data, "encode_value", encode)
        publish(
            server,
            queue,
            b"[1]",
            headers={"h": "odd"},
            content_type="application/json",
            message_id="m",
            correlation_id="c",
        )
    publish(server, queue, b"next")
    first, second = take(engine, 2)
    assert (first.id, first.param, second.param) == ("m", [1], "next")
    engine.nack([first])
    (again,) = take(engine, 1)
    assert (again.id, again.param, again.attempt) == ("m", [1], 2)


def test_a_name_of_a_header_that_is_no_text(
    server: RabbitServer, queue: str, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = make()
    engine.open()
    encode = pika.data.encode_short_string
    with monkeypatch.context() as patch:
        patch.setattr(
            pika.data, "encode_short_string", lambda pieces, name: encode(pieces, b"\xff" if name == "odd" else name)
        )
        publish(server, queue, b"p", headers={"odd": 1})
    engine.nack(take(engine, 1))
    assert [(each.param, each.attempt) for each in take(engine, 1)] == [("p", 2)]


def test_equal_messages_of_others_are_params_each(server: RabbitServer, queue: str, make: Make) -> None:
    engine = make()
    engine.open()
    publish(server, queue, *[b"same"] * 3)
    publish(server, queue, *[b"same"] * 2, message_id="not so unique")
    taken = take(engine, 5)
    assert len({delivery.id for delivery in taken}) == 5
    engine.ack(taken[:2])
    engine.nack(taken[2:])
    engine.ack(take(engine, 3))
    assert engine.receive(5, 0.1) == []


def test_what_others_noted_stays_with_their_message(server: RabbitServer, queue: str, make: Make) -> None:
    engine = make()
    engine.open()
    headers = {"trace": "t", "x-death": [{"queue": f"{queue}.delay.1s", "reason": "expired", "count": 1}], "CC": []}
    publish(server, queue, b"p", headers=headers, correlation_id="c", message_id="m", expiration="60000")
    (first,) = take(engine, 1)
    assert first.id == "m"
    engine.nack([first], delay=0.1)
    (second,) = take(engine, 1)
    assert (second.id, second.attempt) == ("m", 2)
    engine.dead_letter([second], "no", [{}])
    assert engine.requeue(["m"]) == 1
    with server.channel() as channel:
        _, properties, body = channel.basic_get(queue)
    assert (body, properties.correlation_id, properties.expiration) == (b"p", "c", None)
    assert properties.headers == {"trace": "t", "minionize-id": "m", "x-delivery-count": 0}


def test_the_same_param_may_wait_many_times(queue: str, make: Make) -> None:
    """The server drops a message that seems to run in circles: ours must not seem so."""
    engine = make()
    engine.put(["p"])
    engine.open()
    for attempt in range(1, 6):
        (delivery,) = take(engine, 1)
        assert delivery.attempt == attempt
        engine.nack([delivery], delay=0.05)
    assert take(engine, 1)[0].attempt == 6


def test_a_long_delay_holds_up_no_short_one(make: Make) -> None:
    engine = make()
    engine.put(["hours", "moments"])
    engine.open()
    long, short = sorted(take(engine, 2), key=lambda delivery: str(delivery.param))
    engine.nack([long], delay=3600.0)
    engine.nack([short], delay=0.2)
    began = time.monotonic()
    assert take(engine, 1)[0].param == "moments"
    assert 0.1 < time.monotonic() - began < 5.0
    backlog = make()
    backlog.visit()
    told = backlog.backlog()
    assert (told.ready, told.delayed) == (1, 1)
    assert backlog.purge() == 1


def test_a_megabyte_and_what_is_larger_than_a_frame(make: Make) -> None:
    big = ["x" * 1_000_000, {"y": "z" * 3_000_000}]
    engine = make()
    assert engine.put(big) == 2
    engine.open()
    taken = take(engine, 2)
    assert sorted(map(len, (delivery.param for delivery in taken))) == [1, 1_000_000]
    assert all(delivery.param in big for delivery in taken)
    engine.dead_letter(taken, "too big", [{}, {}])
    assert all(letter.param in big for letter in engine.dead())


def test_ten_thousand(make: Make) -> None:
    engine = make()
    assert engine.put(f"p{n}" for n in range(10_000)) == 10_000
    engine.open()
    assert engine.backlog().ready == 10_000
    taken = engine.receive(2_000, 0.0)
    assert len(taken) == 2_000, "more than there are channels"
    engine.ack(taken[:1000])
    engine.nack(taken[1000:], charge=False)
    assert engine.backlog().ready == 9_000
    assert engine.purge() == 9_000


def test_an_error_tells_how_many_were_put(make: Make) -> None:
    engine = make()
    with pytest.raises(EngineError, match=r"no form in JSON.*; 2 were put"):
        engine.put(["a", "b", object(), "c"])


def test_a_queue_that_goes_while_it_is_filled(server: RabbitServer, queue: str, make: Make) -> None:
    def params() -> Iterator[str]:
        yield "a"
        with server.channel() as channel:
            channel.queue_delete(queue)
        yield "b"

    with pytest.raises(NotConnected, match=f"queue {queue} is gone; 1 were put"):
        make().put(params())


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


def test_a_stream_is_no_queue(server: RabbitServer, queue: str, make: Make) -> None:
    with server.channel() as channel:
        channel.queue_declare(queue, durable=True, arguments={"x-queue-type": "stream"})
        channel.basic_publish("", queue, b"p", pika.BasicProperties(delivery_mode=2))
    engine = make()
    engine.open()
    with pytest.raises(EngineError, match=r"not supported by stream queues.*choose another RABBITMQ_QUEUE") as caught:
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


# What is tried again.


def test_what_the_server_has_kept_is_not_put_again(server: RabbitServer, queue: str, make: Make) -> None:
    with server.channel() as channel:
        channel.queue_declare(queue, durable=True, arguments={"x-max-length": 1, "x-overflow": "reject-publish"})
    engine = make()
    engine.open()
    taken: list[Any] = []
    for param in ("a", "b", "c"):
        engine.put([param])
        taken += take(engine, 1)
    ran = []
    for _ in range(2):
        with pytest.raises(NotConnected, match="takes no more"):
            engine.nack(taken)
        ran += take(engine, 1)
    engine.nack(taken)
    ran += take(engine, 1)
    assert sorted(delivery.param for delivery in ran) == ["a", "b", "c"]


def test_a_server_that_is_short_of_memory_gets_no_param_twice(server: RabbitServer, make: Make) -> None:
    """It keeps one more message of each connection, and tells nobody before it has memory again."""
    engine = make()
    engine.put(["a"])
    engine.open()
    engine.nack(take(engine, 1), charge=False)
    engine.put(["x"])
    first, second = sorted(take(engine, 2), key=lambda delivery: str(delivery.param))
    server.control("set_vm_memory_high_watermark", "0.0001")
    try:
        for _ in range(2):
            with pytest.raises(NotConnected, match="low on memory"):
                engine.nack([first])
        with pytest.raises(NotConnected, match="low on memory"):
            engine.dead_letter([second], "failed", [{}])
    finally:
        server.control("set_vm_memory_high_watermark", "0.4")
    engine.nack([first])
    engine.dead_letter([second], "failed", [{}])
    again = take(engine, 1) + engine.receive(9, 1.0)
    assert [(delivery.param, delivery.attempt) for delivery in again] == [("a", 2)]
    assert [letter.param for letter in engine.dead()] == ["x"]


# A server that is short of memory.


def test_a_server_that_takes_nothing_in(server: RabbitServer, queue: str, make: Make) -> None:
    """Acks go on; what must be put says why it cannot, comes once when it can, and stays ours until then."""
    engine = make()
    engine.put(["a", "b", "c", "d"])
    engine.open()
    first, second, third, fourth = take(engine, 4)
    engine.nack([second])
    server.control("set_vm_memory_high_watermark", "0.0001")
    try:
        for _ in range(2):
            with pytest.raises(NotNow, match=r"takes nothing now: .*memory"):
                engine.nack([third])
        with pytest.raises(NotNow, match=r"takes nothing now: .*memory"):
            engine.dead_letter([fourth], "no", [{}])
        began = time.monotonic()
        with pytest.raises(NotNow, match=r"takes nothing now: .*memory; 0 were put"):
            make(queue=f"{queue}.other").put(["e"])
        assert time.monotonic() - began < 8.0
        engine.ack([first])
    finally:
        server.control("set_vm_memory_high_watermark", "0.4")
    engine.nack([third])
    engine.dead_letter([fourth], "no", [{}])
    back = {(each.id, each.attempt, each.crashes) for each in take(engine, 2)}
    assert back == {(second.id, 2, 0), (third.id, 2, 0)}
    assert engine.receive(1, 0.5) == []
    assert [letter.id for letter in engine.dead()] == [fourth.id]
