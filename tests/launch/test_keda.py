from __future__ import annotations

from typing import Any

import pytest
import yaml

from minionize.launch.keda import TRIGGERS
from minionize.names import builtin
from tests.launch.conftest import Terminal

DOCUMENTED = {
    "redis-streams": {
        *("address", "host", "port", "usernameFromEnv", "passwordFromEnv", "stream", "consumerGroup"),
        *("pendingEntriesCount", "streamLength", "lagCount", "activationLagCount", "enableTLS", "unsafeSsl"),
        *("databaseIndex", "addressFromEnv", "hostFromEnv", "portFromEnv"),
    },
    "redis-cluster-streams": {
        *("addresses", "hosts", "ports", "usernameFromEnv", "passwordFromEnv", "stream", "consumerGroup"),
        *("pendingEntriesCount", "streamLength", "lagCount", "activationLagCount", "enableTLS", "unsafeSsl"),
        *("addressesFromEnv", "hostsFromEnv", "portsFromEnv"),
    },
    "redis-sentinel-streams": {
        *("addresses", "hosts", "ports", "usernameFromEnv", "passwordFromEnv", "stream", "consumerGroup"),
        *("pendingEntriesCount", "streamLength", "lagCount", "activationLagCount", "enableTLS", "unsafeSsl"),
        *("databaseIndex", "sentinelMaster", "sentinelUsernameFromEnv", "sentinelPasswordFromEnv"),
    },
    "rabbitmq": {
        *("host", "protocol", "mode", "value", "activationValue", "queueName", "vhostName", "hostFromEnv", "unsafeSsl"),
    },
    "kafka": {
        *("bootstrapServers", "consumerGroup", "topic", "lagThreshold", "activationLagThreshold", "offsetResetPolicy"),
        *("allowIdleConsumers", "scaleToZeroOnInvalidOffset", "excludePersistentLag", "limitToPartitionsWithLag"),
        *("version", "partitionLimitation", "sasl", "tls", "unsafeSsl"),
    },
    "pulsar": {
        *("adminURL", "topic", "isPartitionedTopic", "subscription", "msgBacklogThreshold"),
        *("activationMsgBacklogThreshold", "authModes", "oauthTokenURI", "scope", "clientID"),
    },
    "gcp-pubsub": {
        *("mode", "value", "activationValue", "subscriptionName", "subscriptionNameFromEnv", "credentialsFromEnv"),
    },
}
"""The fields of each scaler in KEDA's documentation."""

