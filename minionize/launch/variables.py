"""Variables of minions that are to be started: what may be written down, and what is a secret."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from minionize.errors import SettingsError
from minionize.quoting import without_secrets

__all__ = ["Variable", "is_secret", "names_this_host", "read_variables"]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_QUERY = re.compile(r"(?i)://.*[?&;][^=&\s]*(?:token|passw|secret|key|auth)[^=&\s]*=")

_THIS_HOST = re.compile(r"(?i)(?:^|://|@|,)(?:localhost|127(?:\.\d+){3}|::1|\[::1\])(?=[:/?#,]|$)")


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable.

    Attributes:
        name: Its name.
        value: What is written down; None: nothing, for it is a secret, or known only where the minions run.
    """

    name: str
    value: str | None = field(repr=False)


def is_secret(name: str, value: str) -> bool:
    """Tell whether a variable looks like a secret, by its name, or because it is a URL with a password or a token."""
    words = f"{name}={value}"
    return bool(value) and (without_secrets([words]) != [words] or _QUERY.search(value) is not None)


def names_this_host(value: str) -> bool:
    """Tell whether a URL, or a list of HOST:PORT, leads to the host itself on which it is read."""
    return _THIS_HOST.search(value) is not None


def read_variables(words: Iterable[str], environ: Mapping[str, str], elsewhere: bool = False) -> tuple[Variable, ...]:
    """Read NAME or NAME=VALUE; later ones win.

    Args:
        words: What the user wrote.
        environ: Where the value of a NAME alone is taken from.
        elsewhere: Whether a variable may come from where the minions run, so that it need not be set here.

    Raises:
        SettingsError: A name is none, a variable is not set, or a secret would be written down.
    """
    found: dict[str, Variable] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not _NAME.fullmatch(name):
            raise SettingsError(f"--env {name!r}: must be NAME or NAME=VALUE")
        if equals:
            if is_secret(name, value):
                raise SettingsError(
                    f"--env {name}=...: it looks like a secret, and would be written down; set {name} in the "
                    f"environment and give --env {name} alone"
                )
            found[name] = Variable(name, value)
        elif name in environ:
            found[name] = Variable(name, None if is_secret(name, environ[name]) else environ[name])
        elif elsewhere:
            found[name] = Variable(name, None)
        else:
            raise SettingsError(f"--env {name}: it is not set here; give --env {name}=VALUE")
    return tuple(found.values())
