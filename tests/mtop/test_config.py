from __future__ import annotations

import errno
import os
import stat
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minionize.errors import SettingsError
from mtop.columns import COLUMNS, DEFAULT
from mtop.config import METERS, MODES, THEMES, Config, load, place, save
from mtop.view import TREES

OURS = Config(("id", "rate"), (("backlog", "text"), ("minions", "off")), "light", 2.5, "failed", True, "host")


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    return {"XDG_CONFIG_HOME": str(tmp_path / "config")}


def write(home: dict[str, str], text: str | bytes) -> Path:
    path = Path(place(home))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"XDG_CONFIG_HOME": "/c", "HOME": "/h"}, "/c/mtop/config.toml"),
        ({"HOME": "/h"}, "/h/.config/mtop/config.toml"),
        ({"XDG_CONFIG_HOME": "", "HOME": "/h"}, "/h/.config/mtop/config.toml"),
        ({"XDG_CONFIG_HOME": "c", "HOME": "/h"}, "/h/.config/mtop/config.toml"),
    ],
)
def test_place(environ: dict[str, str], expected: str) -> None:
    assert place(environ) == expected


def test_without_a_file_the_defaults_hold(home: dict[str, str]) -> None:
    assert load(home) == (Config(), [])
    assert not Path(place(home)).parent.exists()


def test_what_is_saved_is_read(home: dict[str, str]) -> None:
    assert save(OURS, home) == []
    assert load(home) == (OURS, [])
    path = Path(place(home))
    assert path.read_text().splitlines()[1] == "version = 1"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [each.name for each in path.parent.iterdir()] == ["config.toml"]


@given(
    st.builds(
        Config,
        st.lists(st.sampled_from([each.key for each in COLUMNS]), unique=True, min_size=1).map(tuple),
        st.sets(st.sampled_from(METERS)).flatmap(
            lambda some: st.tuples(
                *(st.tuples(st.just(each), st.sampled_from(MODES)) for each in METERS if each in some)
            )
        ),
        st.sampled_from(THEMES),
        st.floats(0.1, 3600),
        st.sampled_from([each.key for each in COLUMNS]),
        st.booleans(),
        st.sampled_from(TREES),
    )
)
def test_any_set_up_is_read_as_it_was_saved(tmp_path_factory: pytest.TempPathFactory, config: Config) -> None:
    home = {"XDG_CONFIG_HOME": str(tmp_path_factory.getbasetemp() / "any")}
    save(config, home)
    assert load(home) == (config, [])


def test_a_part_of_a_set_up_is_enough(home: dict[str, str]) -> None:
    write(home, 'theme = "light"\n')
    assert load(home) == (Config(theme="light"), [])


@pytest.mark.parametrize(
    ("text", "config", "note"),
    [
        ('them = "light"\ndelay = 2', Config(delay=2.0), "unknown key 'them'; did you mean theme?"),
        ('theme = "lihgt"', Config(), "theme is 'lihgt'; did you mean light?"),
        ("theme = [1]", Config(), "theme is [1]"),
        ("delay = 0", Config(), "delay is 0; it must be a number of seconds from 0.1 to 3600"),
        ("delay = nan", Config(), "delay is nan"),
        ("delay = true", Config(), "delay is True"),
        ("falls = 1", Config(), "falls is 1; it must be true or false"),
        ('tree = "hosts"', Config(), "did you mean host?"),
        ('columns = ["id", "faild"]', Config(columns=("id",)), "no column 'faild'; did you mean failed?"),
        ('columns = ["id", "id", 3]', Config(columns=("id",)), "no column 3"),
        ("columns = []\nx = 1", Config(columns=DEFAULT), "unknown key 'x'"),
        ("columns = 3", Config(), "columns must be a list"),
        ("meters = 3", Config(), "meters must be a table"),
        ('[meters]\nslots = "text"\nslot = "bar"', Config(meters=(("slots", "text"),)), "did you mean slots?"),
        ('[meters]\nslots = "bars"', Config(), "meter slots is 'bars'; did you mean bar?"),
        ("version = 2", Config(), "it is of version 2, and this mtop knows 1; the defaults hold"),
        ("theme = ", Config(), "Invalid value (at end of document); the defaults hold"),
        (b"\xff\xfe", Config(), "the defaults hold"),
        ("x = " + "[" * 10_000, Config(), "the defaults hold"),
        ('"\\u001b[2J" = 1', Config(), r"unknown key '\x1b[2J'"),
    ],
)
def test_what_is_not_understood_is_said(home: dict[str, str], text: str | bytes, config: Config, note: str) -> None:
    path = write(home, text)
    found, notes = load(home)
    assert found == config
    assert len(notes) == 1
    assert notes[0].startswith(f"{path}: ")
    assert note in notes[0]


def test_a_file_that_cannot_be_read_is_said(home: dict[str, str]) -> None:
    Path(place(home)).mkdir(parents=True)
    assert load(home) == (Config(), [f"{place(home)}: Is a directory; the defaults hold"])


@pytest.mark.parametrize("text", ["theme = light\n", "version = 2\nnew = true\n"])
def test_a_file_that_is_not_understood_is_put_aside(home: dict[str, str], text: str) -> None:
    path = write(home, text)
    assert save(OURS, home) == [f"what stood in {path} is now in {path}.bad"]
    assert load(home) == (OURS, [])
    assert Path(f"{path}.bad").read_text() == text
    assert save(OURS, home) == []


def test_a_link_stays_one(home: dict[str, str], tmp_path: Path) -> None:
    kept = tmp_path / "dotfiles.toml"
    kept.write_text("delay = 2")
    path = Path(place(home))
    path.parent.mkdir(parents=True)
    path.symlink_to(kept)
    save(OURS, home)
    assert path.is_symlink()
    assert load({"XDG_CONFIG_HOME": home["XDG_CONFIG_HOME"]}) == (OURS, [])


def test_no_room_leaves_what_was_there(home: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    save(OURS, home)

    def full(fd: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SettingsError, match=r"cannot be kept in .*config.toml: No space left on device"):
        save(Config(), home)
    assert load(home) == (OURS, [])
    assert [each.name for each in Path(place(home)).parent.iterdir()] == ["config.toml"]


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="Not a directory"):
        save(Config(), {"XDG_CONFIG_HOME": str(tmp_path / "file")})


def test_what_is_not_installed_is_said(home: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tomli_w", None)
    with pytest.raises(SettingsError, match=r"tomli-w is not installed; pip install 'minionize\[mtop\]'"):
        save(Config(), home)


def test_a_column_to_sort_by_brings_its_own_direction(tmp_path: Path) -> None:
    (tmp_path / "mtop").mkdir()
    environ = {"XDG_CONFIG_HOME": str(tmp_path)}
    for text, falls in (('sort = "failed"', True), ('sort = "host"', False), ('sort = "failed"\nfalls = false', False)):
        (tmp_path / "mtop/config.toml").write_text(f"version = 1\n{text}\n")
        assert load(environ)[0].falls is falls
