"""Podman: runs containers by its command line, as root or as any user; there is no daemon."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from minionize.callback import Command, Meaning
from minionize.child import find_program
from minionize.console import say
from minionize.containers.client import NO_PROGRAM, Answer, ask, find_client, killed, plain_image
from minionize.containers.container import LABEL, Container, left_behind
from minionize.containers.kind import Kind
from minionize.containers.runline import run_line
from minionize.errors import CallbackError, SettingsError
from minionize.host import new_minion_id
from minionize.task import Task

__all__ = ["Podman"]

# Programs that can be a container's init: they need no library of the image. The last has no exit code of its own
# for a program that is not there. Podman itself looks for that only, outside of PATH.
_INITS = ("tini-static", "docker-init", "catatonit")
_NO_IMAGE = "image not known"
_NO_INIT = "container-init binary not found"
_NO_PROGRAM = "failed to exec pid1"
# What the client itself obeys. Go's own, and where it looks for configuration, sockets and certificates.
_CLIENTS = re.compile(
    r"PATH|HOME|USER|TMPDIR|GODEBUG|GOTRACEBACK|GOMAXPROCS|GOGC|NOTIFY_SOCKET|DOCKER_CONFIG|SSL_CERT_(FILE|DIR)"
    r"|_?(XDG|LD|CONTAINERS?|PODMAN|STORAGE|BUILDAH|DBUS|REGISTRY|LISTEN)_\w+"
)
_REMOVE = ("podman", "rm", "--force", "--volumes", "--time", "0")
# Variables, options in containers.conf, and what the client was built for may all lead it elsewhere: only it knows.
_IS_ELSEWHERE = ("podman", "info", "--format", "{{.Host.ServiceIsRemote}}")


class Podman(Kind):
    """Runs ``podman run``, a process for each run; the container is another's child, so it is removed by its labels."""

    name = "podman"
    program = "podman"
    package = "podman"
    relabels = True

    def __init__(self, container: Container) -> None:
        """Keep the container.

        Raises:
            SettingsError: The image has no fit name, or a variable cannot be handed over.
        """
        super().__init__(container)
        plain_image(container)
        self._apart = {name: value for name, value in container.env.items() if _is_apart(name)}
        for name, value in self._apart.items():
            if "\n" in value:
                raise SettingsError(f"--env {name}: podman takes no value of several lines for this variable")
        rest = {name: value for name, value in container.env.items() if name not in self._apart}
        self._container = replace(container, env=rest)
        self._init: tuple[str, ...] = ()
        self._here = True

    def check(self, environ: Mapping[str, str]) -> None:
        """Run nothing in such a container, which finds what is wrong; fetch the image; remove what is left.

        Raises:
            CallbackError: Podman, an init or the image is missing, or an option cannot be met.
        """
        find_client(self.program, f"on Debian: apt install {self.package}", environ)
        self._here = _told(_IS_ELSEWHERE, environ).strip() == "false"
        self._clear(environ)
        self._init = _init_option(environ)
        answer = self._try(environ, "always" if self.container.pull == "always" else "never")
        if self.container.pull == "missing" and answer.code == 125 and _NO_IMAGE in answer.err:
            say(f"podman: image {self.container.image} is not here; fetching it")
            answer = self._try(environ, "missing")
        # The program that is not there is looked for at last.
        if answer.code != 127 and _NO_PROGRAM not in answer.err:
            raise CallbackError(f"podman cannot run {self.container.image}: {answer.last}{self._remedy(answer)}")
        for line in answer.err.splitlines():
            if "ignored" in line:  # limits, where a user who is not root cannot have any
                say(f"podman: {line.strip()}")

    def _try(self, environ: Mapping[str, str], pull: str) -> Answer:
        minion = new_minion_id()
        task = Task(param="check", id="check", attempt=1, redelivered=None, slot=0, seq=0, minion=minion)
        command = self._run(Command(()), task, pull, "--entrypoint", NO_PROGRAM)
        return ask(command.argv, {**environ, **command.env})

    def _remedy(self, answer: Answer) -> str:
        if self.container.pull == "never" and _NO_IMAGE in answer.err:
            return "; fetch it (podman pull), or leave --pull never out"
        if _NO_INIT in answer.err:
            return "; on Debian: apt install tini"
        if "unresolvable CDI devices" in answer.err:
            return "; describe the GPUs to podman first: nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml"
        return ""

    def _clear(self, environ: Mapping[str, str]) -> None:
        """Remove containers of minions of this host that have died."""
        argv = ("podman", "ps", "--all", "--filter", f"label={LABEL}.process", "--format", "json")
        found: list[dict[str, Any]] = json.loads(_told(argv, environ) or "[]") or []
        dead = list(left_behind({each["Id"]: each["Labels"] or {} for each in found}, self._here))
        if not dead:
            return
        removed = ask((*_REMOVE, *dead), environ)
        if removed.code != 0:
            say(f"podman: what dead minions left cannot be removed: {removed.last}")
            return
        say(f"podman: {len(dead)} container{'s' * (len(dead) > 1)} of dead minions removed")

    def wrap(self, command: Command, task: Task) -> Command:
        """Turn a command into ``podman run``."""
        # Fetched anew when the minion started, not for each run.
        return self._run(command, task, "missing" if self.container.pull == "always" else self.container.pull)

    def _run(self, command: Command, task: Task, pull: str, *more: str) -> Command:
        options = [*self._init, f"--pull={pull}", *_devices(self.container.gpus), *more]
        if self._here:
            # Else each container gets the proxies of this environment, with their passwords; one elsewhere cannot.
            options.append("--http-proxy=false")
        if self._apart:
            options += ["--env-file", "/dev/fd/3"]
        line = run_line(self.program, self._container, command, task, options, labelled=bool(task.minion))
        return _handing(line, self._apart) if self._apart else line

    def meaning(self, code: int | None, number: int | None) -> Meaning | None:
        """Tell podman's own failures; 126 and 127 mean what they do in a shell."""
        if number is not None:
            return Meaning(f"podman was ended by signal {number}, and its container with it", True)
        if code == 125:
            return Meaning("exit code 125: podman could not run the container; standard error says why", True)
        return Meaning(killed(self.container), False) if code == 137 else None

    def removal(self, minion: str, slot: int | None = None) -> tuple[str, ...]:
        """Tell the command line that removes the containers of a minion, or of one of its slots."""
        filters = [f"label={LABEL}.minion={minion}"]
        if slot is not None:
            filters.append(f"label={LABEL}.slot={slot}")
        return (*_REMOVE, *(word for each in filters for word in ("--filter", each)))


