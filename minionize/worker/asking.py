"""Asks a scheduler by its own command. Imported only where a job's variables do not tell."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Mapping

from minionize.worker.schedulers import Answer, Scheduler

_BRIEF = 0.2


def ask(
    scheduler: Scheduler,
    environ: Mapping[str, str],
    patience: float,
    closed: threading.Event,
    say: Callable[[str], None],
) -> Answer:
    """Ask once; whatever goes wrong is said, and then no end is known.

    Args:
        scheduler: Whom.
        environ: The job's variables.
        patience: Seconds that it may take.
        closed: Set when nobody wants to know any more.
        say: Tells the user.
    """
    if scheduler.ask is None:
        return Answer()
    argv = scheduler.ask(environ)
    try:
        return scheduler.read(_output(argv, patience, closed))
    except (OSError, ValueError) as error:
        if closed.is_set():
            return Answer()
        why = (error.strerror or "cannot be run") if isinstance(error, OSError) else error
        say(f"the end of the job is not known: {argv[0]}: {why} (--max-lifetime sets one)")
        return Answer()


def _output(argv: tuple[str, ...], patience: float, closed: threading.Event) -> str:
    null = subprocess.DEVNULL
    with subprocess.Popen(argv, env=os.environ, stdin=null, stdout=subprocess.PIPE, stderr=null) as command:
        deadline = time.monotonic() + patience
        while True:
            try:
                out, _ = command.communicate(timeout=_BRIEF)
                break
            except subprocess.TimeoutExpired:
                if closed.is_set() or time.monotonic() > deadline:
                    command.kill()
                    command.communicate()
                    raise ValueError(f"no answer within {patience:g} s") from None
    if command.returncode:
        raise ValueError(f"exit code {command.returncode}")
    return out.decode(errors="replace")
