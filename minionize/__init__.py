"""minionize: turn a program into a minion that takes params from a queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minionize.version import __version__

if TYPE_CHECKING:
    from minionize.callback import Callback, Command, Context, DefaultCallback
    from minionize.callbacks.docker import DockerCallback
    from minionize.callbacks.function import FuncCallback, minionize
    from minionize.callbacks.process import ProcessCallback
    from minionize.engine import (
        Backlog,
        DeadLetter,
        Delivery,
        EndOfQueue,
        Engine,
        Features,
        Undecodable,
    )
    from minionize.errors import (
        CallbackError,
        EngineError,
        ExitCode,
        LeaseLost,
        MinionizeError,
        NotConnected,
        NotNow,
        RegistryError,
        ReporterError,
        SettingsError,
    )
    from minionize.registry import Announcement, Registry, Seen
    from minionize.reporter import Reporter
    from minionize.setting import Setting
    from minionize.task import Outcome, OutcomeKind, Param, Record, Task
    from minionize.worker.minion import Minion, minionizer

__all__ = [
    "__version__",
    # Run something over a queue
    "minionize",
    "minionizer",
    "Minion",
    # Say how a param is run
    "Callback",
    "DefaultCallback",
    "ProcessCallback",
    "FuncCallback",
    "DockerCallback",
    "Context",
    "Command",
    # What travels
    "Param",
    "Task",
    "Outcome",
    "OutcomeKind",
    "Record",
    # Write an engine or a reporter
    "Engine",
    "Delivery",
    "Undecodable",
    "EndOfQueue",
    "Features",
    "Backlog",
    "DeadLetter",
    "Reporter",
    "Setting",
    # Write a registry, or read one
    "Registry",
    "Announcement",
    "Seen",
    # Errors
    "MinionizeError",
    "SettingsError",
    "EngineError",
    "NotConnected",
    "NotNow",
    "LeaseLost",
    "CallbackError",
    "ReporterError",
    "RegistryError",
    "ExitCode",
]

_HOMES = {
    "minionize.callback": ("Callback", "Command", "Context", "DefaultCallback"),
    "minionize.callbacks.docker": ("DockerCallback",),
    "minionize.callbacks.function": ("FuncCallback", "minionize"),
    "minionize.callbacks.process": ("ProcessCallback",),
    "minionize.engine": ("Backlog", "DeadLetter", "Delivery", "EndOfQueue", "Engine", "Features", "Undecodable"),
    "minionize.errors": (
        "CallbackError",
        "EngineError",
        "ExitCode",
        "LeaseLost",
        "MinionizeError",
        "NotConnected",
        "NotNow",
        "RegistryError",
        "ReporterError",
        "SettingsError",
    ),
    "minionize.registry": ("Announcement", "Registry", "Seen"),
    "minionize.reporter": ("Reporter",),
    "minionize.setting": ("Setting",),
    "minionize.task": ("Outcome", "OutcomeKind", "Param", "Record", "Task"),
    "minionize.worker.minion": ("Minion", "minionizer"),
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: thousands of minions import from one shared disk (PEP 562)."""
    for home, names in _HOMES.items():
        if name in names:
            from importlib import import_module

            return getattr(import_module(home), name)
    raise AttributeError(f"module 'minionize' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
