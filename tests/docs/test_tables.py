from __future__ import annotations

import re

import pytest

import minionize
from docs.tables import MARK, ROOT, TABLES, exit_codes, pages, updated
from minionize.errors import ExitCode
from minionize.task import RECORD_FIELDS


def test_tables_are_up_to_date() -> None:
    stale = [str(path.relative_to(ROOT)) for path in pages() if updated(path.read_text()) != path.read_text()]
    assert not stale, f"run: ./check fix ({', '.join(stale)})"


def test_every_table_is_somewhere() -> None:
    assert {found["name"] for path in pages() for found in MARK.finditer(path.read_text())} == set(TABLES)


def test_a_stale_table_is_seen() -> None:
    page = "<!-- table: exit-codes -->\n\n| exit code |\n\n<!-- /table -->\n"
    assert exit_codes() in updated(page) != page


@pytest.mark.parametrize("page", ["README.md", "docs/reference/exit-codes.md"])
def test_page_tells_every_exit_code(page: str) -> None:
    told = re.findall(r"^\| (\d+)(?:\+N)? \|", (ROOT / page).read_text(), re.MULTILINE)
    assert [int(code) for code in told] == [int(code) for code in ExitCode]


def test_record_page_tells_every_field() -> None:
    told = re.findall(r"^\| `(\w+)` \|", (ROOT / "docs/reference/records.md").read_text(), re.MULTILINE)
    assert told == list(RECORD_FIELDS)


def test_python_page_tells_every_public_name() -> None:
    page = (ROOT / "docs/reference/python.md").read_text()
    assert [name for name in minionize.__all__ if f"`{name}" not in page] == []


def test_architecture_page_tells_every_module() -> None:
    page = (ROOT / "docs/architecture.md").read_text()
    package = ROOT / "minionize"
    modules = [path.name for path in package.glob("[!_]*.py") if path.stem != "version"]
    folders = [f"{path.parent.name}/" for path in package.glob("*/__init__.py")]
    assert [name for name in modules + folders if f"`{name}`" not in page] == []


def test_architecture_page_tells_every_part_of_mtop_and_no_other() -> None:
    page = (ROOT / "docs/architecture.md").read_text()
    rows = page[page.index("## mtop") : page.index("## Import rules")].split("\n| `")[1:]
    told = {name.removeprefix("mtop/") for row in rows for name in re.findall("[^`, ]+", row.partition("|")[0])}
    package = ROOT / "mtop"
    folders = {f"{path.parent.name}/" for path in package.glob("*/__init__.py")}
    assert told == folders | {path.name for path in package.glob("[!_]*.py")}
