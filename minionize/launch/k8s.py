"""Kubernetes: a Job, a Deployment, or a ScaledJob of KEDA; ``kubectl``."""

from __future__ import annotations

import json
import math
import re
import signal
from typing import Any

from minionize.console import say
from minionize.errors import ExitCode, SettingsError
from minionize.launch.k8s_options import OPTIONS, port
from minionize.launch.keda import Access, Wanted, trigger_for
from minionize.launch.launcher import Launcher, LaunchError, Started, call
from minionize.launch.pod import Pod
from minionize.launch.script import made_by
from minionize.launch.times import check_fits, clock, time_of
from minionize.launch.variables import Variable, is_secret, names_this_host
from minionize.urls import shown

__all__ = ["Kubernetes"]

_REMEDY = "without --submit the manifest is printed: copy it to where kubectl is, and give it to kubectl apply -f"
# What stands behind these is the name of a secret.
_NAMES_OF_SECRETS = ("--secret", "--token-secret", "--pull-secret")

_HOOK = "preStop: what ends in time is finished. TERM: the first process, minionize, gives back the rest."

_MARGIN = 20
"""Seconds that a minion needs beside --grace to give back and leave."""

_IDLE = {"job": "90", "scaledjob": "30"}
"""Seconds after which a minion leaves an empty queue: a broker's queue never ends by itself. That of a Job may take the
place of one that was killed, whose params come back when their lease is over; for these KEDA starts another."""


