from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from minionize.errors import SettingsError
from minionize.setting import Setting, integer, lease, text
from minionize.settings import SETTINGS, Settings, load, masked

OWN = (
    Setting("path", "FILE_PATH", text, None, "A path."),
    Setting("retries", "FILE_RETRIES", integer(), 7, "A number."),
    Setting("token", "FILE_TOKEN", integer(), 0, "A secret.", secret=True),
)


def settings_of(tmp_path: Path, yml: str = "", dotenv: str = "", **environ: str) -> Settings:
    if yml:
        (tmp_path / ".minionize.yml").write_text(yml)
    if dotenv:
        (tmp_path / ".env").write_text(dotenv)
    return load({}, environ, tmp_path)


def refused(tmp_path: Path, yml: str = "", dotenv: str = "", **environ: str) -> str:
    with pytest.raises(SettingsError) as caught:
        settings_of(tmp_path, yml, dotenv, **environ)
    return str(caught.value)


def test_without_anything_all_are_defaults(tmp_path: Path) -> None:
    found = load({}, {}, tmp_path, stdin=-1)
    assert found.values == {setting.key: setting.default for setting in SETTINGS}
    assert set(found.sources.values()) == {"default"}
    assert (found.command, found.env, found.environ) == ((), {}, {})


def test_the_order_of_precedence(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("MINION_RETRIES=2\nMINION_GRACE=2\nMINION_SLOTS=2\n")
    (tmp_path / ".minionize.yml").write_text(
        "retries: 3\ngrace: 3\nslots: 3\nmax_params: 3\n"
        "env: {MINION_MAX_PARAMS: 4, MINION_MAX_CRASHES: 4, MINION_SLOTS: 4}\n"
    )
    found = load({"slots": "1"}, {"MINION_SLOTS": "9", "MINION_RETRIES": "1"}, tmp_path)
    assert {key: (found.values[key], found.sources[key]) for key in ("slots", "retries", "grace")} == {
        "slots": (1, "--slots"),
        "retries": (1, "environment MINION_RETRIES"),
        "grace": (2.0, ".env MINION_GRACE"),
    }
    assert (found.values["max_params"], found.sources["max_params"]) == (3, ".minionize.yml, line 4")
    assert (found.values["max_crashes"], found.sources["max_crashes"]) == (4, ".minionize.yml, line 5")
    assert found.sources["timeout"] == "default"


def test_dotenv_never_overrides_the_environment_and_shares_its_file(tmp_path: Path) -> None:
    found = settings_of(tmp_path, dotenv="export A=1\nB=${A}2\nDATABASE_URL=x\n", A="9")
    assert (found.environ["A"], found.environ["DATABASE_URL"]) == ("9", "x")
    assert "A" not in os.environ


def test_an_empty_variable_is_none(tmp_path: Path) -> None:
    found = settings_of(tmp_path, dotenv="MINION_RETRIES=4", MINION_RETRIES="", MINION_SLOTS="")
    assert (found.values["retries"], found.values["slots"]) == (4, 1)


@pytest.mark.parametrize(("value", "dry"), [("1", True), ("", False), ("0", False), ("No", False), ("anything", True)])
def test_dry_is_set_by_all_but_a_plain_no(tmp_path: Path, value: str, dry: bool) -> None:
    assert settings_of(tmp_path, DRY=value).values["dry_run"] is dry


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"MINION_RETRIES": "x"}, "environment MINION_RETRIES: retries is 'x'; it must be a whole number, 0 or more"),
        ({"MINION_OUTPUT": "grup"}, "environment MINION_OUTPUT: output is 'grup'; it must be one of group, line, none"),
        ({"MINION_TIMEOUT": "1 year"}, "environment MINION_TIMEOUT: timeout is '1 year'; it must be a time"),
        ({"MINION_CONFIG": "gone.yml"}, "MINION_CONFIG: there is no file gone.yml"),
    ],
)
def test_a_wrong_value_is_named_with_its_place_and_what_would_be_right(
    tmp_path: Path, variables: dict[str, str], message: str
) -> None:
    assert refused(tmp_path, **variables).startswith(message)


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("MINION_ENGNE", "MINION_ENGINE"),
        ("MINION_Engine", "MINION_ENGINE"),
        ("minion_engine", "MINION_ENGINE"),
        ("MINIONIZE_ENGINE", "MINION_ENGINE"),
        ("MINION_TIME_OUT", "MINION_TIMEOUT"),
    ],
)
def test_a_misspelt_variable_is_refused(tmp_path: Path, wrong: str, right: str) -> None:
    assert refused(tmp_path, **{wrong: "file"}) == f"environment: unknown variable {wrong}; did you mean {right}?"
    assert refused(tmp_path, dotenv=f"{wrong}=file").startswith(".env: unknown variable")
    load({}, {right: "1", wrong: "1"}, tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        "MINION_SERVICE_HOST",
        "MINION_PORT_80_TCP",
        "MINION_ENGINE_SERVICE_HOST",
        "MINIONS",
        "MINION_SLOT",
    ],
)
def test_variables_of_others_are_left_alone(tmp_path: Path, name: str) -> None:
    settings_of(tmp_path, **{name: "x"})


