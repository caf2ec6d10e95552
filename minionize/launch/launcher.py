"""CONTRACT: how minions are started on one kind of scheduler, shown, and stopped.

A launcher writes what the scheduler is given: a script, or a manifest. That alone starts nothing, so it can be read and
changed first. The other three acts call the scheduler's own programs.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from minionize.errors import ExitCode, MinionizeError, SettingsError
from minionize.launch.variables import Variable
from minionize.setting import Setting, from_values

__all__ = ["Fleet", "LaunchError", "Launcher", "Started", "call", "plain"]

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,49}")


class LaunchError(MinionizeError):
    """A scheduler's program is missing, or has refused what it was asked for."""

    exit_code = ExitCode.ENGINE


_PATIENCE = 300.0  # seconds that a scheduler's program may take: many a busy one needs its time


@dataclass(frozen=True, slots=True)
class Fleet:
    """The minions that are meant.

    Attributes:
        name: What they are called, on every scheduler.
        minions: How many.
        command: The command line of each, from ``minionize`` on; empty where only the name matters.
        said: What the options of minionize in that command line say, by key.
        env: Variables that each gets.
        walltime: Seconds; None: what the scheduler gives by itself.
        line: The command line of ``minion-launch``, for the comment in what it writes.
        cwd: Where ``minion-launch`` was called.
        environ: The environment in which it was called.
    """

    name: str
    minions: int = 1
    command: tuple[str, ...] = ()
    said: Mapping[str, Any] = field(default_factory=dict)
    env: tuple[Variable, ...] = ()
    walltime: int | None = None
    line: tuple[str, ...] = ()
    cwd: Path = Path(".")
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)

    def setting(self, key: str) -> str | None:
        """Return a setting of the minions: what their command line says, else their variable, else None."""
        if self.said.get(key) is not None:
            return str(self.said[key])
        return next((each.value for each in self.env if each.name == f"MINION_{key.upper()}"), None)


@dataclass(frozen=True, slots=True)
class Started:
    """One job, pod or process of a fleet, as its scheduler tells it.

    Attributes:
        id: What the scheduler calls it.
        state: The scheduler's own word.
        where: The host, or why there is none yet.
    """

    id: str
    state: str
    where: str = ""


class Launcher(ABC):
    """Starts a fleet on one kind of scheduler.

    Attributes:
        name: What the subcommand is called.
        help: One sentence for ``--help`` and the docs.
        options: What it can be told beside the fleet.
        name_rule: What a fleet may be called here, as a pattern and in words.
    """

    name: ClassVar[str]
    help: ClassVar[str]
    options: ClassVar[tuple[Setting, ...]] = ()
    name_rule: ClassVar[tuple[re.Pattern[str], str]] = (_NAME, "a letter, then letters, digits, . _ -; at most 50")

    def __init__(self, fleet: Fleet, **values: Any) -> None:
        """Take fleet and options; asks nobody.

        Raises:
            SettingsError: The fleet's name cannot be used here, or an option is wrong.
        """
        pattern, words = self.name_rule
        if not pattern.fullmatch(fleet.name):
            raise SettingsError(f"--name {fleet.name!r}: must be {words}")
        self.fleet = fleet
        self.config = from_values(self.name, self.options, values)

    @classmethod
    def fit(cls, words: str) -> str:
        """Make a name that can be used here out of one that was not chosen by anybody."""
        return re.sub(r"[^A-Za-z0-9._-]+", "-", words)[:50].rstrip("-._")

    @abstractmethod
    def render(self) -> str:
        """Write the script or manifest.

        Raises:
            SettingsError: Something that was set cannot be used.
        """

    @abstractmethod
    def submit(self) -> str:
        """Have the scheduler start the fleet; return what it says.

        Raises:
            LaunchError: Its program is missing, or refuses.
        """

    @abstractmethod
    def started(self) -> list[Started]:
        """Ask the scheduler for what there is of the fleet.

        Raises:
            LaunchError: Its program is missing, or fails.
        """

    @abstractmethod
    def stop(self) -> str:
        """Have the scheduler stop the fleet: minions get a signal first, and give back what they hold.

        Raises:
            LaunchError: Its program is missing, or fails.
        """


def plain(words: str, flag: str, blanks: bool = True) -> str:
    """Return a text that fits into a directive, which is one line.

    Raises:
        SettingsError: It does not.
    """
    if not words.isprintable() or not words.strip() or (not blanks and re.search(r"[\s'\"\\#]", words)):
        rest = "" if blanks else ", without blanks, quotes, # or \\"
        raise SettingsError(f"{flag} {words!r}: must be one line of printable text{rest}")
    return words


def call(words: Sequence[str], stdin: str = "", remedy: str = "", quiet: bool = False, noise: str | None = None) -> str:
    """Call a scheduler's program and return what it prints.

    Args:
        words: Its command line.
        stdin: What it reads.
        remedy: What to do where there is no such program.
        quiet: Return what it prints even if it fails.
        noise: How lines of its errors begin that tell nobody anything, as a pattern.

    Raises:
        LaunchError: It is not there, fails, or does not answer; the message holds what it says.
    """
    program = words[0]
    if shutil.which(program) is None:
        raise LaunchError(f"{program} is not in PATH here{f'; {remedy}' if remedy else ''}")
    try:
        done = subprocess.run(
            list(words),
            input=stdin,
            capture_output=True,
            text=True,
            errors="backslashreplace",
            check=False,
            timeout=_PATIENCE,
        )
    except subprocess.TimeoutExpired:
        raise LaunchError(f"{program} does not answer: stopped after {_PATIENCE:.0f} s") from None
    except OSError as error:
        raise LaunchError(f"{program} cannot be run: {error.strerror}") from None
    if done.returncode and not quiet:
        lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
        said = "\n".join([line for line in lines if noise is None or not re.match(noise, line)] or lines)[-2000:]
        raise LaunchError(f"{program} has failed ({done.returncode}): {said or 'it says nothing'}")
    return done.stdout
