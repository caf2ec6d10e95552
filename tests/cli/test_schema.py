from __future__ import annotations

import json
from typing import Any

import pytest

from minionize.cli.schema import PATH, schema
from minionize.settings import SETTINGS

jsonschema = pytest.importorskip("jsonschema")
yaml = pytest.importorskip("yaml")


@pytest.fixture(scope="module")
def shipped() -> Any:
    return json.loads(PATH.read_text())


def test_the_shipped_file_is_up_to_date(shipped: Any) -> None:
    assert shipped == json.loads(json.dumps(schema())), "run: python -m minionize.cli.schema"


def test_it_is_a_schema_that_knows_every_key(shipped: Any) -> None:
    jsonschema.Draft202012Validator.check_schema(shipped)
    assert {setting.key for setting in SETTINGS} < set(shipped["properties"])


@pytest.mark.parametrize(
    "yml",
    [
        "",
        "command: [./a.out, --x, 1.10, yes]\nengine: file\nslots: 50%\nretries: 3\ntimeout: 10m\nenv: {A: 1, B: }",
        "command: ./a.out {}\nshell: true\nreporter: null\nexit_retry: [75, '80-85']",
        "engine: {name: execo, persistence_dir: sweeps}\nexit_dead: 3",
        "file: {path: x, decoder: json, FILE_NULL: true}\nexeco:",
        "mypkg: {url: x}",
    ],
)
def test_what_is_right(shipped: Any, yml: str) -> None:
    jsonschema.validate(yaml.safe_load(yml), shipped)


@pytest.mark.parametrize(
    "yml",
    ["retires: 3", "slots: [1]", "output: all", "file: {pth: x}", "engine: {path: x}", "command: []", "- slots"],
)
def test_what_is_wrong(shipped: Any, yml: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(yml), shipped)
