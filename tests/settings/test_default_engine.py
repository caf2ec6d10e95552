from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from minionize.errors import SettingsError
from minionize.plugins import load_engine
from minionize.settings import default_engine, load


@pytest.fixture
def pipe() -> Iterator[int]:
    reader, writer = os.pipe()
    yield reader
    os.close(reader)
    os.close(writer)


@pytest.fixture
def null() -> Iterator[int]:
    descriptor = os.open(os.devnull, os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


@pytest.fixture
def sweeps(tmp_path: Path) -> Path:
    (tmp_path / "sweeps").mkdir()
    (tmp_path / "sweeps" / "sweeps").write_bytes(b"")
    return tmp_path / "sweeps"


def test_a_sweep_directory_means_execo(sweeps: Path, pipe: int) -> None:
    assert default_engine(sweeps, "params.txt", pipe)[0] == "execo"


def test_a_directory_that_is_none_does_not(tmp_path: Path, null: int) -> None:
    assert default_engine(tmp_path, None, null) == (None, "default")


def test_a_pipe_or_a_file_means_file(tmp_path: Path, pipe: int, null: int) -> None:
    assert default_engine(tmp_path, None, pipe)[0] == "file"
    assert default_engine(tmp_path, "params.txt", null)[0] == "file"
    params = tmp_path / "params.txt"
    params.write_text("1\n")
    with params.open() as stream:
        assert default_engine(tmp_path, None, stream.fileno())[0] == "file"


def test_a_terminal_nothing_and_a_closed_one_mean_nothing(tmp_path: Path, null: int) -> None:
    main, terminal = os.openpty()
    assert default_engine(tmp_path, None, terminal)[0] is None
    os.close(main)
    os.close(terminal)
    assert default_engine(tmp_path, None, null)[0] is None
    assert default_engine(tmp_path, None, -1)[0] is None


def test_load_applies_it_where_nobody_named_an_engine(sweeps: Path, pipe: int) -> None:
    folder = sweeps.parent
    assert load({}, {}, folder, pipe).values["engine"] == "execo"
    assert load({}, {"EXECO_PERSISTENCE_DIR": "elsewhere"}, folder, pipe).values["engine"] == "file"
    assert load({}, {"MINION_ENGINE": "memory"}, folder, pipe).values["engine"] == "memory"
    assert load({}, {}, folder / "gone", -1).values["engine"] is None


def test_none_is_an_error_that_shows_both_ways() -> None:
    with pytest.raises(SettingsError, match=r"(?s)seq 10 \| minionize echo hello.*MINION_ENGINE=execo minionize"):
        load_engine(None)


def test_what_may_not_be_looked_at_is_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, null: int) -> None:
    def refuse(path: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_file", refuse)
    assert default_engine(tmp_path, None, null)[0] == "execo"
    with pytest.raises(SettingsError, match=r"\.env: cannot be read"):
        load({}, {}, tmp_path)
