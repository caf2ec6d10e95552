"""Charliecloud: ``ch-run`` becomes the program, in namespaces of its own; no root, no daemon, no limits."""

from __future__ import annotations

import os
import pwd
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from minionize.callback import Command, Meaning
from minionize.containers.client import SHELL, ask, find_client, is_there, plain_image, plain_variables, plain_volumes
from minionize.containers.container import Container
from minionize.containers.kind import Kind
from minionize.errors import CallbackError, SettingsError
from minionize.task import Task

__all__ = ["Charliecloud"]

# By which ch-run says that it failed itself, in older versions and newer ones; any program may too.
_OWN = (1, 31)
_LIMITS = "charliecloud limits nothing; set limits where the minion is started: in the job, or by systemd-run"


class Charliecloud(Kind):
    """Runs ``ch-run``: all processes of a run are the minion's descendants, and end as those of any program."""

    name = "charliecloud"
    program = "ch-run"
    package = "charliecloud"

    def __init__(self, container: Container) -> None:
        """Keep the container.

        Raises:
            SettingsError: Charliecloud cannot do what is asked for.
        """
        super().__init__(container)
        plain_image(container)
        plain_variables(container, self.name)
        plain_volumes(container, self.name, ":")
        for option, value, why in (
            ("--cpus", container.cpus, _LIMITS),
            ("--memory", container.memory, _LIMITS),
            ("--gpus", container.gpus, "charliecloud shows all devices of the host; the driver's files: ch-fromhost"),
            ("--volume with :ro", _first_readonly(container), "charliecloud cannot mount read-only"),
            ("--pull always", container.pull == "always" or None, "charliecloud fetches nothing; run ch-image pull"),
        ):
            if value is not None:
                raise SettingsError(f"{option}: {why}")
        if container.network not in (None, "host"):
            raise SettingsError(f"--network {container.network}: charliecloud has the host's network only")
        if container.user is not None and not re.fullmatch(r"\d+(:\d+)?", container.user):
            raise SettingsError(f"--user {container.user}: charliecloud wants numbers, UID or UID:GID")
        self._shell: tuple[str, ...] = ()
        self._place: str | None = None
        # ch-run does not start without it.
        self._user = {"USER": _user_name()}

    def check(self, environ: Mapping[str, str]) -> None:
        """Run nothing in such a container, which finds what is wrong.

        Raises:
            CallbackError: Charliecloud or the image is missing, or an option cannot be met.
        """
        find_client(self.program, f"on Debian: apt install {self.package}", environ)
        answer = ask((*self._words(), "/bin/sh", "-c", ":"), {**environ, **self._user})
        if answer.code == 0:
            self._shell = SHELL
        # The program is started at last.
        elif "execve" not in answer.err:
            raise CallbackError(f"ch-run cannot run {self.container.image}: {_plain(answer.last)}{self._remedy()}")
        places = (self.container.image, _stored(self.container.image, {**environ, **self._user}))
        self._place = next(filter(is_there, places), None)

    def _remedy(self) -> str:
        image = self.container.image
        if os.path.exists(image):
            return ""
        return f"; there is no directory {image}. If it is the name of an image: ch-image pull {image}"

    def meaning(self, code: int | None, number: int | None) -> Meaning | None:
        """Tell that the image is gone, which was there; else what ch-run exits with is the program's."""
        if code not in _OWN or self._place is None or is_there(self._place):
            return None
        return Meaning(f"exit code {code}: the image is gone: {self._place}", True)

    def wrap(self, command: Command, task: Task) -> Command:
        """Turn a command into ``ch-run``."""
        argv = (*self._words(), *self._shell, *command.argv)
        return replace(command, argv=argv, env={**self._user, **self.container.env, **command.env})

    def _words(self) -> tuple[str, ...]:
        return (self.program, *self._options(), self.container.image, "--")

    def _options(self) -> Iterator[str]:
        for volume in self.container.volumes:
            yield f"--bind={volume.source}:{volume.target}"
        if self.container.workdir is not None:
            yield f"--cd={self.container.workdir}"
        if self.container.user is not None:
            uid, _, gid = self.container.user.partition(":")
            yield f"--uid={uid}"
            if gid:
                yield f"--gid={gid}"


def _stored(image: str, environ: Mapping[str, str]) -> str:
    """Tell where ch-image keeps an image."""
    storage = environ.get("CH_IMAGE_STORAGE") or f"/var/tmp/{environ['USER']}.ch"
    return os.path.join(storage, "img", image.replace("/", "%").replace(":", "+"))


def _user_name() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def _first_readonly(container: Container) -> str | None:
    return next((volume.source for volume in container.volumes if volume.readonly), None)


def _plain(line: str) -> str:
    """Leave out where in ch-run's source an error was found."""
    return re.sub(r"^ch-run\[\d+\]: (error: )?|\s*\(\w+\.c:\d+( \d+)?\)$", "", line)
