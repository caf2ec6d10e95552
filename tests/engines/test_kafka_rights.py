"""The kafka engine as a user who may not do all."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from tests.brokers.kafka import KafkaServer, produce, running
from tests.brokers.moves import MINION_QUEUE
from tests.engines.kafka_helpers import Make, engines_on, failure, opened, partitions, take

pytestmark = pytest.mark.broker
TOPIC = "params"


@pytest.fixture(scope="module")
def strict_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer]:
    """Who comes by ``sasl`` may take params of one topic, and no more."""
    more = {
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS",
    }
    with running(tmp_path_factory.mktemp("strict"), more) as server:
        partitions(server, TOPIC, 1)
        for kind, name in ((ResourceType.TOPIC, TOPIC), (ResourceType.GROUP, "minions")):
            grant(server, kind, name, AclOperation.READ, AclOperation.DESCRIBE)
        yield server


def grant(server: KafkaServer, kind: ResourceType, name: str, *operations: AclOperation) -> None:
    admin, user = AdminClient({**server.client()}), f"User:{server.user}"
    rights = [
        AclBinding(kind, name, ResourcePatternType.LITERAL, user, "*", operation, AclPermissionType.ALLOW)
        for operation in operations
    ]
    for answer in admin.create_acls(rights).values():
        answer.result(5)


def login(server: KafkaServer) -> str:
    lines = ("security.protocol=SASL_PLAINTEXT", "sasl.mechanism=PLAIN", f"sasl.username={server.user}")
    return "\n".join([*lines, f"sasl.password={server.password}", ""])


@pytest.fixture
def make(strict_server: KafkaServer, tmp_path: Path) -> Iterator[Make]:
    with engines_on(strict_server, TOPIC, tmp_path) as make:
        yield lambda *_, **values: make(login(strict_server), bootstrap=strict_server.sasl, **values)


def test_who_may_not_write_is_told_so(strict_server: KafkaServer, tmp_path: Path) -> None:
    """In one line, of which the client library writes nothing."""
    config = tmp_path / "config"
    config.write_text(login(strict_server))
    values = {"KAFKA_TOPIC": TOPIC, "KAFKA_BOOTSTRAP": strict_server.sasl, "KAFKA_CONFIG": str(config)}
    words = [*MINION_QUEUE, "fill", "-e", "kafka"]
    done = subprocess.run(words, input="a\n", env={**os.environ, **values}, capture_output=True, text=True, timeout=60)
    assert done.returncode == 3
    (line,) = done.stderr.splitlines()
    assert "cannot put" in line
    assert "Write" in line
    assert strict_server.password not in line


def test_that_the_dead_have_no_place_is_known_at_the_start(
    make: Make, strict_server: KafkaServer, caplog: pytest.LogCaptureFixture
) -> None:
    produce(strict_server, TOPIC, b"a")
    engine = opened(make())
    assert "cannot use params.minions.dead" in caplog.messages[-1]
    engine.ack(take(engine, 1))


def test_the_topic_that_may_not_be_read_is_named(make: Make) -> None:
    for ask in (lambda: list(make().dead()), make().backlog):
        assert "cannot use params.minions.dead" in str(failure(ask))


def test_who_may_make_no_topic_uses_one_that_is_there(make: Make, strict_server: KafkaServer) -> None:
    dead = f"{TOPIC}.others.dead"
    partitions(strict_server, dead, 1)
    grant(strict_server, ResourceType.GROUP, "others", AclOperation.READ, AclOperation.DESCRIBE)
    grant(strict_server, ResourceType.TOPIC, dead, AclOperation.READ, AclOperation.WRITE, AclOperation.DESCRIBE)
    produce(strict_server, TOPIC, b"a")
    engine = opened(make(group="others"))
    taken = take(engine, 1)
    engine.dead_letter(taken, "failed", [{}])
    assert [letter.id for letter in engine.dead()] == [taken[0].id]
