from __future__ import annotations

import asyncio
import os
import re
import socket
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from aiohttp import ClientSession, CookieJar, WSMsgType, WSServerHandshakeError, web

from minionize.errors import SettingsError
from mtop.cli.browser import words_of
from mtop.cli.main import main
from mtop.serve.server import application, is_loopback, listen, serve

KEY = "open-sesame"
APP = """
from textual.app import App
from textual.widgets import Static

class Hello(App):
    def compose(self):
        yield Static("hello from the app")

Hello().run()
"""

T = TypeVar("T")


def served(look: Callable[[str, ClientSession], Awaitable[T]], command: list[str] | None = None) -> T:
    """What a look at a server returns, which is there meanwhile."""

    async def run() -> T:
        runner = web.AppRunner(
            application(command or [sys.executable, "-c", APP], ["my.host"], KEY), shutdown_timeout=1
        )
        await runner.setup()
        listener = listen("127.0.0.1", 0)
        await web.SockSite(runner, listener).start()
        try:
            async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as session:
                return await look(f"127.0.0.1:{listener.getsockname()[1]}", session)
        finally:
            await runner.cleanup()

    return asyncio.run(run())


async def page_of(place: str, session: ClientSession) -> tuple[str, Any]:
    async with session.get(f"http://{place}/?key={KEY}") as answer:
        assert answer.status == 200
        assert str(answer.url) == f"http://{place}/"
        return await answer.text(), answer.headers


def test_the_page_loads_nothing_from_outside() -> None:
    async def look(place: str, session: ClientSession) -> None:
        text, headers = await page_of(place, session)
        assert f'"ws://{place}/ws"' in text
        assert not re.findall(r"""(?:src|href|url)\W{1,3}(?:https?:)?//""", text)
        named = re.findall(r"""(?:src|href)="(/static[^"]+)"|url\("([^"]+)"\)""", text)
        assert len(named) == 3
        for path in map("".join, named):
            async with session.get(f"http://{place}{path}") as answer:
                assert answer.status == 200
                body = await answer.text("latin-1")
                if path.endswith(".css"):
                    assert "url(" not in body
                    assert "@import" not in body
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self';")
        assert "https:" not in policy
        assert f"connect-src 'self' ws://{place};" in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["Referrer-Policy"] == "no-referrer"

    served(look)


def test_the_app_is_there() -> None:
    async def look(place: str, session: ClientSession) -> str:
        await page_of(place, session)
        seen = b""
        async with session.ws_connect(f"http://{place}/ws?width=80&height=24", origin=f"http://{place}") as terminal:
            async for message in terminal:
                seen += message.data if message.type == WSMsgType.BINARY else b""
                if b"hello from the app" in seen:
                    return "seen"
        return "not seen"

    assert served(look) == "seen"


@pytest.mark.slow
@pytest.mark.parametrize("leaves", [True, False])
def test_a_process_that_does_not_end_is_ended(tmp_path: Path, leaves: bool) -> None:
    """When its page is closed, and when the server stops."""
    code = f"import os, time; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    written = tmp_path / "pid"

    async def look(place: str, session: ClientSession) -> int:
        await page_of(place, session)
        terminal = await session.ws_connect(f"http://{place}/ws", origin=f"http://{place}")
        while not written.exists() or not written.read_text():
            await asyncio.sleep(0.02)
        if leaves:
            await terminal.close()
        return int(written.read_text())

    pid = served(look, [sys.executable, "-c", code])
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


HOSTILE = ["no JSON", "[]", "{}", "3", '["stdin"]', '["stdin", 3]', '["resize", {"width": "x"}]', '["ping", {}]']
HUGE = '["resize", {"width": 1000000000, "height": -5}]'


@pytest.mark.parametrize("text", [*HOSTILE, HUGE], ids=str)
def test_what_a_page_never_says_is_ignored(text: str) -> None:
    async def look(place: str, session: ClientSession) -> Any:
        await page_of(place, session)
        url = f"http://{place}/ws?width=999999999999&height=-3"
        async with session.ws_connect(url, origin=f"http://{place}") as terminal:
            await terminal.send_str(text)
            await terminal.send_str('["ping", "7"]')
            async for message in terminal:
                if message.type == WSMsgType.TEXT:
                    return message.json()

    assert served(look) == ["pong", "7"]


