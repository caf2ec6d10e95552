"""Finds an engine or a reporter by its name: built-in, or an entry point. Imports only the chosen one."""

from __future__ import annotations

from typing import Any

from minionize.engine import Engine
from minionize.errors import EngineError, MinionizeError, SettingsError
from minionize.names import builtin, did_you_mean, known
from minionize.reporter import Reporter

__all__ = ["engine_names", "load_engine", "load_reporter", "reporter_names"]

NO_ENGINE = """no queue to take params from. Either pipe them in:
    seq 10 | minionize echo hello
or name the queue:
    MINION_ENGINE=execo minionize echo hello     (a sweep directory: EXECO_PERSISTENCE_DIR, default ./sweeps)
    minionize --engine file echo hello < params  (engines: {engines})"""


def engine_names() -> list[str]:
    """Return the names of all engines, without importing any."""
    return known("engines")


def reporter_names() -> list[str]:
    """Return the names of all reporters, without importing any."""
    return known("reporters")


def load_engine(name: str | None) -> type[Engine]:
    """Import an engine.

    Args:
        name: Its name; None where the user named none and nothing shows which was meant.

    Raises:
        SettingsError: There is none of that name.
        EngineError: Its client library is not installed, or it is no engine.
    """
    if name is None:
        raise SettingsError(NO_ENGINE.format(engines=", ".join(engine_names())))
    found: type[Engine] = _load("engine", name, Engine, EngineError)
    return found


def load_reporter(name: str | None) -> type[Reporter]:
    """Import a reporter.

    Raises:
        SettingsError: There is none of that name, what it needs is not installed, or it is no reporter.
    """
    found: type[Reporter] = _load("reporter", name or "null", Reporter, SettingsError)
    return found


def _load(kind: str, name: str, contract: type[Any], error: type[MinionizeError]) -> type[Any]:
    try:
        if name in builtin(f"{kind}s"):
            return _only_class(f"minionize.{kind}s.{name}", contract)
        return _from_entry_point(kind, name, contract, error)
    except ImportError as missing:
        module = (missing.name or "").partition(".")[0]
        if module == "minionize":
            raise
        what = f"{module} is not installed" if module else str(missing)
        raise error(f"{kind} {name}: {what}; pip install 'minionize[{name}]'") from missing


def _only_class(module_name: str, contract: type[Any]) -> type[Any]:
    from importlib import import_module

    module = import_module(module_name)
    (found,) = (
        each
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, contract) and each.__module__ == module_name
    )
    return found


def _from_entry_point(kind: str, name: str, contract: type[Any], error: type[MinionizeError]) -> type[Any]:
    from importlib.metadata import entry_points

    for entry in entry_points(group=f"minionize.{kind}s", name=name):
        found = entry.load()
        if not (isinstance(found, type) and issubclass(found, contract)):
            raise error(f"{kind} {name}: the entry point {entry.value} is no {contract.__name__}")
        return found
    raise SettingsError(f"no {kind} {name!r}{did_you_mean(name, known(f'{kind}s'))}")
