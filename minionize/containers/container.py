"""What the container of a run is like, in words that all container engines understand."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from minionize.containers.parse import Volume
from minionize.host import Identity, identity, is_gone, is_of_earlier_boot
from minionize.task import Task, param_text

__all__ = ["LABEL", "VARIABLES", "Container", "container_name", "in_words", "labels", "left_behind"]

LABEL = "minionize"
"""What the name of each label begins with, and of each container."""

_LONGEST = 200
VARIABLES = ("MINION_ID", "MINION_PARAM", "MINION_PARAM_ID", "MINION_ATTEMPT", "MINION_SLOT")
"""What each run is told by its environment, also in a container."""


@dataclass(frozen=True, slots=True)
class Container:
    """What every run's container is like.

    Attributes:
        image: The image, as its engine names it.
        pull: "missing", "always" or "never".
        volumes: What of the host is seen inside.
        env: Variables beside those of the minion. They may be secrets: no repr, no command line.
        user: User (and group) of the program; None: the image's.
        workdir: Its working directory; None: the image's.
        network: Network; None: the engine's default.
        cpus: Processors at most; None: all.
        memory: Bytes at most; None: all.
        gpus: "all", a number, or names with commas between them; None: none.
    """

    image: str
    pull: str = "missing"
    volumes: tuple[Volume, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    user: str | None = None
    workdir: str | None = None
    network: str | None = None
    cpus: float | None = None
    memory: int | None = None
    gpus: str | None = None


def in_words(size: int) -> str:
    """Write a size of memory, in bytes, for people."""
    for unit, power in (("GiB", 30), ("MiB", 20)):
        if size >= 2**power:
            return f"{size / 2**power:.4g} {unit}"
    return f"{size} bytes"


def container_name(task: Task) -> str:
    """Make the name of a run's container: of minion, run, param and attempt, in what all engines allow."""
    param = re.sub(r"[^A-Za-z0-9_.-]+", "_", task.id)[:40]
    minion = re.sub(r"[^A-Za-z0-9_.-]+", "_", task.minion)
    return f"{LABEL}-{minion}-{task.seq}-{param}-{task.attempt or 1}"


def labels(task: Task) -> dict[str, str]:
    """Make the labels of a run's container. ``minionize.process`` tells others whether its minion still lives."""
    return {
        f"{LABEL}.minion": task.minion,
        f"{LABEL}.process": json.dumps(identity()),
        f"{LABEL}.param": _writable(param_text(task.param)),
        f"{LABEL}.param_id": _writable(task.id),
        f"{LABEL}.attempt": str(task.attempt or 1),
        f"{LABEL}.slot": str(task.slot),
    }


def _writable(text: str) -> str:
    """Make what any command line can hold: a label must not be the reason why a param cannot be run."""
    encoding = sys.getfilesystemencoding()
    return text[:_LONGEST].replace("\0", "?").encode(encoding, "replace").decode(encoding)


def left_behind(found: Mapping[str, Mapping[str, str]], here: bool) -> Iterator[str]:
    """Tell which containers belong to minions of this host that are dead.

    Args:
        found: The labels of each container, by its id.
        here: Whether the engine is on this host, so that only minions of this host can have used it. Then those of
            an earlier boot are dead.
    """
    for key, its in found.items():
        try:
            process = Identity(*json.loads(its.get(f"{LABEL}.process", "null")))
            dead = is_gone(process) or (here and is_of_earlier_boot(process))
        except (TypeError, ValueError):
            continue  # somebody else's
        if dead:
            yield key
