from __future__ import annotations

import pytest

from minionize.cli.show import show_config
from minionize.engines.memory import MemoryEngine
from minionize.setting import Setting, text
from minionize.settings import SETTINGS, load
from tests.cli.conftest import Terminal


def rows(output: str) -> dict[str, list[str]]:
    return {line.split()[0]: line.split(maxsplit=2)[1:] for line in output.splitlines()}


def test_every_setting_with_its_value_and_its_source(minionize: Terminal) -> None:
    (minionize.folder / ".env").write_text("MINION_GRACE=3\n")
    (minionize.folder / ".minionize.yml").write_text("retries: 2\nenv: {SECRET_OF_MINE: hunter2}\n")
    result = minionize("--show-config", "-j", "4", "echo", "{}", params="", MINION_TIMEOUT="1m")
    found = rows(result.stdout)
    assert result.exit_code == 0
    assert {setting.key for setting in SETTINGS} < set(found)
    assert found["slots"] == ["4", "--slots"]
    assert found["grace"] == ["3.0", ".env MINION_GRACE"]
    assert found["retries"] == ["2", ".minionize.yml, line 1"]
    assert found["timeout"] == ["60.0", "environment MINION_TIMEOUT"]
    assert found["engine"] == ["file", "FILE_PATH is set"]
    assert found["file.path"] == ["params.txt", "environment FILE_PATH"]
    assert found["shell"] == ["no", "default"]
    assert "command" in found
    assert "hunter2" not in result.stdout


def test_secrets_are_masked(minionize: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    table = (
        Setting("password", "MEMORY_PASSWORD", text, None, "P.", secret=True),
        Setting("url", "MEMORY_URL", text, None, "U."),
    )
    monkeypatch.setattr(MemoryEngine, "settings", table)
    environ = {"MINION_ENGINE": "memory", "MEMORY_PASSWORD": "hunter2", "MEMORY_URL": "redis://me:hunter2@host/1"}
    shown = show_config(load({}, environ, minionize.folder), [])
    assert "hunter2" not in shown
    assert rows(shown)["memory.url"][0] == "redis://********@host/1"
    assert rows(shown)["memory.password"] == ["********", "environment MEMORY_PASSWORD"]


def test_a_wrong_name_does_not_hide_the_rest(minionize: Terminal) -> None:
    result = minionize("--show-config", "-e", "memroy")
    assert result.exit_code == 0
    assert "no engine 'memroy'; did you mean memory?" in result.stdout


def test_a_wrong_value_is_an_error(minionize: Terminal) -> None:
    assert minionize("--show-config", MINION_SLOTS="x").exit_code == 2
