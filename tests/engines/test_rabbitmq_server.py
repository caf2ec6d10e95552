"""The RabbitMQ engine when its server is away, cuts, hangs, refuses, is short of memory, or loses patience."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
import trustme

from minionize.engine import EngineError, NotConnected
from minionize.engines.rabbitmq import RabbitmqEngine
from tests.acceptance.running import until
from tests.brokers.proxy import proxied
from tests.brokers.rabbitmq import MINION, PASSWORD, POOR, USER, VHOST, RabbitServer, running
from tests.brokers.server import free_port
from tests.engines.rabbitmq_helpers import Make, engines, take

pytestmark = pytest.mark.broker
PATIENCE = 2.0
"""Seconds for which this server lets a delivery be held."""


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, ca: trustme.CA) -> Iterator[RabbitServer]:
    folder = tmp_path_factory.mktemp("rabbitmq")
    own = ca.issue_cert("127.0.0.1")
    own.private_key_and_cert_chain_pem.write_to_path(folder / "own.pem")
    ca.cert_pem.write_to_path(folder / "ca.pem")
    with running(folder, certificate=(folder / "own.pem", folder / "ca.pem"), consumer_timeout=PATIENCE) as server:
        yield server


@pytest.fixture
def queue() -> str:
    return f"params.{uuid4().hex}"


@pytest.fixture
def make(server: RabbitServer, queue: str) -> Iterator[Make]:
    with engines(server, queue) as make:
        yield make


def reopen(engine: RabbitmqEngine) -> None:
    """As the worker does, until the server is back."""

    def opens() -> bool:
        engine.close()
        try:
            engine.open()
        except NotConnected:
            return False
        return True

    until(opens, 30.0)


def rest(engine: RabbitmqEngine) -> list[Any]:
    """What comes within a while: nothing should."""
    end, taken = time.monotonic() + 0.5, list[Any]()
    while time.monotonic() < end:
        taken += engine.receive(10, 0.05)
    return taken


def regain(engine: RabbitmqEngine, *deliveries: Any) -> None:
    """Take again what was lost with its connection or channel."""
    until(lambda: engine.receive(0, 0.01) or all(each.receipt.is_ours for each in deliveries), 10.0, "ours again")


@contextmanager
def refused(engine: RabbitmqEngine, kind: type[EngineError], words: str) -> Iterator[None]:
    """What fails says so in words without a secret, and soon."""
    began = time.monotonic()
    with pytest.raises(EngineError, match=words) as caught:
        yield
    assert type(caught.value) is kind
    assert time.monotonic() - began < 8.0
    assert "wr0ng" not in str(caught.value)
    assert PASSWORD not in str(caught.value)


# Connections that end.


def test_what_runs_when_the_connection_is_cut_goes_on(server: RabbitServer, make: Make) -> None:
    with proxied(server.port) as proxy:
        engine = make(url=server.url_of(USER, PASSWORD, proxy.port))
        params = ["a", "b", "c", "d", "e"]
        engine.put(params)
        engine.open()
        acked, adopted, back, dead = take(engine, 4)
        proxy.cut()
        with pytest.raises(NotConnected):
            engine.ack([acked])
        reopen(engine)
        regain(engine, adopted, back, dead)
        other = make()
        other.open()
        (last,) = take(other, 1)
        assert rest(other) == []
        assert {each.param for each in (acked, adopted, back, dead, last)} == set(params), "all others are ours again"
        other.close()
        for _ in range(2):
            engine.ack([acked])
        (last,) = take(engine, 1)
        engine.ack([adopted])
        engine.nack([back], charge=False)
        engine.dead_letter([dead], "no", [{}])
        (again,) = take(engine, 1)
        assert (again.id, again.attempt, again.crashes) == (back.id, 1, 0), "the cut is no fault of the param"
        assert [letter.id for letter in engine.dead()] == [dead.id]
        engine.close()
        other = make()
        other.open()
        assert {delivery.id for delivery in take(other, 2)} == {back.id, last.id}
        assert rest(other) == []


def test_what_another_minion_puts_anew_is_known_again_too(server: RabbitServer, make: Make) -> None:
    """It is given what runs here, and gives it back at once: it has looked for its own."""
    with proxied(server.port) as proxy:
        engine, other = make(url=server.url_of(USER, PASSWORD, proxy.port)), make()
        engine.put(["a"])
        engine.open()
        other.open()
        runs = take(engine, 1)
        for _ in range(2):
            proxy.cut()
            with pytest.raises(NotConnected):
                until(lambda: engine.receive(0, 0.1))
            other.nack(take(other, 1), charge=False)
            reopen(engine)
            assert engine.receive(1, 0.2) == []
        engine.ack(runs)
        other.close()
        assert engine.receive(1, 0.2) == []
        assert engine.backlog().ready == 0


def test_what_others_put_is_known_again_too(server: RabbitServer, queue: str, make: Make) -> None:
    with proxied(server.port) as proxy:
        engine = make(url=server.url_of(USER, PASSWORD, proxy.port))
        engine.open()
        with server.channel() as channel:
            for _ in range(3):
                channel.basic_publish("", queue, b"twin")
        done, runs, _ = taken = take(engine, 3)
        proxy.cut()
        with pytest.raises(NotConnected):
            until(lambda: engine.receive(0, 0.1))
        reopen(engine)
        engine.ack([done])
        assert rest(engine) == []
        engine.ack([runs])
        engine.nack(taken[2:])
        (again,) = take(engine, 1)
        assert (again.id, again.attempt) == (taken[2].id, 2)


def test_a_server_that_is_restarted(server: RabbitServer, make: Make) -> None:
    """It keeps all; what is held goes on, and its settlement holds."""
    engine = make()
    engine.put(["a", "b", "c"])
    engine.open()
    first, second = take(engine, 2)
    server.stop()
    with pytest.raises(NotConnected):
        until(lambda: engine.receive(0, 0.1))
    engine.close()
    with refused(engine, NotConnected, "cannot be reached"):
        engine.open()
    server.start()
    reopen(engine)
    (third,) = take(engine, 1)
    engine.ack([first])
    engine.nack([second])
    assert take(engine, 1)[0].attempt == 2
    engine.close()
    other = make()
    other.open()
    assert {delivery.id for delivery in take(other, 2)} == {second.id, third.id}
    assert rest(other) == []


def test_a_dead_port(make: Make) -> None:
    port = free_port()
    engine = make(url=f"amqp://me:wr0ng@127.0.0.1:{port}/")
    with refused(engine, NotConnected, f"amqp://127.0.0.1:{port}/ cannot be reached: Connection refused"):
        engine.open()
    with refused(engine, NotConnected, str(port)):
        engine.put(["a"])


def test_a_port_that_never_answers(make: Make) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        engine = make(url=f"amqp://127.0.0.1:{silent.getsockname()[1]}/")
        with refused(engine, NotConnected, "cannot be reached"):
            engine.open()


def test_a_host_that_is_not_there(make: Make) -> None:
    engine = make(url="amqp://no-such-host.invalid/")
    with refused(engine, NotConnected, "no-such-host.invalid"):
        engine.open()


def test_a_server_that_hangs(server: RabbitServer, make: Make) -> None:
    engine = make()
    engine.put(["a"])
    engine.open()
    taken = take(engine, 1)
    server.hang()
    try:
        with refused(engine, NotConnected, "does not answer"):
            engine.ack(taken)
        engine.close()
    finally:
        server.wake()
    reopen(engine)
    engine.ack(taken)
    assert rest(engine) == []


def test_heartbeats_are_sent_by_the_pump(server: RabbitServer, make: Make) -> None:
    engine = make(url=f"{server.url}?heartbeat=1")
    engine.put(["a"])
    engine.open()
    taken = take(engine, 1)
    end = time.monotonic() + 3.0
    while time.monotonic() < end:
        assert engine.receive(0, 0.1) == []
    engine.ack(taken)
    # The same without: the server has hung up.
    engine.put(["b"])
    take(engine, 1)
    time.sleep(3.0)
    with pytest.raises(NotConnected):
        until(lambda: engine.receive(0, 0.1))


# A run that takes longer than the server likes.


def test_a_delivery_that_is_held_too_long(server: RabbitServer, make: Make, caplog: pytest.LogCaptureFixture) -> None:
    """Only its own channel is closed; it is taken again at once, and its run just goes on."""
    engine = make()
    engine.put(["long"])
    engine.open()
    (long,) = take(engine, 1)
    engine.put(["other"])
    other = make()
    other.open()
    for _ in range(2):
        until(lambda: engine.receive(0, 0.01) or not long.receipt.is_ours, 10 * PATIENCE, "the server takes it back")
        regain(engine, long)
    assert "consumer_timeout" in caplog.text
    taken = take(other, 1)
    assert [(delivery.param, delivery.attempt) for delivery in taken] == [("other", 1)]
    assert other.receive(1, 0.2) == []
    engine.ack([long])
    other.ack(taken)
    assert rest(engine) == []


def test_who_was_too_slow_for_another_minion(server: RabbitServer, make: Make) -> None:
    slow, quick = make(), make()
    slow.put(["p"])
    slow.open()
    quick.open()
    (mine,) = take(slow, 1)
    # Alive as it is, it hears that; but it is not the first to ask.
    until(lambda: slow.backlog().ready, 10.0, "the server has taken it back")
    (theirs,) = take(quick, 1)
    assert (theirs.id, theirs.attempt, theirs.crashes) == (mine.id, 2, 1)
    slow.ack([mine])
    quick.nack([theirs])
    (again,) = take(quick, 1)
    quick.ack([again])
    assert rest(slow) == [] == rest(quick)


# What the server refuses.


def test_a_wrong_password(server: RabbitServer, make: Make) -> None:
    engine = make(url=server.url_of(USER, "wr0ng"))
    with refused(engine, EngineError, "refuses this user or password"):
        engine.open()
    with refused(engine, EngineError, "refuses this user or password"):
        engine.put(["a"])


def test_a_virtual_host(server: RabbitServer, make: Make) -> None:
    with refused(make(), EngineError, "virtual host"):
        make(url=server.url_of(USER, PASSWORD, vhost="missing")).open()
    elsewhere = make(url=server.url_of(USER, PASSWORD, vhost=VHOST))
    assert elsewhere.put(["a"]) == 1
    here = make()
    here.open()
    assert here.receive(1, 0.0) == []


def test_a_user_without_permission(server: RabbitServer, queue: str, make: Make) -> None:
    engine = make(url=server.url_of(POOR, PASSWORD))
    with refused(engine, EngineError, f"{queue}.*permission"):
        engine.open()


def test_a_user_with_the_permissions_of_the_page(server: RabbitServer, make: Make) -> None:
    engine = make(url=server.url_of(MINION, PASSWORD))
    engine.put(["a", "b"])
    engine.open()
    first, second = take(engine, 2)
    engine.nack([first], delay=0.1)
    engine.dead_letter([second], "no", [{}])
    assert engine.requeue([second.id]) == 1
    engine.ack(take(engine, 2))
    assert list(engine.peek()) == []
    assert engine.purge() == 0


def test_urls_that_are_none(make: Make) -> None:
    for bad in ("amqp://me:wr0ng@host:port/", "http://me:wr0ng@host/", "amqp://h/?heartbeat=wr0ng", "amqp://me@h/"):
        engine = make(url=bad)
        with refused(engine, EngineError, "RABBITMQ_URL"):
            engine.open()


def test_tls(server: RabbitServer, make: Make) -> None:
    port = server.tls_port
    plain = server.url_of(USER, PASSWORD, port).replace("amqp:", "amqps:")
    with refused(make(), EngineError, "is not trusted"):
        make(url=plain).open()
    with refused(make(), EngineError, "speaks no TLS: write amqp://"):
        make(url=server.url.replace("amqp:", "amqps:")).open()
    with refused(make(), EngineError, "certificates .* cannot be read: No such file"):
        make(url=f"{plain}?ssl_options={{'ca_certs':'/no/such/ca.pem'}}").open()
    engine = make(url=f"{plain}?ssl_options={{'ca_certs':'{server.folder}/ca.pem'}}")
    assert engine.put(["a"]) == 1
    engine.open()
    engine.ack(take(engine, 1))
    with refused(make(), NotConnected, "cannot be reached"):
        make(url=server.url_of(USER, PASSWORD, port)).open()


# The client's own words.


def test_the_client_library_is_silent(server: RabbitServer, make: Make, capfd: pytest.CaptureFixture[str]) -> None:
    engine = make(url=server.url_of(USER, "wr0ng"))
    with refused(engine, EngineError, "refuses"):
        engine.open()
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")
    assert logging.getLogger("pika").level == logging.CRITICAL