@pytest.mark.parametrize("path", ["/", "/?key=guess", "/?key=", "/ws", "/static/js/textual.js", "/download/x"])
def test_without_the_key_there_is_nothing(path: str) -> None:
    async def look(place: str, session: ClientSession) -> tuple[int, str]:
        async with session.get(f"http://{place}{path}") as answer:
            return answer.status, await answer.text()

    status, text = served(look)
    assert status == 403
    assert "key" in text
    assert KEY not in text


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:80"},
        {"Host": "localhost.evil.example"},
        {"Host": 'x"@localhost'},
        {"Host": "localhost:1:2"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_a_page_of_somebody_else_is_refused(headers: dict[str, str]) -> None:
    async def look(place: str, session: ClientSession) -> int:
        await page_of(place, session)
        async with session.get(f"http://{place}/", headers=headers) as answer:
            assert "Set-Cookie" not in answer.headers
            return answer.status

    assert served(look) == 403


@pytest.mark.parametrize("origin", [None, "http://evil.example", "null", "http://127.0.0.1:1", "http://localhost"])
def test_the_terminal_is_for_the_own_page_only(origin: str | None, tmp_path: Path) -> None:
    started = tmp_path / "started"
    command = [sys.executable, "-c", f"open({str(started)!r}, 'w')"]

    async def look(place: str, session: ClientSession) -> int:
        await page_of(place, session)
        with pytest.raises(WSServerHandshakeError) as refused:
            await session.ws_connect(f"http://{place}/ws", origin=origin)
        return refused.value.status

    assert served(look, command) == 403
    assert not started.exists()


@pytest.mark.parametrize("host", ["localhost:9000", "my.host", "[::1]:9000", "MY.HOST:1", "10.1.2.3"])
def test_other_names_of_this_host_are_known(host: str) -> None:
    async def look(place: str, session: ClientSession) -> tuple[int, str]:
        headers = {"Host": host, "Cookie": f"mtop-{host.rpartition(':')[2] if ':' in host else 80}={KEY}"}
        async with session.get(f"http://{place}/", headers=headers) as answer:
            return answer.status, await answer.text()

    status, text = served(look)
    assert status == 200
    assert f'"ws://{host}/ws"' in text


def test_the_cookie_is_out_of_reach_of_scripts_and_other_pages() -> None:
    async def look(place: str, session: ClientSession) -> str:
        async with session.get(f"http://{place}/?key={KEY}", allow_redirects=False) as answer:
            assert answer.status == 303
            return answer.headers["Set-Cookie"]

    cookie = served(look)
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie


@pytest.mark.parametrize(("host", "near"), [("127.0.0.1", True), ("localhost", True), ("0.0.0.0", False)])
def test_who_can_connect_is_known(host: str, near: bool) -> None:
    listener = listen(host, 0)
    assert is_loopback(listener) is near
    listener.close()


@pytest.mark.parametrize(("readonly", "harm"), [(False, "control your minions"), (True, "see your minions")])
def test_the_address_is_said_and_what_it_risks(monkeypatch: pytest.MonkeyPatch, readonly: bool, harm: str) -> None:
    said: list[str] = []
    monkeypatch.setattr(web, "run_app", lambda app, sock, **more: sock.close())
    serve(["true"], "0.0.0.0", 0, readonly, said.append)
    assert said[0].startswith("warning: 0.0.0.0 can be reached from elsewhere")
    assert harm in said[0]
    assert re.fullmatch(r"http://[\w.-]+:\d+/\?key=[\w-]{24} \(Ctrl-C ends it\)", said[1])
    assert "0.0.0.0" not in said[1]
    serve(["true"], "127.0.0.1", 0, readonly, said.append)
    assert len(said) == 3
    assert said[2].startswith("http://127.0.0.1:")


def test_a_port_that_is_taken_is_said() -> None:
    taken = socket.create_server(("127.0.0.1", 0))
    port = taken.getsockname()[1]
    with pytest.raises(SettingsError, match=f"--serve 127.0.0.1:{port}: Address already in use"):
        listen("127.0.0.1", port)
    taken.close()
    with pytest.raises(SettingsError, match="no-such-host"):
        listen("no-such-host.invalid", 0)


@pytest.mark.parametrize(
    ("line", "again"),
    [
        ("--serve 8000", "--"),
        ("--serve h:80 http://a:1 b:2", "-- http://a:1 http://b:2"),
        ("-r dir:/x -r redis://h --serve 1", "--registry=dir:/x --registry=redis://h --"),
        ("-d 0.5 --demo 3 --ascii --serve 1 --readonly", "--delay=0.5 --demo=3 --ascii --readonly --"),
        ("--serve 1 --columns id,rate -s rate --tree host", "--sort=rate --columns=id,rate --tree=host --"),
        ("--serve 1 --theme light -F --x", "--filter=--x --theme=light --"),
    ],
)
def test_the_same_arguments_are_given_to_each_page(line: str, again: str) -> None:
    with main.make_context("mtop", line.split()) as context:
        given = dict(context.params)
    words = list(words_of({**given, "serve": None}, main.params))
    assert words == again.split()
    with main.make_context("mtop", words) as context:
        assert context.params == {**given, "serve": None}
