"""Where the commands start."""

from __future__ import annotations

import signal
from importlib import import_module

__all__ = ["launch", "minionize", "queue", "start", "status"]


def start(module: str) -> None:
    """Import a command's module and run its ``main``; Ctrl-C ends the import as any program: without a traceback."""
    mute = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if mute:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    main = import_module(module).main
    if mute:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    main()


def minionize() -> None:
    """``minionize``."""
    start("minionize.cli.run")


def queue() -> None:
    """``minion-queue``."""
    start("minionize.cli.queue")


def launch() -> None:
    """``minion-launch``."""
    start("minionize.cli.launch")


def status() -> None:
    """``minion-status``."""
    start("minionize.cli.status")