def _told(argv: tuple[str, ...], environ: Mapping[str, str]) -> str:
    """Ask the client; return what it prints.

    Raises:
        CallbackError: It fails.
    """
    answer = ask(argv, environ)
    if answer.code != 0:
        raise CallbackError(f"podman cannot be used: {answer.last}")
    return answer.out


def _is_apart(name: str) -> bool:
    """Tell whether a variable cannot be the client's, or not get there: the shell forgets names with a dot."""
    return "." in name or _CLIENTS.fullmatch(name) is not None


def _init_option(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Choose an init; none if podman is to find its own."""
    for name in _INITS:
        try:
            return ("--init-path", find_program(name, environ.get("PATH", os.defpath)))
        except OSError:
            continue
    return ()


def _devices(gpus: str | None) -> Iterator[str]:
    """Name GPUs as the Container Device Interface does: ``--gpus`` of older podmans does nothing."""
    if gpus is None:
        return
    which = gpus.removeprefix("device=").split(",")
    if gpus.isdecimal():
        which = [str(number) for number in range(int(gpus))]
    for each in which:
        yield from ("--device", f"nvidia.com/gpu={each}")


def _handing(command: Command, env: Mapping[str, str]) -> Command:
    """Hand variables to the container that must not be the client's: in a file that a shell makes of its own ones."""
    lines = "".join(f"{name}=$MINIONIZE_{number}\n" for number, name in enumerate(env))
    more = {f"MINIONIZE_{number}": value for number, value in enumerate(env.values())}
    argv = ("/bin/sh", "-c", f'exec "$@" 3<<_\n{lines}_\n', "sh", *command.argv)
    return replace(command, argv=argv, env={**command.env, **more})
