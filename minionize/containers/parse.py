"""Parses what a user says of containers; raises ValueError with what would be right."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

__all__ = ["Image", "Volume", "cpus", "environment", "gpus", "image", "memory", "variables", "volumes"]

_UNITS = {"": 1, "b": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}
_LEAST = 6 * 2**20


class Image(NamedTuple):
    """An image, and the container engine that is to run it.

    Attributes:
        engine: The container engine's name, in small letters.
        name: The image, as that engine names it.
    """

    engine: str
    name: str

    def __str__(self) -> str:
        return f"{self.engine}://{self.name}"


class Volume(NamedTuple):
    """A directory or a file of the host, or a named volume, inside the container.

    Attributes:
        source: Its path on the host, or the volume's name.
        target: Its path in the container.
        readonly: Whether the container cannot write to it.
        relabel: Whom SELinux lets see it from now on: "z" all containers, "Z" this one; "": as it is.
    """

    source: str
    target: str
    readonly: bool = False
    relabel: str = ""

    def __str__(self) -> str:
        modes = ",".join(filter(None, ("ro" * self.readonly, self.relabel)))
        return f"{self.source}:{self.target}{':' * bool(modes)}{modes}"


def image(value: Any) -> Image:
    """Parse ``ENGINE://IMAGE``."""
    engine, colon, name = str(value).strip().partition("://")
    if not colon or not engine or not name.strip("/") or name != name.strip():
        raise ValueError("must be ENGINE://IMAGE, such as docker://debian:12 or apptainer://./tools.sif")
    return Image(engine.lower(), name)


def volumes(value: Any) -> tuple[Volume, ...]:
    """Parse volumes: ``SOURCE:TARGET``, ``SOURCE:TARGET:ro``, ``SOURCE:TARGET:ro,z``, or a list of such."""
    # A comma before a mode divides no volumes.
    words = value if isinstance(value, (list, tuple)) else re.split(r",(?!\s*(?:ro|rw|z|Z)\s*(?:,|$))", str(value))
    return tuple(_volume(str(word).strip()) for word in words if str(word).strip())


def _volume(word: str) -> Volume:
    source, _, rest = word.partition(":")
    target, _, mode = rest.partition(":")
    modes = set(re.split(r"\s*,\s*", mode)) if mode else set()
    relabel = modes & {"z", "Z"}
    fit = modes <= {"ro", "rw", "z", "Z"} and len(relabel) < 2 and not modes >= {"ro", "rw"}
    if not source or not target.startswith("/") or not fit:
        raise ValueError("must be SOURCE:TARGET or SOURCE:TARGET:ro, with an absolute path as TARGET: ./data:/data:ro")
    return Volume(source, target, "ro" in modes, "".join(relabel))


def variables(value: Any) -> dict[str, str | None]:
    """Parse variables: ``NAME=VALUE``, or ``NAME`` for the value that the minion has (None here); a list, a mapping."""
    if isinstance(value, Mapping):
        return {_variable(str(name)): None if each is None else str(each) for name, each in value.items()}
    found: dict[str, str | None] = {}
    for word in value if isinstance(value, (list, tuple)) else str(value).split(","):
        name, equals, content = str(word).partition("=")
        if str(word).strip():
            found[_variable(name.strip())] = content if equals else None
    return found


def _variable(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.]*", name):
        raise ValueError("must be NAME=VALUE, or NAME for a variable of the minion's own environment")
    return name


def environment(wanted: Mapping[str, str | None], environ: Mapping[str, str]) -> dict[str, str]:
    """Fill in the values that are the minion's own; a variable that it has not is left out, as by docker."""
    own = {name: environ[name] for name, value in wanted.items() if value is None and name in environ}
    return {**own, **{name: value for name, value in wanted.items() if value is not None}}


def memory(value: Any) -> int:
    """Parse a size of memory: bytes, or with a unit (``512m``, ``2g``, ``1.5GiB``)."""
    words = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([bkmgt]?)(?:i?b)?", str(value).strip().lower())
    size = int(float(words[1]) * _UNITS[words[2]]) if words and not isinstance(value, bool) else 0
    if size < _LEAST:
        raise ValueError("must be a size of memory, 6m or more: 512m, 2g")
    return size


def cpus(value: Any) -> float:
    """Parse a number of processors; parts of one are allowed."""
    try:
        number = float(str(value))
    except ValueError:
        number = 0.0
    if not 0.01 <= number <= 1e6 or isinstance(value, bool):
        raise ValueError("must be a number of processors: 2, or 0.5")
    return number


def gpus(value: Any) -> str:
    """Parse GPUs: ``all``, how many, or which (``device=0,1``)."""
    words = str(value).strip()
    if isinstance(value, bool) or not re.fullmatch(r"all|[1-9]\d*|device=[\w.:/-]+(,[\w.:/-]+)*", words):
        raise ValueError("must be all, how many, or which: all, 2, device=0,1")
    return words
