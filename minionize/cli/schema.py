"""The JSON Schema of ``.minionize.yml``, for editors: written from the tables of settings.

``python -m minionize.cli.schema`` writes the file that is shipped; a test tells when that was forgotten.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from minionize.names import builtin
from minionize.plugins import load_engine, load_reporter
from minionize.setting import Setting
from minionize.settings import SETTINGS

__all__ = ["PATH", "schema"]

PATH = Path(__file__).resolve().parent.parent / "minionize.schema.json"

_SCALAR = ["string", "number", "boolean"]


def schema() -> dict[str, Any]:
    """Make the schema of the whole file."""
    engines = {name: load_engine(name).settings for name in builtin("engines")}
    reporters = {name: load_reporter(name).settings for name in builtin("reporters")}
    properties: dict[str, Any] = {
        "command": {
            "description": "The command: a list of words, or a line; a bare minionize runs it.",
            "oneOf": [{"type": "string"}, {"type": "array", "minItems": 1, "items": {"type": _SCALAR}}],
        },
        "env": {
            "description": "Variables for the runs, and for minionize itself where nothing else sets them.",
            "type": ["object", "null"],
            "additionalProperties": {"type": [*_SCALAR, "null"]},
        },
        **{setting.key: _value(setting) for setting in SETTINGS},
    }
    properties["engine"] = _owner("Which queue, by name, or with its settings.", engines)
    properties["reporter"] = _owner("Who gets the records, by name, or with its settings.", reporters)
    for name, declared in [*engines.items(), *reporters.items()]:
        section = properties.setdefault(name, {"type": ["object", "null"], "additionalProperties": False})
        section["description"] = f"Settings of {name}, used when it is chosen."
        section.setdefault("properties", {}).update(_section(declared))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": ".minionize.yml",
        "description": "Command and settings of minionize. Variables and the command line overrule them.",
        "type": ["object", "null"],
        # Engines and reporters that other packages bring have sections of their own.
        "additionalProperties": {"type": ["object", "null"]},
        "properties": properties,
    }


def _value(setting: Setting) -> dict[str, Any]:
    kinds = setting.schema.split("|")
    found: dict[str, Any] = {"description": setting.help, "type": [*kinds, "null"] if "null" not in kinds else kinds}
    if setting.choices:
        found["enum"] = [*setting.choices, None]
    if setting.default is not None and setting.default != "" and not isinstance(setting.default, frozenset):
        found["default"] = setting.default
    return found


def _section(declared: Iterable[Setting]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for setting in declared:
        found[setting.key] = _value(setting)
        if setting.env:
            found[setting.env] = {"description": f"As {setting.key}.", "type": found[setting.key]["type"]}
    return found


def _owner(description: str, owners: Mapping[str, Iterable[Setting]]) -> dict[str, Any]:
    every: dict[str, Any] = {}
    for declared in owners.values():
        every.update(_section(declared))
    named = {"type": "string", "examples": sorted(owners)}
    full = {"type": "object", "required": ["name"], "properties": {"name": named, **every}}
    return {"description": description, "anyOf": [named, full, {"type": "null"}]}


if __name__ == "__main__":
    PATH.write_text(json.dumps(schema(), indent=2) + "\n", "utf-8")