def test_the_port_of_a_kubernetes_service_is_not_ours(tmp_path: Path) -> None:
    assert settings_of(tmp_path, MINION_PORT="tcp://10.0.0.7:80").values["port"] == 0
    assert settings_of(tmp_path, MINION_PORT="9100").values["port"] == 9100
    assert "must be a port" in refused(tmp_path, MINION_PORT="70000")


@pytest.mark.parametrize("words", ["0", "-1", "1e300", "366d", "soon"])
def test_a_lease_ends(words: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        lease(words)
    assert lease("1d") == 86_400.0


def test_labels_come_in_every_form(tmp_path: Path) -> None:
    wanted = {"project": "climate", "run": "7"}
    assert settings_of(tmp_path, MINION_LABEL="project=climate, run=7").values["label"] == wanted
    assert load({"label": ("project=climate", "run=7")}, {}, tmp_path).values["label"] == wanted
    assert load({"label": wanted}, {}, tmp_path).values["label"] == wanted
    assert "must be labels" in refused(tmp_path, MINION_LABEL="project")


def test_an_unknown_keyword_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="unknown setting 'retires'; did you mean retries"):
        load({"retires": 1}, {}, tmp_path)


def test_values_from_python_need_no_text(tmp_path: Path) -> None:
    found = load({"timeout": 2.5, "slots": 3, "exit_retry": {1, 2}, "shell": True, "grace": None}, {}, tmp_path)
    assert [found.values[key] for key in ("timeout", "slots", "exit_retry", "shell", "grace")] == [
        2.5, 3, {1, 2}, True, 10.0
    ]  # fmt: skip


def test_a_timeout_of_zero_is_none(tmp_path: Path) -> None:
    assert settings_of(tmp_path, MINION_TIMEOUT="0").values["timeout"] is None


def test_settings_of_an_owner_by_the_same_order(tmp_path: Path) -> None:
    (tmp_path / ".minionize.yml").write_text("file: {path: c, FILE_RETRIES: 3}\nretries: 5\n")
    found = load({}, {}, tmp_path)
    assert found.for_owner("file", OWN) == {"path": "c", "retries": 3, "token": 0}
    assert [each.source for each in found.explain("file", OWN)] == [
        ".minionize.yml, line 1", ".minionize.yml, line 1", "default"
    ]  # fmt: skip
    assert load({"FILE_PATH": "a"}, {"FILE_PATH": "b"}, tmp_path).for_owner("file", OWN)["path"] == "a"
    # The minion's own retries on the command line are not the engine's.
    assert load({"retries": 9}, {}, tmp_path).for_owner("file", OWN)["retries"] == 3


@pytest.mark.parametrize("wrong", ["FILE_PATh", "FILE_RETRIS"])
def test_a_misspelt_variable_of_the_owner_is_refused_when_it_is_asked_for(tmp_path: Path, wrong: str) -> None:
    found = load({}, {wrong: "1", "FILE_SYSTEM": "x"}, tmp_path)
    with pytest.raises(SettingsError, match=f"unknown variable {wrong}; did you mean {wrong[:8].upper()}"):
        found.for_owner("file", OWN)


def test_a_secret_is_never_shown(tmp_path: Path) -> None:
    found = load({}, {"FILE_TOKEN": "hunter2", "OTHER": "hunter2"}, tmp_path)
    with pytest.raises(SettingsError) as caught:
        found.for_owner("file", OWN)
    assert "hunter2" not in str(caught.value)
    assert "FILE_TOKEN" in str(caught.value)
    assert "hunter2" not in repr(found)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("redis://me:hunter2@host/0", "redis://********@host/0"),
        ("https://host/?token=hunter2&x=1", "https://host/?token=********&x=1"),
        (frozenset({2, 1}), "1,2"),
        (1.5, "1.5"),
        (None, ""),
    ],
)
def test_urls_are_shown_without_their_secrets(value: Any, shown: str) -> None:
    assert masked(OWN[0], value) == shown
    assert masked(OWN[2], value) == ("" if value is None else "********")


def test_lines_of_a_dotenv_that_say_nothing_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = settings_of(tmp_path, dotenv="# why\n\nMINION SLOTS=3\nMINION_RETRIES=4\nMINION_TAG='open\n")
    assert (found.values["slots"], found.values["retries"], found.values["tag"]) == (1, 4, False)
    said = capsys.readouterr().err
    assert said.splitlines() == [f"minionize: .env, line {line}: not NAME=value, so it is left out" for line in (3, 5)]


def test_a_dotenv_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"A=\xff\n")
    assert ".env: not a text in UTF-8" in refused(tmp_path)