SPEC = {
    *("jobTargetRef", "pollingInterval", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"),
    *("envSourceContainerName", "minReplicaCount", "maxReplicaCount", "rollout", "scalingStrategy", "triggers"),
}
"""The fields of a ScaledJob there."""

SETTINGS: dict[str, dict[str, str]] = {
    "redis": {"REDIS_URL": "redis://db:6379/2", "REDIS_STREAM": "jobs"},
    "rabbitmq": {"RABBITMQ_URL": "amqp://mq:5672/", "RABBITMQ_QUEUE": "jobs"},
    "kafka": {"KAFKA_BOOTSTRAP": "kafka:9092", "KAFKA_TOPIC": "jobs"},
    "pulsar": {"PULSAR_CONNECTION": "pulsar://p:6650", "PULSAR_ADMIN": "http://p:8080", "PULSAR_TOPIC": "jobs"},
    "google": {"GOOGLE_PROJECT_ID": "lab", "GOOGLE_TOPIC_ID": "jobs", "GOOGLE_SUBSCRIPTION": "minions"},
}
EXPECTED: dict[str, tuple[str, str, dict[str, str]]] = {
    "redis": (
        "redis-streams",
        "default",
        {"address": "db:6379", "databaseIndex": "2", "stream": "jobs", "streamLength": "5"},
    ),
    "rabbitmq": (
        "rabbitmq",
        "accurate",
        {"hostFromEnv": "RABBITMQ_URL", "protocol": "amqp", "queueName": "jobs", "mode": "QueueLength", "value": "5"},
    ),
    "kafka": (
        "kafka",
        "default",
        {
            "bootstrapServers": "kafka:9092",
            "consumerGroup": "minions",
            "topic": "jobs",
            "lagThreshold": "5",
            "offsetResetPolicy": "earliest",
        },
    ),
    "pulsar": (
        "pulsar",
        "default",
        {
            "adminURL": "http://p:8080",
            "topic": "persistent://public/default/jobs",
            "subscription": "minions",
            "msgBacklogThreshold": "5",
        },
    ),
    "google": (
        "gcp-pubsub",
        "default",
        {"subscriptionName": "projects/lab/subscriptions/minions", "mode": "SubscriptionSize", "value": "5"},
    ),
}

IMAGE = ["k8s", "--kind", "scaledjob", "--image", "app:1", "--per-minion", "5"]


def scaled_job(launch: Terminal, engine: str, *words: str, **environ: str) -> dict[str, Any]:
    text = launch.text(*IMAGE, *words, "--", "minionize", "-e", engine, "./a.out", **environ)
    found: dict[str, Any] = next(yaml.safe_load_all(text))
    return found


def given(settings: dict[str, str]) -> list[str]:
    return [word for name, value in settings.items() for word in ("--env", f"{name}={value}")]


@pytest.mark.parametrize("engine", TRIGGERS)
@pytest.mark.parametrize("way", ["--env", "environment"])
def test_the_trigger_looks_at_the_queue_of_the_engine(launch: Terminal, engine: str, way: str) -> None:
    settings = SETTINGS[engine]
    job = scaled_job(launch, engine, *given(settings)) if way == "--env" else scaled_job(launch, engine, **settings)
    spec = job["spec"]
    type, strategy, metadata = EXPECTED[engine]
    assert spec["triggers"] == [{"type": type, "metadata": metadata}]
    assert spec["scalingStrategy"] == {"strategy": strategy}
    assert set(metadata) <= DOCUMENTED[type]
    assert set(spec) <= SPEC
    assert all(isinstance(value, str) for value in metadata.values())
    env = {each["name"]: each["value"] for each in spec["jobTargetRef"]["template"]["spec"]["containers"][0]["env"]}
    assert settings.items() <= env.items()


def test_jobs_are_as_many_as_there_may_be_minions(launch: Terminal) -> None:
    spec = scaled_job(launch, "redis", "-n", "7", *given(SETTINGS["redis"]))["spec"]
    assert spec["maxReplicaCount"] == 7
    assert (spec["jobTargetRef"]["parallelism"], spec["jobTargetRef"]["completions"]) == (1, 1)


@pytest.mark.parametrize(
    ("url", "type", "metadata"),
    [
        ("redis://db", "redis-streams", {"address": "db:6379", "databaseIndex": "0"}),
        ("rediss://db:1/3", "redis-streams", {"address": "db:1", "databaseIndex": "3", "enableTLS": "true"}),
        ("redis+cluster://a:1", "redis-cluster-streams", {"addresses": "a:1"}),
        (
            "redis+sentinel://a:1,b:2/main/4",
            "redis-sentinel-streams",
            {"addresses": "a:1,b:2", "sentinelMaster": "main", "databaseIndex": "4"},
        ),
        ("redis://db:6379?db=3", "redis-streams", {"address": "db:6379", "databaseIndex": "3"}),
        ("redis://db/1?db=3", "redis-streams", {"address": "db:6379", "databaseIndex": "3"}),
        ("redis://db/x", "redis-streams", {"address": "db:6379", "databaseIndex": "0"}),
        ("redis://db:", "redis-streams", {"address": "db:6379", "databaseIndex": "0"}),
        ("redis://[fd00::1]/3", "redis-streams", {"address": "[fd00::1]:6379", "databaseIndex": "3"}),
        ("redis://[fd00::1]:7/3", "redis-streams", {"address": "[fd00::1]:7", "databaseIndex": "3"}),
        ("redis+cluster://db/0", "redis-cluster-streams", {"addresses": "db:6379"}),
        (
            "redis+sentinel://a,b:1,[fd00::1]/main/1",
            "redis-sentinel-streams",
            {"addresses": "a:26379,b:1,[fd00::1]:26379", "sentinelMaster": "main", "databaseIndex": "1"},
        ),
        (
            "redis+sentinel://a/main?db=5",
            "redis-sentinel-streams",
            {"addresses": "a:26379", "sentinelMaster": "main", "databaseIndex": "5"},
        ),
    ],
)
def test_the_forms_of_redis(launch: Terminal, url: str, type: str, metadata: dict[str, str]) -> None:
    (trigger,) = scaled_job(launch, "redis", *given({"REDIS_URL": url, "REDIS_STREAM": "jobs"}))["spec"]["triggers"]
    assert trigger == {"type": type, "metadata": {**metadata, "stream": "jobs", "streamLength": "5"}}
    assert set(trigger["metadata"]) <= DOCUMENTED[type]


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("redis:///3", "names no host"),
        ("redis+sentinel://a,,b/main", "names no host"),
        ("redis://db?db=x", "db=x is no number"),
        ("redis+sentinel://a:1", "redis+sentinel://HOST,HOST/NAME"),
        ("redis://[db@db/0", "is no URL"),
        ("redis://hu/sh@db/0", "is no URL"),
    ],
)
def test_a_url_that_leads_nowhere_is_refused(launch: Terminal, url: str, message: str) -> None:
    words = given({"REDIS_URL": url, "REDIS_STREAM": "jobs"})
    said = refusal(launch, *words, "--", "minionize", "-e", "redis", "./a.out")
    assert said.startswith("--kind scaledjob: REDIS_URL")
    assert "hu" not in said
    assert message in said


