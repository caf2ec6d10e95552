"""The RabbitMQ engine and messages of others, delays, many and large ones, what is tried again."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pika
import pytest

from minionize.engine import EngineError, NotConnected, Undecodable
from minionize.errors import NotNow
from tests.brokers.rabbitmq import RabbitServer, running
from tests.engines.rabbitmq_helpers import Make, engines, publish, take

pytestmark = pytest.mark.broker
LARGEST = 5_000_000
"""Bytes that this server takes as one message."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitServer]:
    with running(tmp_path_factory.mktemp("rabbitmq"), largest=LARGEST) as server:
        yield server


@pytest.fixture
def queue() -> str:
    return f"params.{uuid4().hex}"


@pytest.fixture
def make(server: RabbitServer, queue: str) -> Iterator[Make]:
    with engines(server, queue) as make:
        yield make


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
    # Two channels: which of both is first is open.
    first, second = sorted(take(engine, 2), key=lambda delivery: str(delivery.param))
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
    began = time.monotonic()
    engine.nack([short], delay=0.2)
    assert take(engine, 1)[0].param == "moments"
    assert time.monotonic() - began >= 0.2
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


def test_a_dead_param_that_is_too_large_for_a_document(make: Make) -> None:
    """Quoted in JSON it is larger than the server takes: it is dead as it is, and no minion ends by that."""
    engine, large, evidence = make(), "\0" * 2_000_000, {"exit_code": 3, "stderr_tail": "no\n"}
    engine.put(["first", large, "last"])
    engine.open()
    engine.dead_letter(take(engine, 3), "failed", [evidence] * 3)
    letters = list(engine.dead())
    assert sorted(map(len, (letter.param for letter in letters))) == [4, 5, 2_000_000]
    assert all((letter.reason, letter.evidence) == ("failed", evidence) for letter in letters)
    assert all(abs(letter.at - time.time()) < 60.0 for letter in letters)
    assert engine.requeue([letter.id for letter in letters]) == 3
    again = take(engine, 3)
    assert {(each.id, each.param, each.attempt) for each in again} == {(each.id, each.param, 1) for each in letters}
    engine.dead_letter(again, "failed again", [{"stderr_tail": "x" * 200_000}] * 3)
    assert {letter.reason for letter in engine.dead()} == {"failed again"}


def test_what_is_put_before_a_message_that_is_too_large_is_counted(make: Make) -> None:
    engine = make()
    with pytest.raises(EngineError, match=r"raise max_message_size.*; 2 were put"):
        engine.put(["a", "b", "x" * (LARGEST + 1), "c"])
    engine.open()
    assert {each.param for each in take(engine, 2)} == {"a", "b"}


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
