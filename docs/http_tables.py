"""The tables of the HTTP API's reference, made from the OpenAPI document, the kinds of problems and the metrics."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from minionize.server import examples
from minionize.server.app import make_app
from minionize.server.metrics import metrics
from minionize.server.problems import KINDS

Row = Sequence[Any]


def routes() -> Iterator[Row]:
    """Every route: what it is for, and whether it needs the token."""
    yield ("route", "", "token")
    for path, operations in _document()["paths"].items():
        for method, operation in operations.items():
            words = f"{operation['summary']}. {operation['description']}"
            yield (f"`{method.upper()} {path}`", " ".join(words.split()), "yes" if "security" in operation else "")


def fields(model: str) -> Iterator[Row]:
    """Every field of an answer."""
    yield ("field", "type", "")
    schemas = _document()["components"]["schemas"]
    yield from _fields(schemas, schemas[model], "")


def problems() -> Iterator[Row]:
    """Every kind of problem."""
    yield ("name", "status", "")
    for name, kind in KINDS.items():
        yield (f"`{name}`", kind.status or "", kind.meaning)


def exported() -> Iterator[Row]:
    """Every metric."""
    yield ("metric", "type", "labels", "")
    for family in metrics(examples.STATS):
        name = family.name + {"counter": "_total", "info": "_info"}.get(family.type, "")
        labels = sorted({label for sample in family.samples for label in sample.labels} - {"le"})
        if name == "minionize_labels":
            labels = ["label_KEY"]
        yield (f"`{name}`", family.type, ", ".join(f"`{label}`" for label in labels), family.documentation)


def _fields(schemas: dict[str, Any], model: dict[str, Any], prefix: str) -> Iterator[Row]:
    for name, schema in model["properties"].items():
        inner = _inner(schemas, schema)
        words = schema.get("description") or (inner or {}).get("description", "")
        yield (f"`{prefix}{name}`", _type(schema), " ".join(words.split()))
        if inner is not None:
            yield from _fields(schemas, inner, f"{prefix}{name}{'[]' if schema.get('type') == 'array' else ''}.")


def _inner(schemas: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any] | None:
    """Return the model that a field holds, if it holds one."""
    for each in (schema, schema.get("items", {}), *schema.get("anyOf", ())):
        if "$ref" in each:
            inner: dict[str, Any] = schemas[each["$ref"].rpartition("/")[2]]
            return inner
    return None


def _type(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_type(each) for each in schema["anyOf"]))
    if "const" in schema or "enum" in schema:
        return ", ".join(f"`{json.dumps(each)}`" for each in schema.get("enum", [schema.get("const")]))
    return "object" if "$ref" in schema else str(schema.get("type", "any"))


def _document() -> dict[str, Any]:
    return make_app(None).openapi()  # type: ignore[arg-type]
