"""KEDA: what tells it how much is in a queue. One entry for each engine; the fields are those of KEDA's scalers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from minionize.errors import SettingsError
from minionize.names import did_you_mean

__all__ = ["TRIGGERS", "Access", "Trigger", "Wanted", "trigger_for"]

Values = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Access:
    """What KEDA may learn from others than the manifest.

    Attributes:
        named: Variables that the minions get, also those whose values are known in the cluster only.
        secret: Whether a Secret is named whose keys are variables.
        auth: Whether a TriggerAuthentication is named.
    """

    named: frozenset[str] = frozenset()
    secret: bool = False
    auth: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """A trigger, ready for the manifest.

    Attributes:
        type: KEDA's name of the scaler.
        metadata: Its fields.
        secrets: Variables that the Secret must hold, beside the engine's own.
        strategy: How KEDA counts: "default" where the queue's length holds what is in flight, "accurate" where not.
        remarks: What whoever applies the manifest must see to.
    """

    type: str
    metadata: Mapping[str, str]
    secrets: tuple[str, ...] = ()
    strategy: str = "default"
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Trigger:
    """How KEDA looks at the queue of one engine.

    Attributes:
        needed: Variables of the engine that must be set where the manifest is made.
        make: Makes the trigger of the values of the engine's variables, of how many params are one minion's, and of
            what KEDA may learn elsewhere.
        help: What is counted, for the docs.
    """

    needed: tuple[str, ...]
    make: Callable[[Values, int, Access], Wanted]
    help: str


def trigger_for(engine: str | None, values: Values, each: int, access: Access | None = None) -> Wanted:
    """Make the trigger for an engine.

    Args:
        engine: Its name.
        values: Its settings by variable: what was set, and defaults.
        each: How many params call for one minion.
        access: What KEDA may learn elsewhere; nothing by default.

    Raises:
        SettingsError: KEDA cannot look at such a queue, or a setting is missing.
    """
    if engine is None:
        raise SettingsError(
            "--kind scaledjob: which engine? Set -e in the command of minionize, or --env MINION_ENGINE"
        )
    if engine not in TRIGGERS:
        known = ", ".join(sorted(TRIGGERS))
        why = _NO_BROKER.get(engine) or f"KEDA's trigger for it is not known{did_you_mean(engine, TRIGGERS)}"
        raise SettingsError(f"--kind scaledjob: engine {engine}: {why}; engines with a trigger are {known}")
    trigger = TRIGGERS[engine]
    for name in trigger.needed:
        if not values.get(name):
            raise SettingsError(
                f"--kind scaledjob: {name} must be set, by --env or in the environment, as a pod reaches it: "
                f"KEDA asks there"
            )
    return trigger.make(values, each, access or Access())


_NO_BROKER = dict.fromkeys(
    ("file", "execo", "memory"), "its queue is no server that KEDA could ask; take --kind job or deployment"
)


def _redis(values: Values, each: int, access: Access) -> Wanted:
    """Count the whole stream: entries that are done are deleted from it, so what is left is ready or in flight.

    The pending entries are only what was handed out, so there would never be a first minion; the lag is only what was
    never handed out, so what was given back would wait for ever.
    """
    hosts, parts = _redis_url(values["REDIS_URL"])
    asked = parse_qs(parts.query)
    path = [unquote(part) for part in parts.path.split("/") if part]
    metadata = {"stream": values["REDIS_STREAM"], "streamLength": str(each)}
    secrets: list[str] = []
    if parts.password or "password" in asked:
        metadata["passwordFromEnv"] = "REDIS_PASSWORD"
        secrets.append("REDIS_PASSWORD")
    if parts.username or "username" in asked:
        metadata["usernameFromEnv"] = "REDIS_USERNAME"
        secrets.append("REDIS_USERNAME")
    if parts.scheme in ("redis", "rediss"):
        place = {"address": _with_ports(hosts, 6379), "databaseIndex": _database(asked, path)}
        kind = "redis-streams"
    elif parts.scheme.endswith("+cluster"):
        place, kind = {"addresses": _with_ports(hosts, 6379)}, "redis-cluster-streams"
    elif parts.scheme.endswith("+sentinel") and path:
        place = {"addresses": _with_ports(hosts, 26379), "sentinelMaster": path[0]}
        place["databaseIndex"] = _database(asked, path[1:])
        kind = "redis-sentinel-streams"
    else:
        raise SettingsError(
            "--kind scaledjob: REDIS_URL: KEDA can ask redis://HOST/DB, rediss://HOST/DB, redis+cluster://HOST and "
            "redis+sentinel://HOST,HOST/NAME/DB only"
        )
    if parts.scheme.startswith("rediss"):
        place["enableTLS"] = "true"
    return Wanted(kind, {**place, **metadata}, tuple(secrets))


def _redis_url(url: str) -> tuple[str, SplitResult]:
    """Return the hosts, and all else: to the parser a list of hosts with an IPv6 address in it is no URL."""
    scheme, _, rest = url.partition("://")
    place = re.split("[/?#]", rest, maxsplit=1)[0]
    login, at, hosts = place.rpartition("@")
    try:
        if "@" in rest and not at:
            # A password with a slash in it, most likely: a part of it would be taken for the host.
            raise ValueError
        return hosts, urlsplit(f"{scheme}://{login}{at}host{rest[len(place) :]}")
    except ValueError:
        # What the parser says may hold the password.
        raise SettingsError(
            "--kind scaledjob: REDIS_URL is no URL: write special characters, of a password say, as %XX"
        ) from None


def _with_ports(hosts: str, port: int) -> str:
    """Return all hosts with a port each: KEDA knows no default."""
    found = []
    for host in hosts.split(","):
        if not host or host.startswith(":"):
            raise SettingsError("--kind scaledjob: REDIS_URL names no host: write one, as a pod reaches it")
        # The colons of an IPv6 address are in brackets.
        has_port = host.rpartition("]")[2].partition(":")[2]
        found.append(host if has_port else f"{host.rstrip(':')}:{port}")
    return ",".join(found)


def _database(asked: Mapping[str, list[str]], path: list[str]) -> str:
    """Return its number as redis-py finds it: behind the "?", else in the path, where what is no number is none."""
    if "db" not in asked:
        words = "".join(path)
        return words if words.isdecimal() else "0"
    words = asked["db"][0]
    if not words.isdecimal():
        raise SettingsError(f"--kind scaledjob: REDIS_URL: db={words} is no number of a database: write /DB, or ?db=DB")
    return words


def _rabbitmq(values: Values, each: int, access: Access) -> Wanted:
    """Count what is ready, by AMQP: the server tells no more there."""
    has_variable = bool(values.get("RABBITMQ_URL")) or access.secret
    if not has_variable and not access.auth:
        raise SettingsError(
            "--kind scaledjob: RABBITMQ_URL: KEDA must know where the server is: give --env RABBITMQ_URL=..., as a pod "
            "reaches it; --secret NAME of a Secret that holds RABBITMQ_URL; or --trigger-auth NAME of a "
            "TriggerAuthentication that holds it as host"
        )
    metadata = {
        **({"hostFromEnv": "RABBITMQ_URL"} if has_variable else {}),
        "protocol": "amqp",
        "queueName": values["RABBITMQ_QUEUE"],
        "mode": "QueueLength",
        "value": str(each),
    }
    secrets = ("RABBITMQ_URL",) if access.secret and not values.get("RABBITMQ_URL") else ()
    return Wanted("rabbitmq", metadata, secrets, strategy="accurate")


def _kafka(values: Values, each: int, access: Access) -> Wanted:
    """Count the lag of the group: what is committed is done."""
    metadata = {
        "bootstrapServers": values["KAFKA_BOOTSTRAP"],
        "consumerGroup": values["KAFKA_GROUP"],
        "topic": values["KAFKA_TOPIC"],
        "lagThreshold": str(each),
        "offsetResetPolicy": "earliest",
    }
    if "KAFKA_CONFIG" not in access.named:
        return Wanted("kafka", metadata)
    remark = (
        "KEDA does not read the file KAFKA_CONFIG: if the brokers want SASL or TLS, the TriggerAuthentication "
        "(--trigger-auth) must hold sasl, tls, username, password, ca and the like."
    )
    return Wanted("kafka", metadata, remarks=(remark,))


def _pulsar(values: Values, each: int, access: Access) -> Wanted:
    """Count the backlog of the subscription, which holds what is in flight."""
    topic = values["PULSAR_TOPIC"].removeprefix("persistent://")
    if "://" in topic:
        raise SettingsError(
            "--kind scaledjob: PULSAR_TOPIC: must be NAME or persistent://TENANT/NAMESPACE/NAME: other topics keep "
            "nothing"
        )
    metadata = {
        "adminURL": values["PULSAR_ADMIN"],
        "topic": f"persistent://{topic}" if topic.count("/") == 2 else f"persistent://public/default/{topic}",
        "subscription": values["PULSAR_SUBSCRIPTION"],
        "msgBacklogThreshold": str(each),
    }
    if "PULSAR_TOKEN" in access.named:
        if not access.auth:
            raise SettingsError(
                "--kind scaledjob: PULSAR_TOKEN: KEDA must have the token too: put it as bearerToken into a "
                "TriggerAuthentication, and give --trigger-auth NAME"
            )
        metadata["authModes"] = "bearer"
    return Wanted("pulsar", metadata)


def _google(values: Values, each: int, access: Access) -> Wanted:
    """Count what is not acknowledged. Google's metrics tell it with a delay of minutes."""
    subscription = f"projects/{values['GOOGLE_PROJECT_ID']}/subscriptions/{values['GOOGLE_SUBSCRIPTION']}"
    metadata = {"subscriptionName": subscription, "mode": "SubscriptionSize", "value": str(each)}
    remark = (
        "KEDA needs rights of its own to ask Pub/Sub: make a TriggerAuthentication, and give --trigger-auth NAME; "
        "without one it starts no minion."
    )
    return Wanted("gcp-pubsub", metadata, remarks=() if access.auth else (remark,))


TRIGGERS: dict[str, Trigger] = {
    "redis": Trigger(("REDIS_URL", "REDIS_STREAM"), _redis, "entries of the stream: ready and in flight"),
    "rabbitmq": Trigger(("RABBITMQ_QUEUE",), _rabbitmq, "messages of the queue that are ready"),
    "kafka": Trigger(("KAFKA_BOOTSTRAP", "KAFKA_TOPIC"), _kafka, "lag of the consumer group: ready and in flight"),
    "pulsar": Trigger(("PULSAR_ADMIN", "PULSAR_TOPIC"), _pulsar, "backlog of the subscription: ready and in flight"),
    "google": Trigger(
        ("GOOGLE_PROJECT_ID", "GOOGLE_SUBSCRIPTION"), _google, "messages of the subscription: ready and in flight"
    ),
}
