"""What minions answer is read with no trust: it is what its type says, or nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from minionize.server import examples
from mtop.live.answers import Answers, Garbled

ANSWERS = Answers()
READ: dict[str, tuple[Callable[[bytes], Any], Any]] = {
    "tasks": (ANSWERS.tasks, examples.TASKS),
    "failures": (ANSWERS.failures, examples.FAILURES),
    "output": (ANSWERS.output, examples.OUTPUT),
    "control": (ANSWERS.control, examples.CONTROL),
}
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=4,
)


def alike(value: Any, example: Any) -> bool:
    """Whether a value has the shape of an example, as far as that tells."""
    if isinstance(example, dict):
        return isinstance(value, dict) and all(
            name == "param" or example[name] is None or value[name] is None or alike(value[name], example[name])
            for name in example
        )
    if isinstance(example, list):
        return isinstance(value, list) and all(alike(each, example[0]) for each in value if example)
    if isinstance(example, float):
        return isinstance(value, int | float) and not isinstance(value, bool)
    return type(value) is type(example)


@pytest.mark.parametrize("name", READ)
def test_what_a_minion_answers_is_read(name: str) -> None:
    read, example = READ[name]
    assert read(json.dumps(example).encode()) == example
    assert read(json.dumps(_with(example, "more", 1)).encode()) == example, "names are added, and passed over"


def _with(example: Any, name: str, value: Any) -> Any:
    return [{**each, name: value} for each in example] if isinstance(example, list) else {**example, name: value}


@given(st.data(), st.sampled_from(sorted(READ)), anything)
def test_anything_else_is_none(data: st.DataObject, name: str, value: Any) -> None:
    read, example = READ[name]
    wrong = deepcopy(example)
    place = wrong[0] if isinstance(wrong, list) else wrong
    while True:
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        if not (isinstance(place[key], dict | list) and place[key] and data.draw(st.booleans())):
            break
        place = place[key]
    place[key] = value
    words = ""
    try:
        found = read(json.dumps(wrong).encode())
    except Garbled as error:
        words = str(error)
    else:
        assert alike(found, example)
    assert words.isprintable()


@given(st.binary(max_size=50) | st.text(alphabet='[]{}":,1a\\u', min_size=3, max_size=30).map(str.encode))
def test_any_bytes(data: bytes) -> None:
    assume(data.split() != [b"[]"])
    for read, _ in READ.values():
        with pytest.raises(Garbled):
            read(data)
    assert ANSWERS.problem(data) == ""


def test_params_stay_with_what_they_belong_to() -> None:
    tasks = [{**examples.TASKS[0], "id": str(number), "param": [number] * number} for number in range(5)]
    assert [task["param"] for task in ANSWERS.tasks(json.dumps(tasks).encode())] == [[n] * n for n in range(5)]
