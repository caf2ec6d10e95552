"""The rules of the house that no type checker sees. Twins of the import contracts in pyproject.toml, at run time."""

from __future__ import annotations

import ast
import importlib
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from minionize.registries.directory import DirectoryRegistry
from minionize.testing.announcements import make_announcement

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "minionize"
MTOP = ROOT / "mtop"
MODULES = sorted([*PACKAGE.rglob("*.py"), *MTOP.rglob("*.py")])
GROUPS = {
    "engines": "EngineContract",
    "callbacks": "CallbackContract",
    "reporters": "ReporterContract",
    "registries": "RegistryContract",
}
IMPLEMENTATIONS = [
    pytest.param(group, path.stem, id=f"{group}.{path.stem}")
    for group in GROUPS
    for path in sorted((PACKAGE / group).glob("[!_]*.py"))
]
CLIENTS = ("execo", "execo_engine", "google", "pulsar", "redis", "pika", "confluent_kafka", "docker")
HEAVY = ("asyncio", "fastapi", "uvicorn", "pydantic", "textual", "httpx", "rich", "yaml")
SHARED = {
    "announcement", "cause", "cli.border", "cli.start", "console", "errors", "names", "plugins", "quoting", "records",
    "registries", "registry", "settings", "stats", "version",
}  # fmt: skip
"""What mtop imports of minionize: docs/decisions.md tells why."""


def name_of(path: Path) -> str:
    """The module's dotted name."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported_by(*arguments: str, status: int = 0) -> set[str]:
    """Every module that a fresh interpreter imports for these arguments beyond what it needs for nothing."""

    def imports(*words: str, status: int = 0) -> set[str]:
        environ = {key: value for key, value in os.environ.items() if not key.startswith(("MINION_", "PYTHON"))}
        done = subprocess.run(
            [sys.executable, "-X", "importtime", *words], cwd=ROOT, env=environ, capture_output=True, text=True
        )
        assert done.returncode == status, done.stderr
        return {line.rsplit("|", 1)[1].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}

    return imports(*arguments, status=status) - imports("-c", "pass")


def inside(modules: set[str], *packages: str) -> set[str]:
    """Those of the modules that are one of the packages or lie in one."""
    return {module for module in modules for package in packages if f"{module}.".startswith(f"{package}.")}


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_imports_no_client_and_nothing_heavy(option: str) -> None:
    loaded = imported_by("-m", "minionize", option)
    assert inside(loaded, "minionize.cli"), "it did not even import the command line"
    assert not inside(loaded, *CLIENTS, *HEAVY, "minionize.worker", "minionize.sweepdir")


def test_import_of_the_package_is_almost_free() -> None:
    assert inside(imported_by("-c", "import minionize"), "minionize") <= {"minionize", "minionize.version"}


@pytest.mark.parametrize(("group", "name"), IMPLEMENTATIONS)
def test_implementation_imports_its_contract_only(group: str, name: str) -> None:
    mine = f"minionize.{group}.{name}"
    loaded = imported_by("-c", f"import {mine}")
    others = inside(loaded, *(f"minionize.{each}" for each in GROUPS)) - {mine, *(f"minionize.{g}" for g in GROUPS)}
    above = inside(loaded, *(f"minionize.{each}" for each in ("cli", "worker", "plugins", "settings", "testing")))
    strangers = inside(loaded, *CLIENTS, "mtop") if name != "execo" else inside(loaded, "mtop")
    assert not others | above | strangers


@pytest.mark.parametrize(("group", "name"), IMPLEMENTATIONS)
def test_implementation_passes_its_contract_suite(group: str, name: str) -> None:
    tests = [
        path for path in (ROOT / "tests" / group).glob("test_*.py") if f"minionize.{group}.{name}" in path.read_text()
    ]
    assert any(GROUPS[group] in path.read_text() for path in tests), f"no test runs {GROUPS[group]} on {name}"


@pytest.mark.parametrize("package", [PACKAGE, MTOP], ids=lambda package: package.name)
def test_every_module_has_its_place_in_the_layers(package: Path) -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = [layer for contract in contracts if contract["type"] == "layers" for layer in contract["layers"]]
    placed = {word.strip() for layer in layers for word in layer.replace("|", ":").split(":")}
    free = {f"{package.name}.{name}" for name in ("__init__", "__main__", "version")}
    parts = {path for path in package.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    found = {f"{package.name}.{path.stem}" for path in parts} - free
    assert found == {name for name in placed if name.startswith(f"{package.name}.")}


def test_mtop_shares_with_minionize_what_is_agreed() -> None:
    strange = {
        (name_of(path), name)
        for path in MTOP.rglob("*.py")
        for name in names_imported(ast.parse(path.read_text()))
        if name.startswith("minionize.") and not inside({name}, *(f"minionize.{each}" for each in SHARED))
    }
    assert not strange


def names_imported(tree: ast.Module) -> Iterator[str]:
    """The modules that a module imports, wherever that stands in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (
                [f"minionize.{alias.name}" for alias in node.names] if node.module == "minionize" else [node.module]
            )


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_of_mtop_imports_nothing_heavy(option: str) -> None:
    loaded = imported_by("-m", "mtop", option)
    assert inside(loaded, "mtop.cli"), "it did not even import the command line"
    assert not inside(loaded, *CLIENTS, *HEAVY, "httptools", "msgspec", "mtop.app", "mtop.live", "mtop.poll")


