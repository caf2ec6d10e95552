from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from minionize.callback import DefaultCallback
from minionize.callbacks.function import FuncCallback
from minionize.cli.function import load_function
from minionize.errors import CallbackError, SettingsError
from tests.cli.conftest import Terminal

MODULE = """
import minionize

def double(x):
    return 2 * x

@minionize.minionize(slots=3)
def decorated(x):
    return x

class Mine(minionize.DefaultCallback):
    def process(self, param, context):
        return param

class Broken(Mine):
    def __init__(self):
        raise RuntimeError("no licence")

made = Mine()
number = 7
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "fn_good.py").write_text(MODULE)
    (tmp_path / "fn_bad.py").write_text("import fn_good\n\ndef f():\n    raise RuntimeError('no data here')\n\nf()\n")
    (tmp_path / "fn_needs.py").write_text("import no_such_module_of_ours\n")
    (tmp_path / "fn_exits.py").write_text("raise SystemExit(3)\n")
    (tmp_path / "fn_typo.py").write_text("def f(:\n")
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("fn_")]:
        del sys.modules[name]


def test_a_function_gets_its_arguments_from_the_param(module: Path) -> None:
    callback, wanted = load_function("fn_good:double", module)
    assert isinstance(callback, FuncCallback)
    assert (callback.func(4), callback.spread, wanted) == (8, True, {})


def test_a_decorated_one_brings_its_settings(module: Path) -> None:
    callback, wanted = load_function("fn_good:decorated", module)
    assert isinstance(callback, FuncCallback)
    assert (callback.func(4), callback.spread, wanted) == (4, True, {"slots": 3})


@pytest.mark.parametrize("name", ["fn_good:Mine", "fn_good:made"])
def test_a_callback_is_used_as_it_is(module: Path, name: str) -> None:
    callback, _ = load_function(name, module)
    assert type(callback).__name__ == "Mine"
    assert isinstance(callback, DefaultCallback)


def test_a_function_of_an_installed_module(tmp_path: Path) -> None:
    callback, _ = load_function("os.path:basename", tmp_path)
    assert isinstance(callback, FuncCallback)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("fn_gone:f", "there is no module fn_gone"),
        ("fn_good.sub:f", "there is no module fn_good.sub"),
        ("fn_good:dubble", "fn_good has no 'dubble'; did you mean double?"),
        ("fn_good:number", "cannot be called: its type is int"),
        ("fn_good:Broken", "cannot be made: RuntimeError: no licence"),
        ("fn_bad:f", "RuntimeError: no data here"),
        ("fn_needs:f", "ModuleNotFoundError: No module named 'no_such_module_of_ours'"),
        ("fn_exits:f", "SystemExit: 3"),
        ("fn_typo:f", "SyntaxError: "),
    ],
)
def test_what_cannot_be_used_is_said_in_short(module: Path, name: str, message: str) -> None:
    with pytest.raises(CallbackError) as caught:
        load_function(name, module)
    assert str(caught.value).startswith(f"--function {name}: {message}")
    assert "\n" not in str(caught.value)


def test_an_error_at_import_names_its_last_place(module: Path) -> None:
    with pytest.raises(CallbackError, match=r"fn_bad\.py, line 4\)$"):
        load_function("fn_bad:f", module)


@pytest.mark.parametrize("name", ["f", "m:", ":f", "m:f:g", "m/f:g", "a-b:f", "m:f()"])
def test_another_form_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match="must be MODULE:NAME"):
        load_function(name, tmp_path)


def test_a_file_is_named_as_a_module(tmp_path: Path) -> None:
    (tmp_path / "script.py").touch()
    with pytest.raises(SettingsError, match=r"did you mean script:f\?"):
        load_function("script.py:f", tmp_path)


def test_the_module_sees_what_dotenv_says(module: Path, minionize: Terminal) -> None:
    (module / ".env").write_text("OF_DOTENV=1\n")
    (module / "fn_reads.py").write_text("import os\nVALUE = os.environ['OF_DOTENV']\ndef f(p): pass\n")
    result = minionize("--function", "fn_reads:f", "--dry-run", params="a\n")
    assert (result.exit_code, result.stdout) == (0, "fn_reads:f(a)\n")
    assert "OF_DOTENV" not in os.environ
