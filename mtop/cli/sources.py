"""Where the fleet is looked for: registries, URLs, and the token of what is there."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence

from minionize.errors import SettingsError

__all__ = ["registries_of", "token_from"]

_FILES = (".env", ".minionize.yml")


def registries_of(specs: Sequence[str], urls: Sequence[str], environ: Mapping[str, str]) -> list[str]:
    """Return the registries that are meant; "" is the one in the user's home.

    Args:
        specs: What the user has named on the command line.
        urls: Minions that are named by their URLs. If only these are named, only these are meant.
        environ: The environment.

    Raises:
        SettingsError: There is nowhere to look, or a file that should say where is wrong.
    """
    if not specs and urls:
        return []
    found = [spec for spec in specs or [_set_up(environ)] if spec.strip() != "none"]
    if not found and not urls:
        raise SettingsError("nowhere to look: the registry is none; name one by -r PLACE, or minions by their URLs")
    return found


def _set_up(environ: Mapping[str, str]) -> str:
    """Return the registry that minions would take here: environment, then ``.env``, then ``.minionize.yml``."""
    if environ.get("MINION_REGISTRY"):
        return environ["MINION_REGISTRY"]
    if not environ.get("MINION_CONFIG") and not any(map(os.path.isfile, _FILES)):
        return ""

    from minionize.settings import here, load

    return load({}, environ, here()).values["registry"] or ""


def token_from(path: str) -> tuple[str, str | None]:
    """Read the token that the servers of minions ask for.

    Returns:
        The token, and what is wrong with its file, in words.

    Raises:
        SettingsError: There is no token in the file, or it cannot be read.
    """
    try:
        with open(path, encoding="ascii") as file:
            token = file.read(10_000).strip()
            status = os.fstat(file.fileno())
    except UnicodeDecodeError:
        raise SettingsError(f"--token-file {path}: a token is made of printable ASCII characters") from None
    except OSError as error:
        raise SettingsError(f"--token-file {path}: {error.strerror}") from None
    if not token or not token.isprintable() or " " in token or len(token) > 500:
        raise SettingsError(f"--token-file {path}: it must hold a token, in one line")
    mode = stat.S_IMODE(status.st_mode)
    if status.st_uid == os.geteuid() and mode & 0o077:
        return token, f"--token-file {path}: other users may read it (mode {mode:04o}); chmod 600 it"
    return token, None