@pytest.mark.parametrize("form", ["--once", "--json", "--csv"])
def test_a_look_at_the_fleet_imports_nothing_heavy(form: str, tmp_path: Path) -> None:
    registry = DirectoryRegistry(str(tmp_path), {})
    registry.announce(make_announcement("m1", url=None))
    loaded = imported_by("-m", "mtop", form, "-r", f"dir:{tmp_path}", status=1)
    assert inside(loaded, "mtop.once"), "it did not even look"
    assert not inside(loaded, *CLIENTS, *HEAVY, "aiohttp", "mtop.app", "mtop.screens", "mtop.widgets", "mtop.serve")


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_module_is_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_module_keeps_no_state(path: Path) -> None:
    assert not list(state(ast.parse(path.read_text())))


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_module_exports_what_it_has(path: Path) -> None:
    if path.stem == "__main__":
        return
    module = importlib.import_module(name_of(path))
    names = list(getattr(module, "__all__", ()))
    assert len(names) == len(set(names))
    assert [name for name in names if not hasattr(module, name)] == []


def test_public_names_are_those_of_dir() -> None:
    package = importlib.import_module("minionize")
    assert set(package.__all__) <= set(dir(package))


def state(tree: ast.Module) -> Iterator[str]:
    """What a module keeps beyond its constants: names rebound by functions, variables that hold something mutable."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Global):
            yield f"line {node.lineno}: global {', '.join(node.names)}"
    for statement in at_import(tree.body):
        for node in ast.walk(statement):
            if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv"):
                yield f"line {node.lineno}: reads the environment at import"
        if isinstance(statement, ast.Assign | ast.AnnAssign):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            names = [target.id for target in targets if isinstance(target, ast.Name)]
            constants = all(name == name.upper() or name.startswith("__") for name in names)
            if not constants and mutable(statement.value):
                yield f"line {statement.lineno}: {', '.join(names)} is a mutable variable of the module"


def at_import(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The plain statements that run when a module is imported."""
    for statement in body:
        if isinstance(statement, ast.If | ast.Try | ast.With):
            yield from at_import(statement.body)
        elif not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield statement


def mutable(value: ast.expr | None) -> bool:
    """Whether an expression makes a list, dict, set or the like."""
    if isinstance(value, ast.Call):
        makers = {"list", "dict", "set", "defaultdict", "deque", "Counter", "OrderedDict", "bytearray", "count", "Lock"}
        function = value.func
        return (function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")) in makers
    return isinstance(value, ast.List | ast.Dict | ast.Set | ast.ListComp | ast.DictComp | ast.SetComp)


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("TABLE = {1: 2}", 0),
        ("__all__ = ['a']\n_NAMES = ['a']", 0),
        ("cache = {}", 1),
        ("seen: set[str] = set()", 1),
        ("import os\nHOME = os.environ['HOME']", 1),
        ("def f():\n    global x\n    x = []", 1),
        ("def f():\n    x = []", 0),
    ],
)
def test_state_is_seen(code: str, found: int) -> None:
    assert len(list(state(ast.parse(code)))) == found
