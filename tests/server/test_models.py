"""The models say what the answers are: the names and types of stats/wire.py, kept as version 1."""

from __future__ import annotations

import json
import types
import typing
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from pydantic import BaseModel

from minionize.server import examples, models
from minionize.server.app import make_app
from minionize.stats import wire
from tests.server.fake import FakeMinion

SNAPSHOT = Path(__file__).parent / "openapi.json"
PAIRS = [
    (wire.StatsWire, models.Stats),
    (wire.TaskWire, models.Task),
    (wire.FailuresWire, models.Failures),
    (wire.OutputWire, models.Output),
    (wire.ControlWire, models.Control),
    (wire.RequeuedWire, models.Requeued),
]


def shape(kind: Any) -> Any:
    """What a type says of JSON, whether a TypedDict or a model says it."""
    if typing.is_typeddict(kind):
        return {name: shape(each) for name, each in get_type_hints(kind).items()}
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return {field.alias or name: shape(field.annotation) for name, field in kind.model_fields.items()}
    if get_origin(kind) is typing.Annotated:
        return shape(get_args(kind)[0])
    if kind is Any or kind is object:
        return "any"
    if kind is typing.Literal[1] or kind == typing.Literal[1]:
        return int
    if get_origin(kind) in (types.UnionType, typing.Union):
        return {"any of": [shape(each) for each in get_args(kind)]}
    if get_origin(kind) in (list, dict, tuple):
        return [get_origin(kind), *(shape(each) for each in get_args(kind))]
    return kind


@pytest.mark.parametrize(("said", "modelled"), PAIRS, ids=lambda kind: kind.__name__)
def test_models_are_the_wire(said: Any, modelled: Any) -> None:
    assert shape(modelled) == shape(said)
    assert list(shape(modelled)) == list(shape(said))


def test_a_difference_is_seen() -> None:
    class Other(BaseModel):
        id: str
        stdout: str
        stderr: str | None

    assert shape(Other) != shape(wire.OutputWire)


@pytest.mark.parametrize(
    ("model", "example"),
    [
        (models.Stats, examples.STATS),
        (models.Task, examples.TASKS[0]),
        (models.Failures, examples.FAILURES),
        (models.Output, examples.OUTPUT),
        (models.Control, examples.CONTROL),
        (models.Requeued, examples.REQUEUED),
        (models.Health, examples.HEALTH),
        (models.Problem, examples.PROBLEM),
    ],
)
def test_examples_are_of_the_model(model: type[BaseModel], example: Any) -> None:
    model.model_validate_json(json.dumps(example), strict=True)
    assert model.model_config.get("json_schema_extra") == {"examples": [example]}


def test_the_example_adds_up() -> None:
    counters = examples.COUNTERS
    ended = ("succeeded", "failed", "timed_out", "could_not_start", "preempted", "lease_lost")
    assert counters["received"] == sum(counters[name] for name in ended) + examples.STATS["in_flight"]["count"]  # type: ignore[literal-required]


def promised() -> dict[str, Any]:
    """What the OpenAPI document promises, but for words: paths, parameters, answers, the fields of every model."""
    document = make_app(FakeMinion()).openapi()
    return {
        "paths": {
            f"{method.upper()} {path}": {
                "parameters": [f"{each['in']} {each['name']}" for each in operation.get("parameters", [])],
                "body": kinds(operation.get("requestBody", {})),
                "answers": {status: kinds(answer) for status, answer in sorted(operation["responses"].items())},
                "token": "security" in operation,
            }
            for path, operations in document["paths"].items()
            for method, operation in operations.items()
        },
        "models": {
            name: {key: type_of(each) for key, each in model["properties"].items()}
            for name, model in document["components"]["schemas"].items()
        },
    }


def kinds(answer: Any) -> dict[str, str]:
    return {kind: type_of(content.get("schema", {})) for kind, content in answer.get("content", {}).items()}


def type_of(schema: Any) -> str:
    """Write a type in short."""
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return " or ".join(type_of(each) for each in schema["anyOf"])
    if "const" in schema or "enum" in schema:
        return " or ".join(json.dumps(each) for each in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        return f"[{', '.join(type_of(each) for each in schema.get('prefixItems', [schema.get('items', {})]))}]"
    return str(schema.get("type", "any"))


def test_what_is_promised_is_kept() -> None:
    """A change here is a change for every script. To write it anew: python -m tests.server.test_models."""
    assert promised() == json.loads(SNAPSHOT.read_text())


def test_every_operation_is_described() -> None:
    document = make_app(FakeMinion()).openapi()
    for operations in document["paths"].values():
        for operation in operations.values():
            assert operation["summary"]
            assert operation["description"]
            assert operation["tags"]


def test_errors_are_problems_in_the_document_too() -> None:
    app = make_app(FakeMinion())
    document = app.openapi()
    assert document == app.openapi()
    assert "ValidationError" not in json.dumps(document)
    for operations in document["paths"].values():
        for operation in operations.values():
            for status, answer in operation["responses"].items():
                assert (int(status) >= 400) == ("application/problem+json" in answer.get("content", {}))


if __name__ == "__main__":
    SNAPSHOT.write_text(json.dumps(promised(), indent=1) + "\n")
