from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.blocks import blocks, commands, matches, try_page

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_page_does_what_it_says(path: Path, tmp_path: Path) -> None:
    wrong = try_page(path.read_text(), tmp_path)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_python_on_the_page_is_python(path: Path) -> None:
    for block in blocks(path.read_text()):
        if block.language == "python":
            compile(block.text, f"{path.name}:{block.line}", "exec")


PAGE = """
```python title="a.py"
print("one")
print("two")
```

<!-- any order -->
```console
$ python a.py
two
one
```
"""


def test_page_is_tried(tmp_path: Path) -> None:
    assert try_page(PAGE, tmp_path) == []
    assert len(try_page(PAGE.replace("two\none", "two\nthree"), tmp_path)) == 1
    assert len(try_page(PAGE.replace("<!-- any order -->", ""), tmp_path)) == 1


def test_commands_may_go_on_over_lines() -> None:
    (block,) = blocks("```console\n$ cat <<END\n> one\n> END\none\n$ true\n```\n")
    assert [(command.words, command.output) for command in commands(block)] == [
        ("cat <<END\none\nEND", ["one"]),
        ("true", []),
    ]


@pytest.mark.parametrize(
    ("expected", "printed", "same"),
    [
        (["a", "..."], ["a", "b", "c"], True),
        (["a", "...", "d"], ["a", "b"], False),
        (["took ... s"], ["took 0.3 s"], True),
        (["took ... s"], ["took 0.3"], False),
        ([], ["a"], False),
        (["."], ["a"], False),
    ],
)
def test_matches(expected: list[str], printed: list[str], same: bool) -> None:
    assert matches(expected, printed) is same