def test_a_password_behind_the_question_mark_is_one(launch: Terminal) -> None:
    words = ["--secret", "redis", "--env", "REDIS_STREAM=jobs"]
    (trigger,) = scaled_job(launch, "redis", *words, REDIS_URL="redis://db?password=hush")["spec"]["triggers"]
    assert trigger["metadata"]["passwordFromEnv"] == "REDIS_PASSWORD"


def test_the_password_is_in_the_secret(launch: Terminal) -> None:
    words = [*IMAGE, "--secret", "redis", "--env", "REDIS_STREAM=jobs", "--", "minionize", "-e", "redis", "./a.out"]
    text = launch.text(*words, REDIS_URL="redis://me:hush@db/0")
    assert "hush" not in text
    assert "# The Secret redis must hold: REDIS_URL, REDIS_PASSWORD, REDIS_USERNAME.\n" in text
    (trigger,) = next(yaml.safe_load_all(text))["spec"]["triggers"]
    assert trigger["metadata"]["passwordFromEnv"] == "REDIS_PASSWORD"
    assert trigger["metadata"]["usernameFromEnv"] == "REDIS_USERNAME"


def test_a_trigger_authentication_can_be_named(launch: Terminal) -> None:
    job = scaled_job(launch, "google", "--trigger-auth", "gcp", *given(SETTINGS["google"]))
    assert job["spec"]["triggers"][0]["authenticationRef"] == {"name": "gcp"}


def test_a_token_is_asked_for(launch: Terminal) -> None:
    words = ["--secret", "pulsar", "--trigger-auth", "pulsar", *given(SETTINGS["pulsar"])]
    job = scaled_job(launch, "pulsar", *words, PULSAR_TOKEN="hush")
    assert job["spec"]["triggers"][0]["metadata"]["authModes"] == "bearer"


@pytest.mark.parametrize("environ", [{}, {"PULSAR_TOKEN": "hush"}, {"PULSAR_TOKEN": "file:/run/token"}])
def test_a_token_that_only_the_cluster_knows_is_asked_for(launch: Terminal, environ: dict[str, str]) -> None:
    words = ["--env", "PULSAR_TOKEN", "--secret", "s", "--trigger-auth", "ta", *given(SETTINGS["pulsar"])]
    (trigger,) = scaled_job(launch, "pulsar", *words, **environ)["spec"]["triggers"]
    assert trigger["metadata"]["authModes"] == "bearer"
    assert trigger["authenticationRef"] == {"name": "ta"}


@pytest.mark.parametrize(
    ("named", "environ"), [(["--env", "PULSAR_TOKEN"], {}), ([], {"PULSAR_TOKEN": "hush"})], ids=["named", "set"]
)
def test_keda_needs_the_token_too(launch: Terminal, named: list[str], environ: dict[str, str]) -> None:
    words = [*named, "--secret", "s", *given(SETTINGS["pulsar"]), "--", "minionize", "-e", "pulsar", "./a.out"]
    said = refusal(launch, *words, **environ)
    assert "PULSAR_TOKEN: KEDA must have the token too" in said
    assert "bearerToken" in said
    assert "--trigger-auth NAME" in said
    assert "hush" not in said


@pytest.mark.parametrize(
    ("topic", "full"),
    [
        ("jobs", "persistent://public/default/jobs"),
        ("a/b/jobs", "persistent://a/b/jobs"),
        ("persistent://a/b/jobs", "persistent://a/b/jobs"),
    ],
)
def test_a_topic_of_pulsar_has_its_full_name(launch: Terminal, topic: str, full: str) -> None:
    settings = {**SETTINGS["pulsar"], "PULSAR_TOPIC": topic}
    (trigger,) = scaled_job(launch, "pulsar", *given(settings))["spec"]["triggers"]
    assert trigger["metadata"]["topic"] == full


def test_a_topic_that_the_engine_refuses_is_refused(launch: Terminal) -> None:
    settings = {**SETTINGS["pulsar"], "PULSAR_TOPIC": "non-persistent://a/b/jobs"}
    said = refusal(launch, *given(settings), "--", "minionize", "-e", "pulsar", "./a.out")
    assert "PULSAR_TOPIC: must be NAME or persistent://TENANT/NAMESPACE/NAME" in said


def test_keda_must_know_where_rabbitmq_is(launch: Terminal) -> None:
    run = ["--", "minionize", "-e", "rabbitmq", "./a.out"]
    for words in ([], ["--env", "RABBITMQ_URL=amqp://localhost/"]):
        said = refusal(launch, "--env", "RABBITMQ_QUEUE=jobs", *words, *run)
        assert said.startswith("--kind scaledjob: RABBITMQ_URL: ")
        assert "--secret NAME" in said
        assert "--trigger-auth NAME" in said


