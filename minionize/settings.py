"""Settings: command line > environment > ``.env`` > ``.minionize.yml`` > default. Read when asked, never at import."""

from __future__ import annotations

import os
import re
import shlex
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

from minionize.configfile import ConfigFile, read
from minionize.console import say
from minionize.errors import SettingsError
from minionize.names import did_you_mean, nearest
from minionize.quoting import MASK
from minionize.setting import Setting
from minionize.table import CHILD_VARIABLES, SETTINGS

__all__ = ["SETTINGS", "Resolved", "Settings", "default_engine", "here", "load", "masked"]

CONFIG_FILE = ".minionize.yml"
SWEEPS_FOUND = " is a sweep directory"
"""How the source of the engine ends where a sweep directory was found and nobody named an engine."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """A setting with its value and where that came from."""

    setting: Setting
    value: Any = field(repr=False)
    source: str


@dataclass(frozen=True, slots=True)
class _Layers:
    """All that the user said, not yet parsed. Its parts never show in a repr: they hold secrets."""

    cli: Mapping[str, Any] = field(repr=False)
    environ: Mapping[str, str] = field(repr=False)
    dotenv: Mapping[str, str] = field(repr=False)
    file: ConfigFile = field(repr=False)

    def resolve(self, setting: Setting, section: str = "") -> Resolved:
        """Find and parse the value that wins; an empty variable counts as none.

        Raises:
            SettingsError: It cannot be parsed; the message names setting, source, value and remedy.
        """
        raw, source = self._find(setting, section)
        if raw is None:
            return Resolved(setting, setting.default, "default")
        try:
            return Resolved(setting, setting.parse(raw), source)
        except ValueError as error:
            many = raw if isinstance(raw, tuple) else (raw,)
            shown = MASK if setting.secret else ", ".join(map(repr, many))
            raise SettingsError(f"{source}: {setting.key} is {shown}; it {error}") from None

    def _find(self, setting: Setting, section: str) -> tuple[Any, str]:
        name = setting.env
        for key in (name,) if section else (setting.key, name):
            if self.cli.get(key) is not None:
                return self.cli[key], max(setting.flags, key=len, default=key)
        if self.environ.get(name):
            return self.environ[name], f"environment {name}"
        if self.dotenv.get(name):
            return self.dotenv[name], f".env {name}"
        said = self.file.sections.get(section, {}) if section else self.file.values
        for key in (setting.key, name):
            if said.get(key) is not None:
                return said[key], self.file.where(f"{section}.{key}" if section else key)
        if self.file.env.get(name):
            return self.file.env[name], self.file.where(f"env.{name}")
        return None, ""

    def variables(self) -> dict[str, str]:
        """All variables, and where each stands."""
        where = {name: self.file.where(f"env.{name}") for name in self.file.env}
        where.update((name, ".env") for name in self.dotenv)
        where.update((name, "environment") for name in self.environ)
        return where


@dataclass(frozen=True, slots=True)
class Settings:
    """What the user set, from all sources.

    Attributes:
        values: The minion's settings by key, parsed and with their defaults.
        sources: Where each value came from.
        command: The command of ``.minionize.yml``; empty if it names none.
        env: The variables of its ``env`` section.
        environ: The environment over ``.env``.
    """

    values: dict[str, Any]
    sources: dict[str, str]
    command: tuple[str, ...]
    env: dict[str, str] = field(repr=False)
    environ: dict[str, str] = field(repr=False)
    _layers: _Layers = field(repr=False)

    def for_owner(self, name: str, declared: tuple[Setting, ...]) -> dict[str, Any]:
        """Resolve the settings of an engine or a reporter, by the same order of precedence.

        Args:
            name: Its name, which is also its section in ``.minionize.yml``.
            declared: Its table of settings.

        Raises:
            SettingsError: A value cannot be parsed, or a key or a variable is misspelt.
        """
        return {resolved.setting.key: resolved.value for resolved in self.explain(name, declared)}

    def explain(self, name: str, declared: tuple[Setting, ...]) -> list[Resolved]:
        """As ``for_owner``, with the source of each value."""
        by_variable = {setting.env: setting.key for setting in declared if setting.env}
        self._layers.file.check(name, [setting.key for setting in declared], by_variable)
        for prefix in sorted({variable.partition("_")[0] + "_" for variable in by_variable}):
            _refuse_near_misses(self._layers.variables(), set(by_variable), frozenset(), prefix, 0.85)
        return [self._layers.resolve(setting, name) for setting in declared]


def load(cli: Mapping[str, Any], environ: Mapping[str, str], cwd: Path, stdin: int = 0) -> Settings:
    """Read all sources.

    Args:
        cli: What the command line (or a caller in Python) sets, by key; settings of engines and reporters
            by their variable. None counts as not set.
        environ: The environment.
        cwd: Where ``.env`` and ``.minionize.yml`` are looked for.
        stdin: The descriptor of standard input, for the choice of the engine.

    Raises:
        SettingsError: Something is misspelt or has a value that cannot be used.
    """
    keys = [setting.key for setting in SETTINGS]
    for key in cli:
        if key not in keys and not key.isupper():
            raise SettingsError(f"unknown setting {key!r}{did_you_mean(key, keys)}")
    dotenv = _dotenv(cwd)
    layers = _Layers(cli, environ, dotenv, _config_file(cwd, {**dotenv, **environ}))
    own = {setting.env for setting in SETTINGS if setting.env.startswith("MINION_")}
    _refuse_near_misses(layers.variables(), own, CHILD_VARIABLES, "MINION_", 0.8)
    found = [layers.resolve(setting) for setting in SETTINGS]
    values = {each.setting.key: each.value for each in found}
    sources = {each.setting.key: each.source for each in found}
    if values["engine"] is None:
        sweeps = layers.resolve(Setting("persistence_dir", "EXECO_PERSISTENCE_DIR", str, "sweeps", ""), "execo")
        path = layers.resolve(Setting("path", "FILE_PATH", str, None, ""), "file")
        values["engine"], sources["engine"] = default_engine(cwd / sweeps.value, path.value, stdin)
    return Settings(
        values=values,
        sources=sources,
        command=_command(layers.file, values["shell"]),
        env=layers.file.env,
        environ={**dotenv, **environ},
        _layers=layers,
    )


def here() -> Path:
    """Return the working directory.

    Raises:
        SettingsError: It is no more.
    """
    try:
        return Path.cwd()
    except OSError:
        raise SettingsError("the working directory is gone; go to one that is there (cd)") from None


def default_engine(sweeps: Path, file_path: str | None, stdin: int) -> tuple[str | None, str]:
    """Choose the engine where nobody named one; return (None, "default") where nothing shows which.

    An existing sweep directory means execo; else a named file, or a standard input that is piped or
    redirected from a file, means file.

    Args:
        sweeps: Where the sweep directory would be.
        file_path: The file with params that is set, if any.
        stdin: The descriptor of standard input.
    """
    if _stands(sweeps / "sweeps"):
        return "execo", f"{sweeps}{SWEEPS_FOUND}"
    if file_path:
        return "file", "FILE_PATH is set"
    if is_piped(stdin):
        return "file", "standard input is a pipe or a file"
    return None, "default"


def _stands(path: Path) -> bool:
    """Tell whether a file is there. One that may not be looked at is: who opens it says why it cannot."""
    try:
        return path.is_file()
    except OSError:
        return True


def is_piped(fd: int) -> bool:
    """Tell whether a descriptor is a pipe, or redirected from a file."""
    try:
        mode = os.fstat(fd).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)


def masked(setting: Setting, value: Any) -> str:
    """Write a value for people to see: secrets, and passwords and tokens within URLs, are masked."""
    if value is None or value == "":
        return ""
    if setting.secret:
        return MASK
    if isinstance(value, frozenset):
        value = ",".join(map(str, sorted(value)))
    elif type(value) is tuple:
        value = ",".join(map(str, value))
    shown = re.sub(r"(://)[^/@\s]*@", rf"\1{MASK}@", str(value))
    return re.sub(r"(?i)([?&;][^=&\s]*(?:token|passw|secret|key|auth)[^=&\s]*=)[^&\s]+", rf"\1{MASK}", shown)


def _dotenv(cwd: Path) -> dict[str, str]:
    path = cwd / ".env"
    if not _stands(path):
        return {}
    from dotenv import dotenv_values
    from dotenv.parser import parse_stream

    try:
        parts = list(parse_stream(StringIO(path.read_text("utf-8-sig"))))
    except UnicodeDecodeError as error:
        raise SettingsError(f".env: not a text in UTF-8 ({error.reason} at byte {error.start})") from None
    except OSError as error:
        raise SettingsError(f".env: cannot be read ({error.strerror})") from None
    for part in parts:
        # As in 0.3.4 such a line stops nothing: the file may be for other programs too.
        if part.error:
            # Blank lines before it belong to it.
            line = part.original.line + part.original.string.rstrip().count("\n")
            say(f".env, line {line}: not NAME=value, so it is left out")
    found = dotenv_values(stream=StringIO("".join(part.original.string for part in parts if not part.error)))
    return {name: value for name, value in found.items() if value is not None}


def _config_file(cwd: Path, variables: Mapping[str, str]) -> ConfigFile:
    keys = [setting.key for setting in SETTINGS]
    named = variables.get("MINION_CONFIG")
    if named:
        if not _stands(cwd / named):
            raise SettingsError(f"MINION_CONFIG: there is no file {named}")
        return read(cwd / named, named, keys)
    return read(cwd / CONFIG_FILE, CONFIG_FILE, keys) if _stands(cwd / CONFIG_FILE) else ConfigFile()


def _command(file: ConfigFile, shell: bool) -> tuple[str, ...]:
    if file.command is None:
        return ()
    try:
        line = file.command
        words = line if isinstance(line, tuple) else (line,) if shell else tuple(shlex.split(line))
    except ValueError as error:
        raise SettingsError(f"{file.where('command')}: command cannot be cut into words ({error})") from None
    if not words or not words[0].strip():
        raise SettingsError(f"{file.where('command')}: command must name a program")
    return words


def _refuse_near_misses(
    variables: Mapping[str, str], own: set[str], others: frozenset[str], prefix: str, cutoff: float
) -> None:
    """Refuse variables that nobody reads and that look like one of ours, unless that one is set as well.

    What merely begins like ours (Kubernetes makes MINION_SERVICE_HOST) is none of our business.
    """
    for name, where in variables.items():
        if not name.upper().startswith(prefix.rstrip("_")) or name in own or name in others:
            continue
        meant = _meant(name, own, prefix, cutoff)
        if meant and meant not in variables:
            raise SettingsError(f"{where}: unknown variable {name}; did you mean {meant}?")


def _meant(name: str, own: set[str], prefix: str, cutoff: float) -> str | None:
    if name.upper() in own:
        return name.upper()
    ends = {variable.removeprefix(prefix): variable for variable in own if variable.startswith(prefix)}
    head, _, end = name.upper().partition("_")
    if head == "MINIONIZE" and end in ends:
        return ends[end]
    if f"{head}_" != prefix or not end:
        return None
    near = nearest(end, ends, cutoff)
    return ends[near] if near else None
