"""The google engine and its server: away, hanging, cut off, refusing; and what is said of it."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import count
from pathlib import Path
from typing import Any

import grpc
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from minionize.engine import Delivery, EngineError, NotConnected
from minionize.engines.google import GoogleEngine
from minionize.pubsub import link
from minionize.pubsub.faults import fault
from minionize.pubsub.link import Link
from tests.acceptance.running import until
from tests.brokers.google import PROJECT, PubSubServer, running
from tests.brokers.proxy import proxied
from tests.brokers.server import free_port

pytestmark = pytest.mark.broker

NUMBERS = count()
SECRET = "s3cret-of-mine"


@pytest.fixture(scope="module")
def pubsub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PubSubServer]:
    with running(tmp_path_factory.mktemp("pubsub")) as server:
        yield server


@contextmanager
def engine_at(host: str, name: str = "", **more: Any) -> Iterator[GoogleEngine]:
    """An engine of its own queue, unless that is named."""
    name = name or f"case-{next(NUMBERS)}"
    values = {
        "project": PROJECT,
        "topic": f"{name}-params",
        "subscription": f"{name}-minions",
        "emulator": host,
        **more,
    }
    engine = GoogleEngine(quiet=0.1, **values)
    try:
        yield engine
    finally:
        engine.close()


# A server that is away.


def test_a_dead_port() -> None:
    port = free_port()
    with engine_at(f"127.0.0.1:{port}") as engine:
        began = time.monotonic()
        for ask in (engine.open, engine.visit, lambda: engine.put(["a"]), lambda: list(engine.peek()), engine.purge):
            with pytest.raises(NotConnected, match=str(port)) as caught:
                ask()
            assert caught.value.__cause__ is not None
        assert time.monotonic() - began < 5.0


def test_an_unknown_host() -> None:
    with engine_at("no-such-host.invalid:1") as engine:
        began = time.monotonic()
        with pytest.raises(NotConnected, match="no-such-host"):
            engine.open()
        assert time.monotonic() - began < 8.0


def test_a_closed_engine(pubsub: PubSubServer) -> None:
    with engine_at(pubsub.host) as engine:
        for ask in (lambda: engine.receive(1, 0.0), lambda: engine.ack([]), lambda: engine.nack([])):
            with pytest.raises(NotConnected, match="not open"):
                ask()


def test_a_server_that_hangs(pubsub: PubSubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, method in link._METHODS.items():
        monkeypatch.setitem(link._METHODS, name, method._replace(timeout=1.0))
    with engine_at(pubsub.host) as engine:
        engine.put(["a"])
        engine.open()
        taken = engine.receive(1, 5.0)
        pubsub.hang()
        try:
            for ask in (lambda: engine.ack(taken), lambda: engine.receive(1, 0.1), lambda: engine.extend(taken)):
                with pytest.raises(NotConnected, match="DEADLINE_EXCEEDED"):
                    ask()
        finally:
            pubsub.wake()
        engine.close()
        until(lambda: _opens(engine))
        engine.ack(taken)
        assert engine.receive(1, 0.1) == []


def test_a_server_is_given_five_seconds() -> None:
    assert {method.timeout for name, method in link._METHODS.items() if name != "Publish"} == {5.0}


def test_an_emulator_that_has_forgotten_all(tmp_path: Path) -> None:
    """That of Google forgets nothing."""
    with running(tmp_path) as server, engine_at(server.host) as engine:
        engine.put(["a"])
        engine.open()
        taken = engine.receive(1, 5.0)
        server.stop()
        with pytest.raises(NotConnected):
            engine.ack(taken)
        engine.close()
        with pytest.raises(NotConnected):
            engine.open()
        server.start()
        with pytest.raises(EngineError, match=r"topics/.*minion-queue fill"):
            until(lambda: _opens(engine), 5.0)


def _opens(engine: GoogleEngine) -> bool:
    try:
        engine.open()
    except NotConnected:
        return False
    return True


# A connection that is cut.


def test_what_is_held_outlives_a_connection(pubsub: PubSubServer) -> None:
    """Nothing is run again: the leases go on, and are settled by another connection."""
    with proxied(pubsub.port) as proxy, engine_at(f"127.0.0.1:{proxy.port}", dead_topic="cut-dead") as engine:
        engine.put(["acked", "given back", "tried again", "dead"])
        engine.open()
        held: dict[Any, Delivery] = {}
        until(lambda: held.update({each.param: each for each in engine.receive(4, 0.1)}) or len(held) == 4)
        proxy.open = False
        proxy.cut()
        settlings: dict[str, Callable[[list[Delivery]], None]] = {
            "acked": engine.ack,
            "given back": lambda them: engine.nack(them, charge=False),
            "tried again": engine.nack,
            "dead": lambda them: engine.dead_letter(them, "failed", [{}]),
        }
        for name, settle in settlings.items():
            with pytest.raises(NotConnected):
                settle([held[name]])
        engine.close()
        proxy.open = True
        until(lambda: _opens(engine), 10.0)
        assert engine.receive(4, 0.1) == []
        assert engine.extend(list(held.values())) == []
        for name, settle in settlings.items():
            settle([held[name]])
        again: dict[Any, int | None] = {}
        until(lambda: again.update({each.param: each.attempt for each in engine.receive(4, 0.1)}) or len(again) == 2)
        assert again == {"given back": 1, "tried again": 2}
        assert [letter.param for letter in engine.dead()] == ["dead"]


def test_a_retry_is_put_anew_once(pubsub: PubSubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """When only the ack of the old message is lost, it alone is asked for again."""
    with engine_at(pubsub.host) as engine:
        engine.put(["a"])
        engine.open()
        held = engine.receive(1, 5.0)
        acknowledge = Link.acknowledge

        def fails(*_: object) -> None:
            raise NotConnected("cut")

        monkeypatch.setattr(Link, "acknowledge", fails)
        with pytest.raises(NotConnected):
            engine.nack(held)
        monkeypatch.setattr(Link, "acknowledge", acknowledge)
        engine.nack(held)
        again = engine.receive(10, 5.0)
        assert [(each.param, each.attempt) for each in again] == [("a", 2)]
        assert engine.receive(10, 0.2) == []


# A server that refuses.


@contextmanager
def refusing(code: grpc.StatusCode, words: str) -> Iterator[str]:
    """A server that says no to all, since no emulator does."""

    class Refusing(grpc.GenericRpcHandler):  # type: ignore[misc]
        def service(self, details: Any) -> Any:
            def refuse(_: bytes, context: Any) -> None:
                context.abort(code, words)

            return grpc.unary_unary_rpc_method_handler(refuse)

    with ThreadPoolExecutor(1) as pool:
        server = grpc.server(pool)
        server.add_generic_rpc_handlers((Refusing(),))
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            yield f"127.0.0.1:{port}"
        finally:
            server.stop(None).wait()


@pytest.mark.parametrize(
    ("code", "passes", "remedy"),
    [
        (grpc.StatusCode.UNAUTHENTICATED, False, "GOOGLE_APPLICATION_CREDENTIALS"),
        (grpc.StatusCode.PERMISSION_DENIED, False, "roles/pubsub.publisher"),
        (grpc.StatusCode.INVALID_ARGUMENT, False, "GOOGLE_SUBSCRIPTION"),
        (grpc.StatusCode.FAILED_PRECONDITION, False, "of type pull"),
        (grpc.StatusCode.UNIMPLEMENTED, False, "PUBSUB_EMULATOR_HOST"),
        (grpc.StatusCode.UNAVAILABLE, True, "UNAVAILABLE"),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, True, "RESOURCE_EXHAUSTED"),
        (grpc.StatusCode.INTERNAL, True, "INTERNAL"),
        (grpc.StatusCode.ABORTED, True, "ABORTED"),
    ],
)
def test_what_a_refusal_means(code: grpc.StatusCode, passes: bool, remedy: str) -> None:
    with refusing(code, "not today") as host, engine_at(host) as engine:
        for ask in (lambda: list(engine.peek()), lambda: engine.put(["a"])):
            with pytest.raises(EngineError, match="not today") as caught:
                ask()
            assert isinstance(caught.value, NotConnected) == passes
            assert remedy in str(caught.value)


def test_who_may_only_consume(pubsub: PubSubServer) -> None:
    """Who may not ask for the subscription can work: its lease is renewed at once."""
    with refusing(grpc.StatusCode.PERMISSION_DENIED, "no") as host, engine_at(host) as engine:
        engine.open()
        with pytest.raises(EngineError, match=r"subscriptions/.*roles/pubsub.subscriber"):
            engine.receive(1, 0.1)
        assert engine._granted == 0


# Credentials.


class Tokens(BaseHTTPRequestHandler):
    """Refuses every login."""

    def do_POST(self) -> None:
        self.send_response(400)
        self.end_headers()
        self.wfile.write(b'{"error": "invalid_grant", "error_description": "' + SECRET.encode() + b' is no account"}')

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def tokens() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Tokens) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/token"
        server.shutdown()
        thread.join()


class _Failed:
    """What gRPC says when the login fails before the call."""

    def __init__(self, words: str) -> None:
        self.words = words

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.UNAVAILABLE

    def details(self) -> str:
        return f"Getting metadata from plugin failed with error: {self.words}"


def test_a_login_that_is_refused(tmp_path: Path, tokens: str) -> None:
    from google.auth.transport.requests import Request

    account = Link("", str(_account(tmp_path, tokens)))
    with pytest.raises(Exception, match="invalid_grant") as caught:
        account._find_credentials().refresh(Request())
    refused = fault(_Failed(str(caught.value)), "pubsub.googleapis.com", "it")
    assert not isinstance(refused, NotConnected)
    assert "GOOGLE_APPLICATION_CREDENTIALS" in str(refused)
    assert SECRET not in str(refused)
    assert isinstance(fault(_Failed("Max retries exceeded"), "pubsub.googleapis.com", "it"), NotConnected)


def _account(folder: Path, tokens: str) -> Path:
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    words = {"client_email": "me@minions", "private_key": pem, "private_key_id": "1", "token_uri": tokens}
    file = folder / "account.json"
    file.write_text(json.dumps({"type": "service_account", "project_id": PROJECT, **words}))
    return file


@pytest.mark.parametrize(
    "content",
    [
        None,
        "",
        f"no JSON {SECRET}",
        f'["{SECRET}"]',
        f'"{SECRET}"',
        f'{{"type": "{SECRET}"}}',
        '{"type": "service_account"}',
        f'{{"type": "impersonated_service_account", "source_credentials": "{SECRET}"}}',
    ],
)
def test_credentials_that_are_none(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "credentials.json"
    if content is not None:
        file.write_text(content)
    with engine_at("", credentials=str(file)) as engine:
        with pytest.raises(EngineError, match="GOOGLE_APPLICATION_CREDENTIALS") as caught:
            engine.open()
        assert not isinstance(caught.value, NotConnected)
        assert str(file) in str(caught.value)
        assert SECRET not in str(caught.value)
        assert caught.value.__cause__ is not None


# What is said.


def test_nothing_is_said_on_stdout_or_stderr(pubsub: PubSubServer) -> None:
    """Neither by gRPC nor by its children, though the server goes and a process is forked."""
    program = """
import os, sys, logging
from minionize.engine import NotConnected
from minionize.engines.google import GoogleEngine
host, dead = sys.argv[1:]
values = {"project": "minions", "topic": "silent", "subscription": "silence"}
engine = GoogleEngine(emulator=host, **values)
engine.put(["a"])
engine.open()
os.waitpid(os.posix_spawn("/bin/true", ["true"], os.environ), 0)
if not os.fork():
    os._exit(0)
os.wait()
engine.ack(engine.receive(1, 5.0))
engine.close()
try:
    GoogleEngine(emulator=dead, **values).open()
except NotConnected:
    print("done")
"""
    words = [sys.executable, "-c", program, pubsub.host, f"127.0.0.1:{free_port()}"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")


def test_no_client_library_is_imported_with_the_module() -> None:
    program = "import sys, minionize.engines.google; sys.exit('grpc' in sys.modules or 'google' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_no_secret_in_logs(pubsub: PubSubServer, caplog: pytest.LogCaptureFixture) -> None:
    """Params are data: they stand in no log either."""
    with caplog.at_level(logging.DEBUG), engine_at(pubsub.host) as engine:
        engine.put([SECRET])
        engine.open()
        engine.ack(engine.receive(1, 5.0))
    assert SECRET not in caplog.text
