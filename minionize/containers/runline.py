"""The command line ``docker run ...`` of a run, which podman understands too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from minionize.callback import Command
from minionize.containers.container import VARIABLES, Container, container_name, labels
from minionize.containers.parse import Volume
from minionize.task import Task

__all__ = ["gpu_option", "mount", "run_line"]


def run_line(
    program: str, container: Container, command: Command, task: Task, more: Iterable[str] = (), labelled: bool = True
) -> Command:
    """Turn the command of a run into the one that runs it in a container.

    Args:
        program: The client: ``docker``, ``podman``.
        container: What the container is like. Pull policy and GPUs are left to ``more``.
        command: What is run inside.
        task: The run.
        more: Further options.
        labelled: Whether the container gets its labels; without them the line is one to read.

    Returns:
        The client's command. No value of a variable stands in its words: they are in ``env``.
    """
    words = [program, "run", "--rm", "--init", "--name", container_name(task)]
    if labelled:
        words += [word for name, value in labels(task).items() for word in ("--label", f"{name}={value}")]
    words += ["--log-driver", "none"]
    if command.stdin is not None:
        words.append("--interactive")
    env = {**container.env, **command.env}
    for name in (*VARIABLES, *env):
        words += ["--env", name]
    words += [*_options(container), *more, container.image, *command.argv]
    return replace(command, argv=tuple(words), env=env)


def _options(container: Container) -> Iterator[str]:
    for volume in container.volumes:
        yield from ("--mount", mount(volume))
    for option, value in (
        ("--user", container.user),
        ("--workdir", container.workdir),
        ("--network", container.network),
        ("--cpus", None if container.cpus is None else f"{container.cpus:g}"),
        ("--memory", container.memory),
        # The same again: no swap beside it, so that the limit is one.
        ("--memory-swap", container.memory),
    ):
        if value is not None:
            yield from (option, str(value))


def mount(volume: Volume) -> str:
    """Write a volume for ``--mount``: unlike ``--volume`` it makes no directory where the source is not there."""
    kind = "bind" if volume.source.startswith("/") else "volume"
    fields = [f"type={kind}", f"source={volume.source}", f"target={volume.target}"]
    if volume.readonly:
        fields.append("readonly")
    if volume.relabel:
        fields.append(f"relabel={'shared' if volume.relabel == 'z' else 'private'}")
    return ",".join(map(_quoted, fields))


def gpu_option(gpus: str) -> str:
    """Write GPUs for ``--gpus``: ``all``, how many, or which."""
    return _quoted(gpus)


def _quoted(text: str) -> str:
    """Quote one field of a line of CSV, where it needs that."""
    if "," not in text and '"' not in text:
        return text
    return '"{}"'.format(text.replace('"', '""'))
