from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from mtop.cli import extra, screen
from mtop.cli.terminal import glyphs_of
from mtop.config import Config, save
from mtop.model.fleet import Fleet
from mtop.session import Session
from tests.mtop.cli.conftest import Terminal


class Shown:
    """Stands for the screen: keeps what it was told to show."""

    def __init__(self) -> None:
        self.session: Session | None = None
        self.more: dict[str, Any] = {}

    def __call__(self, session: Session, **more: Any) -> int:
        self.session, self.more = session, more
        return 0


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Shown:
    screen_of_app = Shown()
    real = extra.needed
    fake = {"mtop.app": SimpleNamespace(run_app=screen_of_app)}
    monkeypatch.setattr(screen, "needed", lambda name: fake.get(name) or real(name))
    return screen_of_app


def start(mtop: Terminal, shown: Shown, *words: str, **environ: str) -> Session:
    result = mtop(*words, TEXTUAL_DRIVER="x", XDG_CONFIG_HOME=str(mtop.folder), **environ)
    assert (result.exit_code, result.stdout) == (0, ""), result.stderr
    assert shown.session is not None
    return shown.session


def test_the_screen_shows_what_is_asked_for(mtop: Terminal, shown: Shown) -> None:
    session = start(mtop, shown, "--demo", "5", "-F", "failed>0", "--readonly", "--no-mouse", "--no-color", "--ascii")
    assert shown.more == {"mouse": False, "no_color": True, "filter": "failed>0"}
    assert (session.readonly, session.glyphs.ascii, session.config) == (True, True, Config())
    assert isinstance(session.fleet, Fleet)


def test_without_options_all_is_usual(mtop: Terminal, shown: Shown) -> None:
    session = start(mtop, shown, "-r", f"dir:{mtop.folder}")
    assert shown.more == {"mouse": True, "no_color": False, "filter": None}
    assert (session.readonly, session.config, session.view.sort) == (False, Config(), "id")
    assert str(mtop.folder) in session.feed.place
    session.feed.close()


def test_the_command_line_wins_over_what_is_kept(mtop: Terminal, shown: Shown) -> None:
    kept = Config(("id", "rate"), (), "light", 5.0, "rate", True, "queue")
    save(kept, {"XDG_CONFIG_HOME": str(mtop.folder)})
    session = start(mtop, shown, "--demo", "1")
    assert session.config == kept
    assert (session.view.sort, session.view.falls, session.view.tree) == ("rate", True, "queue")
    words = ["--demo=1", "--delay=2", "--theme=monochrome", "--sort=host", "--tree=job", "--columns=id,host"]
    session = start(mtop, shown, *words)
    assert session.config == Config(("id", "host"), (), "monochrome", 2.0, "host", False, "job")
    assert (session.view.sort, session.view.falls, session.view.tree) == ("host", False, "job")


def test_a_set_up_that_is_not_understood_is_said(mtop: Terminal, shown: Shown) -> None:
    (mtop.folder / "mtop").mkdir()
    (mtop.folder / "mtop" / "config.toml").write_text("theme = 3")
    session = start(mtop, shown, "--demo", "1")
    (said,) = [event.what for event in session.fleet.events]
    assert said.endswith("theme is 3; known are colour-blind, htop, light, monochrome")


@pytest.mark.parametrize("words", [[], ["--demo", "3"], ["--serve", "0"]])
def test_what_is_not_installed_is_said(mtop: Terminal, monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] in ("textual", "textual_serve", "mtop")]:
        monkeypatch.delitem(sys.modules, name)
    for name in ("textual", "textual_serve"):
        monkeypatch.setitem(sys.modules, name, None)
    result = mtop(*words, TEXTUAL_DRIVER="x")
    assert (result.exit_code, result.stdout) == (2, "")
    missing = "textual_serve" if "--serve" in words else "textual"
    assert result.stderr == f"mtop: error: {missing} is not installed; pip install 'minionize[mtop]'\n"


@pytest.mark.parametrize(
    ("environ", "wanted", "ascii"),
    [
        ({"LANG": "en_US.UTF-8"}, False, False),
        ({"LANG": "en_US.utf8", "TERM": "xterm"}, False, False),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "C"}, False, True),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, False, False),
        ({"LANG": "fr_FR.ISO-8859-1"}, False, True),
        ({}, False, False),
        ({}, True, True),
        ({"TERM": "linux"}, False, True),
        ({"TERM": "dumb", "LANG": "C.UTF-8"}, False, True),
    ],
)
def test_what_a_terminal_can_draw(environ: dict[str, str], wanted: bool, ascii: bool) -> None:
    assert glyphs_of(wanted, environ, None).ascii is ascii
    assert glyphs_of(False, {}, SimpleNamespace(encoding="ascii")).ascii  # type: ignore[arg-type]
