"""The tables of minion-launch's reference, and the files of ``deploy/`` that it writes."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from click.testing import CliRunner

from minionize.cli.launch import COMMON, main
from minionize.launch import SCHEDULERS, load_launcher
from minionize.launch.keda import TRIGGERS, trigger_for
from minionize.setting import Setting

Row = Sequence[Any]

_REDIS = "--env REDIS_URL=redis://redis:6379/0 --env REDIS_STREAM=params"
_RABBITMQ = "--env RABBITMQ_URL=amqp://rabbitmq:5672/ --env RABBITMQ_QUEUE=params"
_KAFKA = "--env KAFKA_BOOTSTRAP=kafka:9092 --env KAFKA_TOPIC=params"
_PULSAR = "--env PULSAR_CONNECTION=pulsar://pulsar:6650 --env PULSAR_ADMIN=http://pulsar:8080 --env PULSAR_TOPIC=params"
_GOOGLE = (
    "--env GOOGLE_PROJECT_ID=you-42 --env GOOGLE_TOPIC_ID=params --env GOOGLE_SUBSCRIPTION=minions "
    "--trigger-auth google"
)
_POD = "-n 10 --name minions --image registry.example.org/you/app:1 --cpu 1 --memory 1Gi"

_BATCH = "-n 10 --name minions --walltime 2h -- minionize --slots auto ./a.out"

FILES = {
    "oar/minions.sh": f"minion-launch oar {_BATCH}",
    "slurm/minions.sh": f"minion-launch slurm --cpus 4 {_BATCH}",
    "ssh/minions.sh": "minion-launch ssh --host node1 --host node2 -n 2 --name minions --directory /home/you/sweep "
    "-- minionize --slots auto ./a.out",
    "kubernetes/job.yaml": f"minion-launch k8s {_POD} {_REDIS} -- minionize -e redis ./a.out",
    "kubernetes/deployment.yaml": f"minion-launch k8s --kind deployment {_POD} {_REDIS} -- minionize -e redis ./a.out",
    **{
        f"kubernetes/scaledjob-{engine}.yaml": f"minion-launch k8s --kind scaledjob {_POD} {env} -- "
        f"minionize -e {engine} ./a.out"
        for engine, env in (
            ("redis", _REDIS),
            ("rabbitmq", _RABBITMQ),
            ("kafka", _KAFKA),
            ("pulsar", _PULSAR),
            ("google", _GOOGLE),
        )
    },
}
"""Each file of ``deploy/`` that is made here, and by what."""

_OURS = ("MINION", *(f"{engine.upper()}_" for engine in TRIGGERS))


def written(line: str) -> str:
    """Return what a command line of minion-launch prints where nothing is set."""
    clean = {name: None for name in os.environ if name.startswith(_OURS)}
    result = CliRunner().invoke(main, shlex.split(line)[1:], env=clean)
    if result.exit_code:
        raise ValueError(f"{line}: {result.stderr}")
    return result.stdout


def common() -> Iterator[Row]:
    """The options of every scheduler."""
    return _options(COMMON)


def of_scheduler(name: str) -> Iterator[Row]:
    """The options of one scheduler."""
    return _options(load_launcher(name).options)


def schedulers() -> Iterator[Row]:
    """The schedulers."""
    yield ("scheduler", "")
    for name in SCHEDULERS:
        yield (f"`{name}`", load_launcher(name).help)


def triggers() -> Iterator[Row]:
    """What KEDA counts for each engine."""
    yield ("engine", "KEDA's trigger", "counts", "must be set where the manifest is made")
    for name, trigger in TRIGGERS.items():
        values = {variable: "redis://x" if variable == "REDIS_URL" else "x" for variable in _variables(name)}
        kind = trigger_for(name, values, 1).type
        yield (f"`{name}`", f"`{kind}`", trigger.help, ", ".join(f"`{each}`" for each in trigger.needed))


def _variables(engine: str) -> list[str]:
    from minionize.plugins import engine_settings

    return [each.env for each in engine_settings(engine)]


def _options(table: Iterable[Setting]) -> Iterator[Row]:
    yield ("option", "default", "")
    for each in table:
        flags = ", ".join(f"`{flag}`" for flag in each.flags)
        shown = "" if each.default in (None, ()) or isinstance(each.default, bool) else f"`{each.default}`"
        yield (f"{flags} {f'`{each.metavar}`' if each.metavar else ''}".strip(), shown, each.help)
