from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minionize.shellline import quote, wraps
from minionize.template import Template

NASTY = "a b'\"`id`$(id)\\;&|#\n{}$HOME*~!>x"

LINES = [
    "printf %s {}",
    "printf %s",
    'printf %s "{}"',
    'printf %s "<{}"',
    "printf %s '{}'",
    "printf %s \"$(printf %s '{}')\"",
    'printf %s "$(printf %s {})"',
    'printf %s "$(printf %s "{}")"',
    'x={}; printf %s "$x"',
    "x=`echo 1`; printf %s {}",
    "cd ${PWD}; printf %s {}",
    ": $((1+1)); printf %s {}",
    "case {} in *) printf %s {};; esac",
    "(printf %s {})",
    "# it's a comment\n# and 'another\nprintf %s {}",
    "printf %.0s%s a\\'b {}",
    "printf %.0s%s x\\ #'y' {}",
    "printf %s '' ; printf %s {}",
]


def run(line: str, param: Any) -> str:
    argv = Template([line], shell=True).render(param)
    assert argv[:2] == ("/bin/sh", "-c")
    done = subprocess.run(argv, capture_output=True, check=True, cwd="/", timeout=10)
    assert not done.stderr
    return done.stdout.decode().rstrip("\n")


@pytest.mark.parametrize("line", LINES)
def test_a_param_is_data_wherever_the_line_holds_it(line: str) -> None:
    assert run(line, NASTY).lstrip("<") == NASTY


@pytest.mark.parametrize(
    "line",
    [
        "cat <<END\n{}\nEND",
        "printf %s `printf %s {}`",
        'printf %s "`printf %s {}`"',
        "printf %s ${x:-{}}",
        "printf %s $(( {} + 1 ))",
        "printf %s \\{}",
        'printf %s "\\{}"',
        "printf %s ${}",
        "printf %s $'{}'",
        "printf %s # {}",
        "(case x in x) printf %s {};; esac)",
        "printf x\\\n#y {}",
        "(#x\nprintf %s {}",
    ],
)
def test_where_nothing_can_be_quoted_the_line_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="MINION_PARAM"):
        Template([line], shell=True)


@pytest.mark.parametrize("line", ["for i in 1; do echo; done", "echo;", "echo &", "echo |", "(echo)", "{ echo; }"])
def test_a_line_behind_which_no_argument_can_stand_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="nothing can be appended"):
        Template([line], shell=True)
    assert Template([line], shell=True, append=False).render("x") == ("/bin/sh", "-c", line)


@settings(max_examples=30, deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_characters="\0")), st.sampled_from(LINES[:6]))
def test_any_text_reaches_the_program_as_it_is(param: str, line: str) -> None:
    assert run(f"{line}; echo" if "{}" in line else line, param).lstrip("<") == param.rstrip("\n").lstrip("<")


def test_a_number_is_no_file_descriptor(tmp_path: Path) -> None:
    assert run(f"echo {{}}>{tmp_path}/out; cat {tmp_path}/out", 2) == "2"


def test_several_words_are_one_line_and_lists_are_several_arguments() -> None:
    assert Template(["printf", "%s-"], shell=True).render(["a b", 1]) == ("/bin/sh", "-c", "printf %s- 'a b' '1'")
    assert Template(["echo '{}'"], shell=True).render([1]) == ("/bin/sh", "-c", "echo '''[1]'''")


def test_a_line_for_mappings_only_stays_good_for_mappings() -> None:
    template = Template(["for f in {n}; do echo $f; done"], shell=True)
    assert template.render({"n": "a"}) == ("/bin/sh", "-c", "for f in 'a'; do echo $f; done")
    with pytest.raises(ValueError, match="nothing can be appended"):
        template.render("a")


def test_literal_has_no_placeholders() -> None:
    assert Template(["echo {}"], shell=True, literal=True).render("x") == ("/bin/sh", "-c", "echo {} 'x'")


def test_a_hash_behind_a_hole_begins_no_comment() -> None:
    assert wraps(["echo ", '#"', '"']) == ["", '"']


@given(st.text())
def test_quotes_close(text: str) -> None:
    assert wraps([quote(text), ""]) == [""]