@pytest.mark.parametrize(
    ("words", "url", "host"),
    [
        (["--secret", "s"], "", "RABBITMQ_URL"),
        (["--secret", "s", "--trigger-auth", "ta"], "", "RABBITMQ_URL"),
        (["--secret", "s"], "amqp://u:hush@mq/", "RABBITMQ_URL"),
        (["--secret", "s"], "amqp://u:hush@localhost/", "RABBITMQ_URL"),
        (["--trigger-auth", "ta"], "amqp://mq/", "RABBITMQ_URL"),
        (["--trigger-auth", "ta"], "", None),
    ],
)
def test_keda_takes_what_defines_the_url_of_rabbitmq(
    launch: Terminal, words: list[str], url: str, host: str | None
) -> None:
    environ = {"RABBITMQ_URL": url} if url else {}
    (trigger,) = scaled_job(launch, "rabbitmq", "--env", "RABBITMQ_QUEUE=jobs", *words, **environ)["spec"]["triggers"]
    assert trigger["metadata"].get("hostFromEnv") == host


def test_a_remark_says_that_the_secret_must_hold_the_url_of_rabbitmq(launch: Terminal) -> None:
    found = remarks(launch, "rabbitmq", "--env", "RABBITMQ_QUEUE=jobs", "--secret", "s")
    assert "# The Secret s must hold: RABBITMQ_URL." in found


def remarks(launch: Terminal, engine: str, *words: str, **environ: str) -> list[str]:
    text = launch.text(*IMAGE, *words, "--", "minionize", "-e", engine, "./a.out", **environ)
    return [line for line in text.splitlines()[1:] if line.startswith("# ")]


def test_a_remark_says_that_keda_needs_rights_at_google(launch: Terminal) -> None:
    settings = given(SETTINGS["google"])
    assert any("--trigger-auth" in line and "Pub/Sub" in line for line in remarks(launch, "google", *settings))
    settings += ["--trigger-auth", "gcp"]
    assert not any("--trigger-auth" in line for line in remarks(launch, "google", *settings))


@pytest.mark.parametrize("words", [[], ["--trigger-auth", "ta"]])
@pytest.mark.parametrize("way", ["--env", "environment"])
def test_a_remark_says_that_keda_does_not_read_a_file_of_kafka(launch: Terminal, words: list[str], way: str) -> None:
    words = [*words, *given(SETTINGS["kafka"])]
    assert not any("SASL" in line for line in remarks(launch, "kafka", *words))
    file = {"KAFKA_CONFIG": "/etc/kafka.properties"}
    found = (
        remarks(launch, "kafka", *words, *given(file)) if way == "--env" else remarks(launch, "kafka", *words, **file)
    )
    assert any("KAFKA_CONFIG" in line and "SASL" in line and "--trigger-auth" in line for line in found)


def refusal(launch: Terminal, *words: str, **environ: str) -> str:
    return launch.refusal(*IMAGE, *words, status=2, **environ)


@pytest.mark.parametrize("engine", ["file", "execo", "memory"])
def test_what_is_no_broker_has_no_trigger(launch: Terminal, engine: str) -> None:
    said = refusal(launch, "--", "minionize", "-e", engine, "./a.out")
    assert f"engine {engine}: its queue is no server that KEDA could ask; take --kind job or deployment" in said


def test_every_engine_has_a_trigger_or_a_reason(launch: Terminal) -> None:
    assert set(TRIGGERS) | {"file", "execo", "memory"} == set(builtin("engines"))


def test_the_engine_must_be_known(launch: Terminal) -> None:
    assert "which engine?" in refusal(launch, "--", "minionize", "./a.out")


@pytest.mark.parametrize(
    ("engine", "left"),
    [
        ("redis", "REDIS_URL"),
        ("redis", "REDIS_STREAM"),
        ("rabbitmq", "RABBITMQ_QUEUE"),
        ("kafka", "KAFKA_BOOTSTRAP"),
        ("pulsar", "PULSAR_ADMIN"),
        ("google", "GOOGLE_PROJECT_ID"),
    ],
)
def test_where_to_ask_must_be_set(launch: Terminal, engine: str, left: str) -> None:
    settings = {name: value for name, value in SETTINGS[engine].items() if name != left}
    assert f"{left} must be set" in refusal(launch, *given(settings), "--", "minionize", "-e", engine, "./a.out")


def test_a_socket_is_refused(launch: Terminal) -> None:
    words = given({"REDIS_URL": "unix:///run/redis", "REDIS_STREAM": "jobs"})
    assert "KEDA can ask" in refusal(launch, *words, "--", "minionize", "-e", "redis", "./a.out")
