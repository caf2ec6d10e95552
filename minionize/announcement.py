"""Announcements as bytes: written small, and read back with no trust in who wrote them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from minionize.errors import RegistryError
from minionize.registry import LONGEST_BEAT, Announcement
from minionize.stats.decoding import bounded_decoder, refusals
from minionize.stats.wire import SCHEMA

__all__ = ["LARGEST", "Decoder", "encode", "is_id", "uncollected"]

LARGEST = 65_536
"""Bytes of an announcement; anything larger is none."""

LONGEST = 1_000
"""Characters of one text, where an announcement would be too large otherwise."""

_ENCODE = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


def is_id(id: str) -> bool:
    """Tell whether a text can be the id of a minion, and so a file name."""
    return not id.startswith(".") and len(id) <= 200 and id.replace("-", "").replace(".", "").replace("_", "").isalnum()


def encode(announcement: Announcement) -> bytes:
    """Write an announcement as one line of JSON in ASCII. Texts are cut where it would be too large.

    Raises:
        RegistryError: It is no announcement that a reader would take.
    """
    if not is_id(announcement["id"]):
        raise RegistryError(f"the minion's id {announcement['id'][:100]!r} is no file name, so it cannot be announced")
    try:
        data = _dumps(announcement)
        if len(data) > LARGEST:
            data = _dumps(_cut(announcement))
    except (TypeError, ValueError, RecursionError) as error:
        raise RegistryError(f"the minion's numbers cannot be announced: {error}") from error
    if len(data) > LARGEST:
        raise RegistryError(f"an announcement of {len(data)} bytes is too large ({LARGEST}): give fewer labels")
    return data


def _dumps(value: object) -> bytes:
    data = _ENCODE(value)
    if "\\ud" in data:
        # What is no character, such as a byte of a command line that is no UTF-8, is none for a reader either.
        data = _ENCODE(_with_characters(value))
    return data.encode()


def _with_characters(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_with_characters(key): _with_characters(each) for key, each in value.items()}
    return value


def _cut(value: Any) -> Any:
    if isinstance(value, str) and len(value) > LONGEST:
        return value[:LONGEST] + "..."
    return {key: _cut(each) for key, each in value.items()} if isinstance(value, dict) else value


@contextmanager
def uncollected() -> Iterator[None]:
    """Let Python look for no garbage meanwhile: a thousand announcements hold none, and it takes a tenth longer."""
    import gc

    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


class Decoder:
    """Reads announcements. What may stand in one is told by the types in ``Announcement``."""

    def __init__(self) -> None:
        self._refused = refusals()
        self._decode = bounded_decoder(Announcement)
        # These go into requests: nothing that could end a header, nothing that is no HTTP.
        self._url = re.compile(r"https?://[!-~]{1,2000}").fullmatch
        self._token = re.compile(r"[!-~]{1,500}").fullmatch

    def __call__(self, id: str, data: bytes) -> Announcement | None:
        """Read one announcement; None if it is none, or not that of ``id``."""
        try:
            value: Announcement = self._decode(data)
        except self._refused:
            return None
        if value["id"] != id or not is_id(id):
            return None
        if value["schema"] != SCHEMA:
            return None
        url, token, pid = value["url"], value["token"], value["process"][3]
        if (url is not None and not self._url(url)) or (token is not None and not self._token(token)):
            return None
        return value if pid > 0 and 0 < value["every"] <= LONGEST_BEAT else None
