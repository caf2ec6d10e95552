"""Finds an engine, a reporter or a registry by its name: built-in, or an entry point. Imports only the chosen one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from minionize.errors import EngineError, MinionizeError, SettingsError
from minionize.names import builtin, did_you_mean, known

if TYPE_CHECKING:
    from minionize.engine import Engine
    from minionize.registry import Registry
    from minionize.reporter import Reporter
    from minionize.setting import Setting

__all__ = [
    "check_registry",
    "engine_names",
    "engine_settings",
    "load_engine",
    "load_registry",
    "load_reporter",
    "registry_schemes",
    "reporter_names",
]

NO_ENGINE = """no queue to take params from. Either pipe them in:
    seq 10 | minionize echo hello
or name the queue:
    MINION_ENGINE=execo minionize echo hello     (a sweep directory: EXECO_PERSISTENCE_DIR, default ./sweeps)
    minionize --engine file echo hello < params  (engines: {engines})"""

SCHEMES = {"dir": "directory", "redis": "redis", "rediss": "redis", "unix": "redis"}
"""What stands before the colon of a registry, and which one is meant."""


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
    from minionize.engine import Engine

    found: type[Engine] = _load("engine", name, Engine, EngineError)
    with _needs("engine", name, EngineError):
        _see(found.client)
    return found


def engine_settings(name: str) -> tuple[Setting, ...]:
    """Return the settings of an engine, whose client library need not be installed.

    Raises:
        SettingsError: There is none of that name.
        EngineError: It is no engine.
    """
    from minionize.engine import Engine

    found: type[Engine] = _load("engine", name, Engine, EngineError)
    return found.settings


def load_reporter(name: str | None) -> type[Reporter]:
    """Import a reporter.

    Raises:
        SettingsError: There is none of that name, what it needs is not installed, or it is no reporter.
    """
    from minionize.reporter import Reporter

    found: type[Reporter] = _load("reporter", name or "null", Reporter, SettingsError)
    return found


def registry_schemes() -> list[str]:
    """Return what can stand before the colon of a registry, without importing any."""
    return sorted({*SCHEMES, *known("registries")} - {"directory"})


def check_registry(spec: str | None) -> None:
    """See whether a registry is one that ``load_registry`` knows; imports nothing.

    Raises:
        SettingsError: It is not.
    """
    _registry(spec)


def load_registry(spec: str | None, environ: Mapping[str, str]) -> Registry | None:
    """Make a registry; nothing is connected, read or written yet.

    Args:
        spec: ``dir:PATH`` or a path with a slash, ``redis://...``, ``rediss://...``, ``unix://...``, ``NAME://...`` of
            an installed package, or ``none``; None or "" for the directory in this user's home.
        environ: Where to look for the home directory.

    Returns:
        The registry; None for ``none``.

    Raises:
        SettingsError: That is no registry, or what it needs is not installed.
    """
    name, place = _registry(spec)
    if name == "none":
        return None
    # The first param does not wait for it.
    from minionize.registry import Registry

    found: type[Registry] = _load("registry", name, Registry, SettingsError)
    with _needs("registry", name, SettingsError):
        return found(place, environ)


def _registry(spec: str | None) -> tuple[str, str]:
    """Return name and place of the registry that is meant."""
    spec = (spec or "").strip()
    scheme, colon, rest = spec.partition(":")
    if spec == "none":
        return spec, ""
    if not spec or (not colon and "/" in spec) or spec[0] in "/.~":
        return "directory", spec
    if colon and SCHEMES.get(scheme) == "directory":
        return "directory", rest
    if colon and (scheme in SCHEMES or (rest.startswith("//") and scheme in known("registries"))):
        return SCHEMES.get(scheme, scheme), spec
    # Never more than the scheme: there may be a password behind it.
    shown = f"{scheme}:" if colon else spec
    remedy = did_you_mean(scheme, [*registry_schemes(), "none"])
    raise SettingsError(f"no registry {shown!r}{remedy}; for a directory write dir:PATH")


def _load(kind: str, name: str, contract: type[Any], error: type[MinionizeError]) -> type[Any]:
    group = "registries" if kind == "registry" else f"{kind}s"
    if name not in builtin(group):
        return _from_entry_point(kind, group, name, contract, error)
    with _needs(kind, name, error):
        return _only_class(f"minionize.{group}.{name}", contract)


def _see(module: str) -> None:
    """See whether a module is installed, without importing it: engines do that when they connect.

    Raises:
        ImportError: It is not.
    """
    from importlib.util import find_spec

    if module and find_spec(module) is None:
        raise ImportError(name=module)


@contextmanager
def _needs(kind: str, name: str, error: type[MinionizeError]) -> Iterator[None]:
    """Say what to install where a client library is missing."""
    try:
        yield
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


def _from_entry_point(kind: str, group: str, name: str, contract: type[Any], error: type[MinionizeError]) -> type[Any]:
    from importlib.metadata import entry_points

    for entry in entry_points(group=f"minionize.{group}", name=name):
        try:
            found = entry.load()
        except Exception as wrong:  # the border around packages of others
            whose = f" of the package {entry.dist.name}" if entry.dist else ""
            words = f"the entry point {entry.value}{whose} cannot be loaded: {type(wrong).__name__}: {wrong}"
            raise error(f"{kind} {name}: {words}; mend it, or install what it needs") from wrong
        if not (isinstance(found, type) and issubclass(found, contract)):
            raise error(f"{kind} {name}: the entry point {entry.value} is no {contract.__name__}")
        return found
    raise SettingsError(f"no {kind} {name!r}{did_you_mean(name, known(group))}")