class Kubernetes(Launcher):
    """Writes the manifest: minions, and a headless Service by whose name ``mtop`` finds them."""

    name = "k8s"
    help = "Kubernetes: a Job, a Deployment, or a ScaledJob of KEDA."
    name_rule = (
        re.compile(r"[a-z]([-a-z0-9]{0,48}[a-z0-9])?"),
        "a small letter, then small letters, digits, -; at most 50",
    )
    options = OPTIONS

    @classmethod
    def fit(cls, words: str) -> str:
        """Make a name that Kubernetes takes."""
        return re.sub(r"[^a-z0-9]+", "-", words.lower())[:50].rstrip("-")

    # Writing.

    def render(self) -> str:
        """Write the manifest."""
        import yaml

        if not self.config["image"]:
            raise SettingsError("--image must be given: an image with minionize and the program in it")
        for word in (*self.fleet.command, *(each.value or "" for each in self.fleet.env)):
            if not word.isascii() and word != word.encode(errors="replace").decode():
                raise SettingsError(f"{word!a}: a manifest is a text in UTF-8, and cannot hold these bytes")
        texts = [yaml.safe_dump(each, sort_keys=False, width=120, allow_unicode=True) for each in self.documents()]
        remarks = [f"# {each}" for each in (*([_HOOK] if self.config["drain"] else ()), *self._remarks())]
        return "\n".join([made_by(self.fleet.line, _NAMES_OF_SECRETS), *remarks]) + "\n" + "---\n".join(texts)

    def documents(self) -> list[dict[str, Any]]:
        """Return the objects, as Kubernetes wants them.

        Raises:
            SettingsError: Something that was set cannot be used.
        """
        kind = {"job": self._job, "deployment": self._deployment, "scaledjob": self._scaled_job}[self.config["kind"]]
        return [kind()] if self._port() is None else [kind(), self._service()]

    def _remarks(self) -> list[str]:
        """Return what whoever applies the manifest must see to, or may want to know."""
        found = []
        if self._port() is not None:
            found.append(f"To watch, from a pod of the cluster: mtop dns+http://{self.fleet.name}:{self._port()}")
        names = self._secret_variables()
        if names:
            found.append(f"The Secret {self.config['secret'][0]} must hold: {', '.join(names)}.")
        if self.config["kind"] == "scaledjob":
            found += self._trigger().remarks
        return [*found, *self._unset()]

    def _object(self, version: str, kind: str, spec: dict[str, Any]) -> dict[str, Any]:
        metadata: dict[str, Any] = {"name": self.fleet.name, "labels": self._labels()}
        if self.config["namespace"]:
            metadata["namespace"] = self.config["namespace"]
        return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}

    def _labels(self) -> dict[str, str]:
        return {
            **self._selector(),
            "app.kubernetes.io/component": "minion",
            "app.kubernetes.io/managed-by": "minion-launch",
        }

    def _selector(self) -> dict[str, str]:
        return {"app.kubernetes.io/name": "minionize", "app.kubernetes.io/instance": self.fleet.name}

    def _job(self) -> dict[str, Any]:
        """A Job that is done when so many minions have left an empty queue.

        Without completions none would be replaced any more once the first has left, and what the last one held when it
        was killed would stay. A minion that has given up params exits with 1 and is replaced by one that finds nothing
        more. The others must not be killed for that: so more failures are allowed than there are minions.
        """
        return self._object("batch/v1", "Job", self._job_spec(self.fleet.minions))

    def _job_spec(self, pods: int) -> dict[str, Any]:
        if limit := time_of(self.fleet, "max_lifetime"):
            check_fits(self.fleet, limit, f"--max-lifetime {self.fleet.setting('max_lifetime')}")
        spec: dict[str, Any] = {"completions": pods, "parallelism": pods, "backoffLimit": pods + 6}
        if limit := self.fleet.walltime:
            check_fits(self.fleet, limit, f"--walltime {clock(limit)}")
            spec["activeDeadlineSeconds"] = limit
        # Settings that are wrong stay so; one that was told to go, or whose node goes away, is nobody's failure.
        spec["podFailurePolicy"] = {
            "rules": [
                _on_exit("FailJob", ExitCode.USAGE),
                _on_exit("Ignore", ExitCode.RESUBMIT, 128 + signal.SIGTERM),
                {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
            ]
        }
        return {**spec, "template": self._pod("Never").template()}

    def _deployment(self) -> dict[str, Any]:
        if self.fleet.walltime is not None:
            raise SettingsError("--walltime: a Deployment has none; take --kind job")
        if self.fleet.setting("exit_when_empty") is not None:
            raise SettingsError(
                "--exit-when-empty: a Deployment would start minions that leave again and again; take --kind job"
            )
        spec = {
            "replicas": self.fleet.minions,
            "selector": {"matchLabels": self._selector()},
            "template": self._pod("Always").template(),
        }
        return self._object("apps/v1", "Deployment", spec)

    def _scaled_job(self) -> dict[str, Any]:
        wanted = self._trigger()
        trigger: dict[str, Any] = {"type": wanted.type, "metadata": dict(wanted.metadata)}
        if self.config["trigger_auth"]:
            trigger["authenticationRef"] = {"name": self.config["trigger_auth"]}
        spec = {
            "jobTargetRef": self._job_spec(1),
            "pollingInterval": 10,
            "maxReplicaCount": self.fleet.minions,
            "successfulJobsHistoryLimit": 5,
            "failedJobsHistoryLimit": 5,
            # Minions that run stay as they are when this is changed.
            "rollout": {"strategy": "gradual"},
            "scalingStrategy": {"strategy": wanted.strategy},
            "triggers": [trigger],
        }
        return self._object("keda.sh/v1alpha1", "ScaledJob", spec)

    def _service(self) -> dict[str, Any]:
        ports = [{"name": "http", "port": self._port(), "targetPort": "http"}]
        return self._object("v1", "Service", {"clusterIP": "None", "selector": self._selector(), "ports": ports})

    def _pod(self, restart: str) -> Pod:
        config = self.config
        if self.fleet.setting("on_stop") == "finish":
            raise SettingsError(
                "--on-stop finish: a pod is killed when its grace period is over; give --drain SECONDS instead: for so "
                "long one that is to go finishes what runs"
            )
        env = [*self.fleet.env, *self._engine_variables()]
        if self.config["kind"] != "deployment" and self.fleet.setting("exit_when_empty") is None:
            env.append(Variable("MINION_EXIT_WHEN_EMPTY", _IDLE[self.config["kind"]]))
        return Pod(
            image=config["image"],
            command=self.fleet.command,
            env=[each for each in env if each.value is not None],
            labels=self._labels(),
            port=self._port(),
            drain=self.config["drain"],
            grace=math.ceil(time_of(self.fleet, "grace") or 0.0) + _MARGIN,
            uid=config["uid"],
            restart=restart,
            limits={key: config[key] for key in ("cpu", "memory") if config[key] is not None},
            secrets=config["secret"],
            token=config["token_secret"],
            pull_secrets=config["pull_secret"],
        )

    def _port(self) -> int | None:
        """Return the port of the minions' servers; None if they have none."""
        if self.fleet.said.get("server") is False:
            return None
        try:
            return port(self.fleet.setting("port") or self.config["port"])
        except ValueError as error:
            raise SettingsError(f"--port of minionize: {error}") from None

    # The queue.

    def _engine(self) -> str | None:
        return self.fleet.setting("engine") or self.fleet.environ.get("MINION_ENGINE") or None

    def _values(self) -> dict[str, str]:
        """Return the settings of the engine by variable. An address on this host, as defaults are, is none for KEDA."""
        engine = self._engine()
        if engine is None:
            return {}
        from minionize.plugins import engine_settings

        said = {each.name: each.value for each in self.fleet.env if each.value is not None}
        values = {**self.fleet.environ, **said}
        found = {each.env: values.get(each.env) or each.default for each in engine_settings(engine) if each.env}
        return {name: str(value) for name, value in found.items() if value and not names_this_host(str(value))}

    def _engine_variables(self) -> list[Variable]:
        """Return what the environment here says of the engine, unless --env does: a pod has no other way to know.

        Raises:
            SettingsError: It says that the server is on this host, which to a pod is the pod itself.
        """
        engine, named = self._engine(), {each.name for each in self.fleet.env}
        if engine is None:
            return []
        from minionize.plugins import engine_settings

        names = ["MINION_ENGINE", *(each.env for each in engine_settings(engine) if each.env)]
        said = {name: self.fleet.environ.get(name, "") for name in names if name not in named}
        found = [Variable(name, None if is_secret(name, value) else value) for name, value in said.items() if value]
        for each in found:
            # What is secret comes from the Secret, whatever it is here.
            if each.value is not None and names_this_host(each.value):
                place = shown(each.value) if "://" in each.value else each.value
                raise SettingsError(
                    f"{each.name} is {place} here, which no pod reaches: give --env {each.name}=..., as it is "
                    f"reached from a pod"
                )
        return found

    def _unset(self) -> list[str]:
        """Tell which addresses of the queue nobody has set, so that minions look for it in their pod."""
        engine = self._engine()
        if engine is None or self.config["secret"]:
            return []
        from minionize.plugins import engine_settings

        named = {each.name for each in (*self.fleet.env, *self._engine_variables())}
        return [
            f"{each.env} is not set: minions look for {each.default} in their own pod; give --env {each.env}=..."
            for each in engine_settings(engine)
            if each.env and each.env not in named and names_this_host(str(each.default))
        ]

    def _trigger(self) -> Wanted:
        variables = (*self.fleet.env, *self._engine_variables())
        given = {each.name for each in variables if each.value is not None}
        # The address of a secret is taken from here; one of this host, of a tunnel say, is not that in the Secret.
        values = {name: value for name, value in self._values().items() if name in given or not names_this_host(value)}
        access = Access(
            named=frozenset(each.name for each in variables if each.value != ""),
            secret=bool(self.config["secret"]),
            auth=bool(self.config["trigger_auth"]),
        )
        return trigger_for(self._engine(), values, self.config["per_minion"], access)

    def _secret_variables(self) -> list[str]:
        """Return what must come from the Secret.

        Raises:
            SettingsError: There is something, and no Secret was named.
        """
        found = [each.name for each in (*self.fleet.env, *self._engine_variables()) if each.value is None]
        if self.config["kind"] == "scaledjob" and not self.config["trigger_auth"]:
            found += [name for name in self._trigger().secrets if name not in found]
        if found and not self.config["secret"]:
            raise SettingsError(
                f"{', '.join(found)}: secret, so not written into the manifest; put it into a Secret "
                f"(kubectl create secret generic NAME --from-env-file=FILE) and give --secret NAME"
            )
        return found

    # Doing.

    def submit(self) -> str:
        """Apply the manifest."""
        said = _kubectl("apply", "-f", "-", stdin=self.render(), remedy=_REMEDY)
        for remark in self._remarks():
            say(remark, "minion-launch")
        return said

    def started(self) -> list[Started]:
        """Ask for the pods."""
        said = _kubectl("get", "pods", *self._where(), "-o", "json", remedy="ask where kubectl is")
        try:
            return [_started(each) for each in json.loads(said)["items"]]
        except (ValueError, KeyError, TypeError):
            raise LaunchError(f"kubectl does not answer with a list of pods: {said[:200]}") from None

    def stop(self) -> str:
        """Delete what was made, of whatever kind; its pods get TERM."""
        where, remedy = self._where(), "stop them where kubectl is"
        # First, for it starts Jobs. A cluster without KEDA knows none.
        scaled = self.config["kind"] == "scaledjob"
        said = _kubectl("delete", "scaledjobs.keda.sh", *where, remedy=remedy, quiet=not scaled)
        return said + _kubectl("delete", "job,deployment,service", *where, remedy=remedy)

    def _where(self) -> list[str]:
        namespace = ["--namespace", self.config["namespace"]] if self.config["namespace"] else []
        return [*namespace, "-l", ",".join(f"{key}={value}" for key, value in self._selector().items())]


def _kubectl(*words: str, stdin: str = "", remedy: str, quiet: bool = False) -> str:
    # Where there is no server, its log tells so five times, and then it tells it in words.
    return call(["kubectl", *words], stdin, remedy, quiet, noise=r"[IWEF]\d{4} [\d:.]+ +\d+ \S+\] ")


def _on_exit(action: str, *codes: int) -> dict[str, Any]:
    """Make a rule for the minion's exit codes."""
    which = {"containerName": "minion", "operator": "In", "values": [int(code) for code in codes]}
    # No conditions; but before Kubernetes 1.29 the field has to be there.
    return {"action": action, "onExitCodes": which, "onPodConditions": []}


def _started(pod: dict[str, Any]) -> Started:
    deleted = "deletionTimestamp" in pod["metadata"]
    state = "Terminating" if deleted else str(pod.get("status", {}).get("phase", "Unknown"))
    return Started(str(pod["metadata"]["name"]), state, str(pod.get("spec", {}).get("nodeName", "")))
