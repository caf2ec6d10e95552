"""What is in an entry of the stream: a param and what minions note beside it, or the fields of another program."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from minionize.engine import Undecodable
from minionize.message import FOR, ID, JSON, TYPE, Codec, Dead
from minionize.task import Param

__all__ = ["BODY", "body_of", "document_of", "fields_of", "id_of", "is_for", "mapping_of", "param_of"]

BODY = "param"
"""The field that holds the param. An entry without it is a mapping: each field a value."""

Fields = Mapping[bytes, bytes]


def mapping_of(words: Sequence[bytes]) -> Fields:
    """Make fields of names and values in turn."""
    return dict(zip(words[::2], words[1::2], strict=True))


def fields_of(body: bytes, content_type: str, id: str = "") -> dict[str, bytes | str]:
    """Make the fields of an entry; with an id where it is put anew."""
    fields: dict[str, bytes | str] = {BODY: body}
    if content_type:
        fields[TYPE] = content_type
    if id:
        fields[ID] = id
    return fields


def param_of(codec: Codec, fields: Fields) -> Param:
    """Read the param of an entry; Undecodable where it cannot be read."""
    if BODY.encode() in fields:
        return codec.decode(fields[BODY.encode()], _text(fields.get(TYPE.encode(), b"")))
    values = {_text(name): codec.decode(value) for name, value in fields.items()}
    bad = next((value for value in values.values() if isinstance(value, Undecodable)), None)
    return bad or values


def body_of(codec: Codec, fields: Fields) -> tuple[bytes, str]:
    """Return the body of an entry and its content type, to be put elsewhere."""
    if BODY.encode() in fields:
        return fields[BODY.encode()], _text(fields.get(TYPE.encode(), b""))
    values = param_of(codec, fields)
    if isinstance(values, Undecodable):
        values = {_text(name): _text(value) for name, value in fields.items()}
    return json.dumps(values).encode(), JSON


def document_of(codec: Codec, entry: bytes, fields: Fields) -> Dead:
    """Read an entry of the stream of dead params; another program may have put it there."""
    dead = Dead.decode(fields.get(b"dead", b""))
    if dead is None:
        body, content_type = body_of(codec, fields)
        at = int(entry.partition(b"-")[0]) / 1000.0
        dead = Dead(id_of(entry, fields), body, content_type, "put there by another program", {}, at)
    return dead


def id_of(entry: bytes, fields: Fields) -> str:
    """Return the id of the param: that of its first entry, if it was put anew."""
    return _text(fields.get(ID.encode(), b"") or entry)


def is_for(group: str, fields: Fields) -> bool:
    """Tell whether an entry is meant for a group."""
    return _text(fields.get(FOR.encode(), b"")) in ("", group)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
