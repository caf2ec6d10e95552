"""The pod of a minion on Kubernetes: command, variables, probes, rights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from minionize.launch.variables import Variable

__all__ = ["Pod", "literal"]

_TOKENS = "/run/secrets/minion"


@dataclass(frozen=True, slots=True)
class Pod:
    """What a minion's pod is made of.

    Attributes:
        image: The image.
        command: The command line, every word as it was given.
        env: Its variables; those without a value come from the Secret.
        labels: Its labels.
        port: Where its server listens; None: it has none.
        drain: Seconds that runs may go on before TERM; 0: none.
        grace: Seconds from TERM to KILL.
        uid: As which user it runs.
        restart: When Kubernetes starts it again: "Always" or "Never".
        limits: CPU and memory.
        secrets: Secrets whose keys are variables.
        token: A Secret whose key ``token`` is the token of the minion's server.
        pull_secrets: Secrets with which the image is pulled.
    """

    image: str
    command: Sequence[str]
    env: Iterable[Variable]
    labels: Mapping[str, str]
    port: int | None
    drain: int
    grace: int
    uid: int
    restart: str
    limits: Mapping[str, str] = field(default_factory=dict)
    secrets: Sequence[str] = ()
    token: str | None = None
    pull_secrets: Sequence[str] = ()

    def template(self) -> dict[str, Any]:
        """Return it as Jobs and Deployments want it."""
        spec: dict[str, Any] = {
            "restartPolicy": self.restart,
            # The hook's time counts.
            "terminationGracePeriodSeconds": self.drain + self.grace,
            "automountServiceAccountToken": False,
            # Variables that Kubernetes makes of the names of Services may look like ours (MINION_PORT).
            "enableServiceLinks": False,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": self.uid,
                "runAsGroup": self.uid,
                "fsGroup": self.uid,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [self._container()],
        }
        if self.pull_secrets:
            spec["imagePullSecrets"] = [{"name": name} for name in self.pull_secrets]
        if self.token:
            spec["volumes"] = [{"name": "token", "secret": {"secretName": self.token, "defaultMode": 0o440}}]
        return {"metadata": {"labels": dict(self.labels)}, "spec": spec}

    def _container(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "name": "minion",
            "image": self.image,
            "command": [literal(word) for word in self.command],
            "env": [
                {"name": each.name, "value": literal(each.value)} for each in self._env() if each.value is not None
            ],
        }
        if self.secrets:
            found["envFrom"] = [{"secretRef": {"name": name}} for name in self.secrets]
        if self.port is not None:
            found["ports"] = [{"name": "http", "containerPort": self.port}]
            found |= _probes()
        if self.drain:
            # The first process of the container is minionize: at USR1 it takes no more. When it has left, the container
            # ends, and the hook with it; else TERM has it give back the rest.
            hook = f"kill -USR1 1; sleep {self.drain}"
            found["lifecycle"] = {"preStop": {"exec": {"command": ["/bin/sh", "-c", hook]}}}
        if self.limits:
            found["resources"] = {"requests": dict(self.limits), "limits": dict(self.limits)}
        if self.token:
            found["volumeMounts"] = [{"name": "token", "mountPath": _TOKENS, "readOnly": True}]
        found["securityContext"] = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
        return found

    def _env(self) -> list[Variable]:
        """Return the variables; what the user says goes before what a pod needs."""
        own = {"MINION_REGISTRY": "none"}
        if self.port is not None:
            own |= {"MINION_HOST": "0.0.0.0", "MINION_PORT": str(self.port)}
        if self.token:
            own["MINION_TOKEN_FILE"] = f"{_TOKENS}/token"
        said = list(self.env)
        named = {each.name for each in said}
        return [*(Variable(name, value) for name, value in own.items() if name not in named), *said]


def literal(words: str) -> str:
    """Write a text so that Kubernetes leaves it as it is: ``$(NAME)`` in it is no variable, ``$$`` stays two."""
    return words.replace("$", "$$") if "$(" in words or "$$" in words else words


def _probes() -> dict[str, Any]:
    def probe(**numbers: int) -> dict[str, Any]:
        return {"httpGet": {"path": "/healthz", "port": "http"}, "timeoutSeconds": 5, **numbers}

    return {
        "startupProbe": probe(periodSeconds=2, failureThreshold=60),
        "readinessProbe": probe(periodSeconds=10),
        "livenessProbe": probe(periodSeconds=30, failureThreshold=4),
    }
