from __future__ import annotations

import sys
from pathlib import Path

import pytest

from minionize.engines.memory import MemoryEngine
from minionize.errors import EngineError, SettingsError
from minionize.plugins import engine_names, load_engine, load_registry, load_reporter, registry_schemes, reporter_names

PLUGIN = """
from minionize.engines.memory import MemoryEngine

class MyEngine(MemoryEngine):
    name = "mine"
"""

REGISTRY = """
from minionize.registries.directory import DirectoryRegistry

class MyRegistry(DirectoryRegistry):
    name = "mine"
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package beside ours that adds engines and registries, of which one each is good."""
    (tmp_path / "minion_mine.py").write_text(PLUGIN)
    (tmp_path / "minion_registry.py").write_text(REGISTRY)
    (tmp_path / "minion_needs.py").write_text("import no_such_client.api")
    (tmp_path / "minion_raises.py").write_text("raise RuntimeError('boom')")
    info = tmp_path / "mine-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        "[minionize.engines]\nmine = minion_mine:MyEngine\nneeds = minion_needs:X\nodd = minion_mine:__name__\n"
        "nameless = minion_mine:Nope\nraises = minion_raises:X\n"
        "[minionize.registries]\nmine = minion_registry:MyRegistry\nneeds = minion_needs:X\n"
        "odd = minion_mine:MyEngine\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_built_in_names() -> None:
    assert {"memory"} <= set(engine_names())
    assert {"null"} <= set(reporter_names())


def test_a_built_in_is_the_one_class_of_its_file() -> None:
    assert load_engine("memory") is MemoryEngine


@pytest.mark.parametrize("name", engine_names())
def test_every_engine_goes_by_its_name(name: str) -> None:
    assert load_engine(name).name == name


@pytest.mark.parametrize("name", ["google", "kafka", "pulsar", "rabbitmq", "redis"])
def test_an_engine_without_its_client(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    client = load_engine(name).client
    monkeypatch.setitem(sys.modules, client, None)
    words = rf"{client.partition('.')[0]} is not installed; pip install 'minionize\[{name}\]'"
    with pytest.raises(EngineError, match=f"engine {name}: {words}"):
        load_engine(name)


@pytest.mark.parametrize("name", reporter_names())
def test_every_reporter_goes_by_its_name(name: str) -> None:
    assert load_reporter(name).name == name


def test_an_unknown_name() -> None:
    with pytest.raises(SettingsError, match="no engine 'memroy'; did you mean memory"):
        load_engine("memroy")
    with pytest.raises(SettingsError, match="no reporter 'zzz'; known are"):
        load_reporter("zzz")
    with pytest.raises(SettingsError, match=r"no engine '\.\./x'"):
        load_engine("../x")


def test_an_entry_point(install: Path) -> None:
    assert "mine" in engine_names()
    assert load_engine("mine").name == "mine"


def test_an_entry_point_without_its_client(install: Path) -> None:
    words = "entry point minion_needs:X of the package mine cannot be loaded: .*no_such_client.* install what it needs"
    with pytest.raises(EngineError, match=words):
        load_engine("needs")
    assert "minion_needs" not in sys.modules


@pytest.mark.parametrize(("name", "words"), [("nameless", "no attribute 'Nope'"), ("raises", "RuntimeError: boom")])
def test_an_entry_point_that_cannot_be_loaded(install: Path, name: str, words: str) -> None:
    with pytest.raises(EngineError, match=f"engine {name}: the entry point .* cannot be loaded: .*{words}"):
        load_engine(name)


def test_an_entry_point_that_is_no_engine(install: Path) -> None:
    with pytest.raises(EngineError, match="minion_mine:__name__ is no Engine"):
        load_engine("odd")


@pytest.mark.parametrize(
    ("spec", "name", "place"),
    [
        (None, "directory", "/home/me/.local/state/minionize/minions"),
        ("", "directory", "/home/me/.local/state/minionize/minions"),
        ("dir:/a/b:c", "directory", "/a/b:c"),
        ("dir:~/x", "directory", "/home/me/x"),
        (" /a/b ", "directory", "/a/b"),
        ("~/x", "directory", "/home/me/x"),
        ("/a:b/c", "directory", "/a:b/c"),
        ("redis://:hush@host:1/2", "redis", "redis://host:1/2"),
        ("rediss://host", "redis", "rediss://host"),
        ("unix:///run/r.sock", "redis", "unix:///run/r.sock"),
    ],
)
def test_registry(spec: str | None, name: str, place: str) -> None:
    registry = load_registry(spec, {"HOME": "/home/me"})
    assert registry is not None
    assert (registry.name, registry.place) == (name, place)
    registry.close()


def test_no_registry() -> None:
    assert load_registry("none", {}) is None


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("rdis://:hush@host", "no registry 'rdis:'; did you mean redis"),
        ("nonne", "no registry 'nonne'; did you mean none"),
        ("minions", "no registry 'minions'; known are dir, none, redis, rediss, unix; for a directory write dir:PATH"),
        ("https://u:hush@host", "no registry 'https:'; known are"),
        ("redis:hush@host", "registry redis:...: no URL that the redis client takes; write redis://USER"),
    ],
)
def test_no_such_registry(spec: str, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_registry(spec, {})
    assert message in str(caught.value)
    assert "hush" not in str(caught.value)


def test_a_registry_without_its_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(SettingsError, match=r"redis is not installed; pip install 'minionize\[redis\]'"):
        load_registry("redis://host", {})


def test_a_registry_by_entry_point(install: Path) -> None:
    assert "mine" in registry_schemes()
    registry = load_registry("mine://host/x", {})
    assert registry is not None
    assert registry.name == "mine"
    with pytest.raises(SettingsError, match="minion_needs:X of the package mine cannot be loaded"):
        load_registry("needs://host", {})
    with pytest.raises(SettingsError, match="minion_mine:MyEngine is no Registry"):
        load_registry("odd://host", {})
