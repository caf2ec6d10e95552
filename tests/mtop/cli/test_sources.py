from __future__ import annotations

from pathlib import Path

import pytest

from minionize.errors import SettingsError
from mtop.cli.sources import registries_of, token_from


@pytest.fixture(autouse=True)
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_command_line_comes_first() -> None:
    environ = {"MINION_REGISTRY": "dir:/env"}
    assert registries_of(["dir:/a", "redis://b"], [], environ) == ["dir:/a", "redis://b"]


def test_the_environment_then_dotenv_then_the_file_then_the_home(tmp_path: Path) -> None:
    assert registries_of([], [], {}) == [""]
    (tmp_path / ".minionize.yml").write_text("registry: dir:/file\nengine: {name: file, path: x}\n")
    assert registries_of([], [], {}) == ["dir:/file"]
    (tmp_path / ".env").write_text("MINION_REGISTRY=dir:/dotenv\n")
    assert registries_of([], [], {}) == ["dir:/dotenv"]
    assert registries_of([], [], {"MINION_REGISTRY": "dir:/env"}) == ["dir:/env"]
    assert registries_of([], [], {"MINION_REGISTRY": ""}) == ["dir:/dotenv"]


def test_a_file_named_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "my.yml").write_text("registry: dir:/mine\n")
    assert registries_of([], [], {"MINION_CONFIG": "my.yml"}) == ["dir:/mine"]


def test_a_broken_file_is_said(tmp_path: Path) -> None:
    (tmp_path / ".minionize.yml").write_text("registri: dir:/file\n")
    with pytest.raises(SettingsError, match=r"line 1.*registri.*did you mean registry"):
        registries_of([], [], {})


def test_urls_alone_are_looked_at_alone() -> None:
    environ = {"MINION_REGISTRY": "dir:/env"}
    assert registries_of([], ["http://h:1"], environ) == []
    assert registries_of(["dir:/a"], ["http://h:1"], environ) == ["dir:/a"]
    assert registries_of(["none"], ["http://h:1"], environ) == []


@pytest.mark.parametrize(("specs", "environ"), [(["none"], {}), ([], {"MINION_REGISTRY": "none"})])
def test_nowhere_to_look(specs: list[str], environ: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="nowhere to look"):
        registries_of(specs, [], environ)


def test_a_token_is_read(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("hush-1234\n")
    path.chmod(0o600)
    assert token_from(str(path)) == ("hush-1234", None)


def test_a_token_that_others_can_read_is_said(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("hush-1234\n")
    path.chmod(0o644)
    token, fault = token_from(str(path))
    assert token == "hush-1234"
    assert fault == f"--token-file {path}: other users may read it (mode 0644); chmod 600 it"


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "must hold a token"), (b"a\nb", "must hold a token"), (b"a b", "must hold a token"),
     (b"x" * 501, "must hold a token"), (b"\xff", "printable ASCII"), (b"a\x1b[2J", "must hold a token")],
    ids=["none", "lines", "words", "long", "bytes", "escapes"],
)  # fmt: skip
def test_what_is_no_token(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "token"
    path.write_bytes(content)
    with pytest.raises(SettingsError, match=f"--token-file .*{message}") as told:
        token_from(str(path))
    assert "x" * 20 not in str(told.value)


def test_a_token_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"--token-file .*gone: No such file"):
        token_from(str(tmp_path / "gone"))
