from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from minionize.template import LONGEST_ARGUMENT, Template

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
NO_BRACES = st.text(st.characters(codec="utf-8", exclude_characters="\0{}"))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda values: st.lists(values, max_size=3) | st.dictionaries(TEXTS, values, max_size=3),
    max_leaves=8,
)


def render(words: str, param: Any, **how: int) -> list[str]:
    return list(Template(words.split(" ")).render(param, **how))


@given(st.lists(NO_BRACES, min_size=1), TEXTS)
def test_without_a_placeholder_the_param_is_appended(words: list[str], param: str) -> None:
    assert Template(words).render(param) == (*words, param)


@given(JSON)
def test_appending_is_a_placeholder_at_the_end(param: Any) -> None:
    assert render("prog", param) == render("prog {}", param)


@given(st.lists(TEXTS, min_size=1), JSON)
def test_literal_leaves_every_word_alone(words: list[str], param: Any) -> None:
    assert Template(words, literal=True).render(param)[: len(words)] == tuple(words)


@given(NO_BRACES, TEXTS, NO_BRACES)
def test_a_param_is_data(before: str, param: str, after: str) -> None:
    assert Template(["prog", f"{before}{{}}{after}"]).render(param) == ("prog", f"{before}{param}{after}")


@pytest.mark.parametrize(
    ("param", "appended"),
    [
        ("a b", ["a b"]),
        ("", [""]),
        (7, ["7"]),
        (1.0, ["1.0"]),
        (1e22, ["1e+22"]),
        (True, ["true"]),
        (None, ["null"]),
        ((1, "b", None), ["1", "b", "null"]),
        ([], []),
        ([{"a": 1}, [2]], ['{"a":1}', "[2]"]),
        ({"a": 1, "b": [1]}, ['{"a":1,"b":[1]}']),
        ("\udcff", ["\udcff"]),
        (b"\xff", ["\udcff"]),
    ],
)
def test_what_is_appended(param: Any, appended: list[str]) -> None:
    assert render("prog", param) == ["prog", *appended]


@pytest.mark.parametrize(
    ("words", "argv"),
    [
        ("cp {} {}.bak", ["cp", "d/f.tar.gz", "d/f.tar.gz.bak"]),
        ("p {/} {//} {.} {/.}", ["p", "f.tar.gz", "d", "d/f.tar", "f.tar"]),
        ("p {%}-{#} {}", ["p", "3-9", "d/f.tar.gz"]),
        ("p {#}", ["p", "9"]),
        ("p --x={}", ["p", "--x=d/f.tar.gz"]),
        ("{} -v", ["d/f.tar.gz", "-v"]),
    ],
)
def test_placeholders(words: str, argv: list[str]) -> None:
    assert render(words, "d/f.tar.gz", slot=3, seq=9) == argv


@pytest.mark.parametrize(
    ("path", "base", "directory", "stem", "base_stem"),
    [
        # Each row is what GNU parallel makes of {/} {//} {.} {/.}.
        ("x/a.c", "a.c", "x", "x/a", "a"),
        (".bashrc", ".bashrc", ".", "", ""),
        ("x.y/a", "a", "x.y", "x.y/a", "a"),
        ("a.", "a.", ".", "a", "a"),
        ("x/.rc", ".rc", "x", "x/", ""),
        ("a/", "", ".", "a/", ""),
        ("/a", "a", "/", "/a", "a"),
        ("x//b", "b", "x", "x//b", "b"),
        ("a/b/", "", "a", "a/b/", ""),
        ("/", "", "/", "/", ""),
        ("a", "a", ".", "a", "a"),
    ],
)
def test_paths_as_gnu_parallel(path: str, base: str, directory: str, stem: str, base_stem: str) -> None:
    assert render("p {/} {//} {.} {/.}", path) == ["p", base, directory, stem, base_stem]


FIELDS = {"a": 1, "b": {"c": [10, {"d": "deep"}]}, "ok": True, "no": None, "l": [1, "x"]}


