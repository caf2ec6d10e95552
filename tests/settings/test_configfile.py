from __future__ import annotations

from pathlib import Path

import pytest

from minionize.errors import SettingsError
from minionize.setting import Setting, text
from minionize.settings import Settings, load

OWN = (Setting("path", "FILE_PATH", text, None, "A path."),)


def read(folder: Path, yml: str, **cli: object) -> Settings:
    (folder / ".minionize.yml").write_text(yml)
    return load(cli, {}, folder)


@pytest.mark.parametrize(
    ("yml", "message"),
    [
        ("retires: 3", ".minionize.yml, line 1: unknown key 'retires'; did you mean retries?"),
        ("slots: 1\nretry-delay: 3", ".minionize.yml, line 2: unknown key 'retry-delay'; did you mean retry_delay?"),
        ("memroy: {a: 1}", ".minionize.yml, line 1: unknown key 'memroy'; did you mean memory?"),
        ("slots: many", ".minionize.yml, line 1: slots is 'many'; it must be a number of slots"),
        ("retries: [1]", ".minionize.yml, line 1: retries is [1]; it must be a whole number"),
        ("shell: 3", ".minionize.yml, line 1: shell is 3; it must be yes or no"),
        ("engine: [file]", ".minionize.yml, line 1: engine is ['file']; it must be a text"),
        ("engine: {path: x}", ".minionize.yml, line 1: engine needs a name"),
        ("- slots", ".minionize.yml, line 1: the file must be a mapping"),
        ("env: [A=1]", ".minionize.yml, line 1: env must be a mapping"),
        ("env: {A: [1]}", ".minionize.yml, line 1: env.A must be a text"),
        ("file: x", ".minionize.yml, line 1: file must be a mapping"),
        ("command: {a: 1}", ".minionize.yml, line 1: command must be a text, or a list of texts"),
        ("command: []", ".minionize.yml, line 1: command must name a program"),
        ("command: 'a \"b'", ".minionize.yml, line 1: command cannot be cut into words"),
        ("slots: 1\nslots: 2", ".minionize.yml, line 2: slots stands there twice"),
        ("slots: 1\nenv: {a: 1", ".minionize.yml, line 2: no YAML: "),
        ("slots: !!python/object:os.system {}", ".minionize.yml, line 1: no YAML: "),
        ("slots: 1\n---\nslots: 2", ".minionize.yml, line 2: no YAML: "),
        ("[" * 5000, ".minionize.yml: nested too deeply"),
    ],
)
def test_what_nobody_understands_is_refused_with_its_place(tmp_path: Path, yml: str, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read(tmp_path, yml)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("yml", ["", "# nothing\n", "---\n", "env:\nfile:\nretries:\n"])
def test_nothing_is_nothing(tmp_path: Path, yml: str) -> None:
    assert read(tmp_path, yml).values == load({}, {}, tmp_path / "elsewhere").values


def test_words_keep_the_form_in_which_they_were_written(tmp_path: Path) -> None:
    found = read(tmp_path, "command: [./a.out, --x, 1.10, yes, '{}']\nenv: {A: 1.10, B: yes, C: , D: 010}")
    assert found.command == ("./a.out", "--x", "1.10", "yes", "{}")
    assert found.env == {"A": "1.10", "B": "yes", "C": "", "D": "010"}


def test_a_line_is_cut_into_words_but_for_the_shell(tmp_path: Path) -> None:
    assert read(tmp_path, "command: echo 'a b' c").command == ("echo", "a b", "c")
    assert read(tmp_path, "command: echo 'a b' c\nshell: true").command == ("echo 'a b' c",)
    assert read(tmp_path, "command: echo 'a b' c\nshell: true", shell=False).command == ("echo", "a b", "c")


@pytest.mark.parametrize(
    "yml",
    [
        "engine: file\nfile: {path: p}",
        "engine: {name: file, path: p}",
        "engine: {name: file}\nfile: {FILE_PATH: p}",
        "file: {path: q}\nengine: {name: file, path: p}",
        "engine: file\nenv: {FILE_PATH: p}",
    ],
)
def test_settings_of_an_engine_stand_with_it_or_in_its_section(tmp_path: Path, yml: str) -> None:
    found = read(tmp_path, yml)
    assert found.values["engine"] == "file"
    assert found.for_owner("file", OWN) == {"path": "p"}


def test_a_key_of_a_section_is_checked_when_its_owner_is_chosen(tmp_path: Path) -> None:
    found = read(tmp_path, "slots: 2\nfile:\n  pth: x")
    with pytest.raises(SettingsError) as caught:
        found.for_owner("file", OWN)
    assert str(caught.value) == ".minionize.yml, line 3: file has no setting 'pth'; did you mean path?"


def test_null_is_the_name_of_a_reporter(tmp_path: Path) -> None:
    assert read(tmp_path, "reporter: null").values["reporter"] == "null"


def test_merged_keys(tmp_path: Path) -> None:
    found = read(tmp_path, "env: &e {A: 1, B: 2}\nfile:\n  <<: {path: a}\n  path: b")
    assert found.for_owner("file", OWN) == {"path": "b"}


def test_another_place(tmp_path: Path) -> None:
    (tmp_path / "other.yml").write_text("retries: 3")
    (tmp_path / ".minionize.yml").write_text("retries: 2")
    found = load({}, {"MINION_CONFIG": "other.yml"}, tmp_path)
    assert (found.values["retries"], found.sources["retries"]) == (3, "other.yml, line 1")


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / ".minionize.yml").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="not a text in UTF-8"):
        load({}, {}, tmp_path)
