"""What Kubernetes can be told on the command line, and what it takes: what it would refuse is refused here."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from minionize.setting import Setting, choice, integer

__all__ = ["KINDS", "OPTIONS", "port"]

KINDS = ("job", "deployment", "scaledjob")

_QUANTITY = re.compile(r"[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?")
_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_NAMESPACE = re.compile(rf"(?=.{{1,63}}$){_LABEL}")
_NAME = re.compile(rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})*")
_PART = r"[a-z0-9]+((\.|__?|-+)[a-z0-9]+)*"
_IMAGE = re.compile(
    rf"(([A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\])(:[0-9]+)?/)?{_PART}(/{_PART})*(:\w[\w.-]{{0,127}})?"
    r"(@[A-Za-z][\w+.-]*:[0-9a-fA-F]{32,})?",
    re.ASCII,
)


def _fits(pattern: re.Pattern[str], words: str) -> Callable[[Any], str]:
    def parse(value: Any) -> str:
        if not pattern.fullmatch(str(value)):
            raise ValueError(f"must be {words}")
        return str(value)

    return parse


def _between(least: int, most: int, why: str = "") -> Callable[[Any], int]:
    def parse(value: Any) -> int:
        number = integer(0)(value)
        if not least <= number <= most:
            raise ValueError(f"must be between {least} and {most}{why}")
        return number

    return parse


_quantity = _fits(_QUANTITY, "a quantity of Kubernetes: 2, 500m, 4Gi")
_resource_name = _fits(_NAME, "a name of Kubernetes: small letters, digits, - and .")

port = _between(1024, 65535, ": minions are not root")
"""Parses the port of a server."""

OPTIONS = (
    Setting(
        "kind",
        "",
        choice(*KINDS),
        "job",
        "A Job works a queue off; a Deployment waits for more; a ScaledJob is started by KEDA as params come.",
        ("--kind",),
        "|".join(KINDS),
        choices=KINDS,
    ),
    Setting(
        "image",
        "",
        _fits(_IMAGE, "the name of an image, without blanks: registry.example.org/you/app:1"),
        None,
        "The image, with minionize and the program in it.",
        ("--image",),
        "IMAGE",
    ),
    Setting(
        "namespace",
        "",
        _fits(_NAMESPACE, "a name of Kubernetes: small letters, digits and -; at most 63"),
        None,
        "The namespace.",
        ("--namespace",),
        "NAME",
    ),
    Setting("cpu", "", _quantity, None, "CPUs of each minion: 2, 500m.", ("--cpu",), "QUANTITY"),
    Setting("memory", "", _quantity, None, "Memory of each minion: 4Gi.", ("--memory",), "QUANTITY"),
    Setting(
        "secret",
        "",
        _resource_name,
        (),
        "A Secret whose keys are variables of the minions.",
        ("--secret",),
        "NAME",
        many=True,
    ),
    Setting("token_secret", "", _resource_name, None, "A Secret with the minions' token.", ("--token-secret",), "NAME"),
    Setting(
        "pull_secret",
        "",
        _resource_name,
        (),
        "A Secret with which to pull the image.",
        ("--pull-secret",),
        "NAME",
        many=True,
    ),
    Setting("port", "", port, 9464, "Port of the minions' servers.", ("--port",), "N"),
    Setting(
        "drain",
        "",
        integer(0),
        10,
        "For how long a pod that is to go may finish what runs; the rest is given back.",
        ("--drain",),
        "SECONDS",
    ),
    Setting("uid", "", _between(1, 2**31 - 1), 65532, "User id of the minions.", ("--uid",), "N"),
    Setting("per_minion", "", integer(1), 1, "ScaledJob: so many params call for one minion.", ("--per-minion",), "N"),
    Setting(
        "trigger_auth",
        "",
        _resource_name,
        None,
        "ScaledJob: a TriggerAuthentication with which KEDA asks the queue.",
        ("--trigger-auth",),
        "NAME",
    ),
)