@pytest.mark.parametrize(
    ("word", "filled"),
    [
        ("{a}", "1"),
        ("{b.c.0}", "10"),
        ("{b.c.1.d}!", "deep!"),
        ("{ok}{no}", "truenull"),
        ("{l}", '[1,"x"]'),
        ("{b}", '{"c":[10,{"d":"deep"}]}'),
        ("${a}", "${a}"),
        ("$ {a}", "$ 1"),
    ],
)
def test_fields(word: str, filled: str) -> None:
    assert Template(["p", word, "{%}"]).render(FIELDS) == ("p", filled, "1")


@pytest.mark.parametrize(
    ("word", "why"),
    [
        ("{z}", "no field 'z' in the param for {z}: it has the fields a, b, l, no, ok"),
        ("{b.z}", "no field 'z' in b of the param for {b.z}: it has the fields c"),
        ("{b.c.7}", "no field '7' in b.c of the param for {b.c.7}: it is a list of 2"),
        ("{a.b}", "no field 'b' in a of the param for {a.b}: it is '1'"),
    ],
)
def test_a_missing_field_is_named_with_those_there_are(word: str, why: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the whole message is compared
        Template(["p", word]).render(FIELDS)
    assert str(caught.value) == why


@pytest.mark.parametrize("word", ["{print $1}", '{"a": 1}', "${HOME}", "{0}", "{a-b}", "{ }", "{a", "a}", "{a..b}"])
@pytest.mark.parametrize("param", ["x", {"HOME": 1, "a": 2}])
def test_other_braces_stay(word: str, param: Any) -> None:
    assert Template(["p", word]).render(param)[:2] == ("p", word)
    assert len(Template(["p", word]).render(param)) == 3


def test_a_name_is_no_placeholder_for_a_param_without_fields() -> None:
    template = Template(["p", "{a}", "x{b.c}"])
    assert template.render("v") == ("p", "{a}", "x{b.c}", "v")
    assert template.render([1, 2]) == ("p", "{a}", "x{b.c}", "1", "2")
    assert Template(["p", "{a}", "{}"]).render("v") == ("p", "{a}", "v")


def test_a_list_inside_a_word_is_json() -> None:
    assert render("p {} x={}", [1, "a"]) == ["p", "1", "a", 'x=[1,"a"]']


def test_nothing_is_appended_where_the_param_goes_to_stdin() -> None:
    template = Template(["p", "{n}"], append=False)
    assert template.render("v") == ("p", "{n}")
    assert template.render({"n": 1}) == ("p", "1")


@pytest.mark.parametrize("param", ["a\0b", "\ud800", "x" * (LONGEST_ARGUMENT + 1), "é" * 65_536])
@pytest.mark.parametrize("words", [["p"], ["p", "{}"], ["p", "x{}"]])
def test_what_no_argument_can_hold_names_the_way_out(param: Any, words: list[str]) -> None:
    with pytest.raises(ValueError, match="--stdin"):
        Template(words).render(param)


def test_the_longest_argument_passes() -> None:
    assert render("p", "x" * LONGEST_ARGUMENT) == ["p", "x" * LONGEST_ARGUMENT]


def test_it_knows_whether_the_program_depends_on_the_param() -> None:
    assert Template(["{}"]).program_varies
    assert Template(["bin/{name}", "x"]).program_varies
    assert not Template(["p", "{}"]).program_varies
    assert not Template(["{}"], literal=True).program_varies
    assert not Template(["{}"], shell=True).program_varies


@given(JSON, st.sampled_from(["{}", "{/}", "{//}", "{.}", "{/.}", "{%}{#}"]))
@example({"a": {"a": 1}}, "{}")
def test_every_json_value_can_be_filled_in(param: Any, word: str) -> None:
    (_, *rest) = Template(["p", f"<{word}>"]).render(param)
    assert len(rest) == 1
    if isinstance(param, (dict, list)) and word == "{}":
        assert json.loads(rest[0][1:-1]) == param
