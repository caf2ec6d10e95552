"""Questions and orders to minions, over loopback: to real servers, and to hostile ones."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar

import pytest

from minionize.registry import Seen
from minionize.server import examples
from mtop.feed import Unanswered
from mtop.live import asker as module
from mtop.live.asker import Asker
from mtop.model.minion import Minion
from mtop.orders import DRAIN, PAUSE, REQUEUE_DEAD, RESUME, Order, kill, requeue, slots
from tests.mtop.live.hostile import http, serving_badly
from tests.mtop.model.minions import USER, announces
from tests.server.fake import TOKEN, Live, serving

T = TypeVar("T")


def minion_at(url: str | None, **changes: Any) -> Minion:
    found = announces(examples.STATS["id"], **{"url": url, "token": TOKEN, **changes})
    minion = Minion(found["id"], found, 0.0)
    minion.announced(Seen(found, 0.0), 0.0)
    minion.advance(0.0)
    return minion


@pytest.fixture(scope="module")
def asker() -> Asker:
    made = Asker(USER)
    made.warm()
    return made


@pytest.fixture
def live() -> Iterator[Live]:
    with serving() as found:
        yield found


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ANSWER", 2.0)


def answer_of(question: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(question)


def refusal_of(question: Coroutine[Any, Any, object]) -> str:
    with pytest.raises(Unanswered) as caught:
        asyncio.run(question)
    words = str(caught.value)
    assert words
    assert words.isprintable()
    assert TOKEN not in words + repr(caught.value)
    return words


class TestARealServer:
    def test_tasks(self, asker: Asker, live: Live) -> None:
        assert answer_of(asker.tasks(minion_at(live.url))) == examples.TASKS

    def test_failures(self, asker: Asker, live: Live) -> None:
        assert answer_of(asker.failures(minion_at(live.url + "/"))) == examples.FAILURES

    @pytest.mark.parametrize("id", ["1", "a/b", "..", ".", "\u00fc ?#%2F", "\x1b[31m"])
    def test_output_whatever_the_id(self, asker: Asker, live: Live, id: str) -> None:
        live.minion.running = [{**examples.TASKS[0], "id": id}]
        assert answer_of(asker.output(minion_at(live.url), id)) == {"id": id, "stdout": "out", "stderr": None}

    @pytest.mark.parametrize(
        ("order", "told", "words"),
        [
            (PAUSE, "pause", "paused"),
            (RESUME, "resume", "running"),
            (DRAIN, "drain", "draining"),
            (slots(4), "resize 4", "slots 4"),
            (kill(examples.TASKS[0]["id"]), f"kill {examples.TASKS[0]['id']}", "killed"),
            (requeue(examples.TASKS[0]["id"]), f"requeue {examples.TASKS[0]['id']}", "requeued"),
            (REQUEUE_DEAD, "requeue all dead", "requeued 3 dead params"),
        ],
    )
    def test_orders(self, asker: Asker, live: Live, order: Order, told: str, words: str) -> None:
        assert answer_of(asker.order(minion_at(live.url), order)) == words
        assert live.minion.told == [told]

    def test_one_dead_param(self, asker: Asker, live: Live) -> None:
        live.minion.requeued = 1
        assert answer_of(asker.order(minion_at(live.url), REQUEUE_DEAD)) == "requeued 1 dead param"

    def test_problems_are_told_in_their_own_words(self, asker: Asker, live: Live) -> None:
        minion = minion_at(live.url)
        assert refusal_of(asker.output(minion, "\x1b]0;x")) == "no param of the id %1B%5D0%3Bx is running here"
        assert refusal_of(asker.order(minion, slots(1_000))) == "too few files may be open here"
        assert "not the token of this minion" in refusal_of(asker.tasks(minion_at(live.url, token="other")))
        live.minion.wire["state"] = "stopped"
        assert refusal_of(asker.order(minion, PAUSE)) == "the minion has stopped"

    def test_another_minion_that_took_an_order_is_named(self, asker: Asker, live: Live) -> None:
        live.minion.wire["id"] = "other\x07"
        assert r"another minion has answered: other\x07" in refusal_of(asker.order(minion_at(live.url), PAUSE))

    def test_many_at_once(self, asker: Asker, live: Live) -> None:
        async def all_of_them() -> list[Any]:
            return await asyncio.gather(*(asker.tasks(minion_at(live.url)) for _ in range(80)))

        assert asyncio.run(all_of_them()) == [examples.TASKS] * 80


class TestNobodyIsAsked:
    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"user": "eve\x1b[2J"}, r"it belongs to eve\x1b[2J"),
            ({"token": None}, "its token is not known"),
            ({"url": None}, "it has no stats server (--no-server)"),
            ({"url": None, "token": None, "left": 1.0}, "it is stopped"),
        ],
    )
    def test_where_it_may_not_be_controlled(self, asker: Asker, changes: dict[str, Any], words: str) -> None:
        with serving_badly(http(b"[]")) as server:
            minion = minion_at(**{"url": server.url, **changes})
            assert refusal_of(asker.tasks(minion)) == words
            assert refusal_of(asker.order(minion, DRAIN)) == words
            assert not server.heads

    def test_who_has_taken_its_place(self, asker: Asker) -> None:
        with serving_badly(http(b"[]")) as server:
            minion = minion_at(server.url)
            minion.usurped = True
            assert refusal_of(asker.tasks(minion)) == "another minion answers at its place"
            assert not server.heads

    def test_by_a_redirect(self, asker: Asker) -> None:
        with serving_badly(http(b"[]")) as other:
            moved = http(b"", "307 Temporary Redirect", f"Location: {other.url}/tasks")
            with serving_badly(moved) as server:
                assert (
                    refusal_of(asker.tasks(minion_at(server.url))) == "answers 307: it redirects, which is not followed"
                )
                assert TOKEN.encode() in server.asked
            assert not other.heads

    def test_a_proxy_of_the_environment(self, live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
        with serving_badly(http(b"[]")) as proxy:
            for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
                monkeypatch.setenv(name, proxy.url)
            assert answer_of(Asker(USER).tasks(minion_at(live.url))) == examples.TASKS
            assert not proxy.heads

    def test_a_cookie_is_not_sent_back(self, asker: Asker) -> None:
        with serving_badly(http(b"[]", "200 OK", "Set-Cookie: a=b; Path=/")) as server:
            for _ in range(2):
                assert answer_of(asker.tasks(minion_at(server.url))) == []
            assert b"cookie" not in server.asked.lower()


def tasks_with(param: bytes) -> bytes:
    text = json.dumps([{**examples.TASKS[0], "param": "@"}]).encode()
    return text.replace(b'"@"', param)


class TestHostileServers:
    @pytest.mark.parametrize(
        ("answer", "words"),
        [
            (b"", "answers something that is no HTTP"),
            (b"\x00\x01\x02\r\n\r\n", "answers something that is no HTTP"),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[", "answers something that is no HTTP"),
            (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000 + b"\r\n", "answers something that is no HTTP"),
            (http(b"[]", "500 Internal Server Error"), "answers 500 Internal Server Error"),
            (http(b'{"detail": "\\u001b[31m"}', "500 x"), r"\x1b[31m"),
            (http(b'{"detail": ["x"]}', "404 x"), "answers 404 Not Found"),
            (http(b"[]", "999 x"), "answers 999"),
            (http(b"", "204 No Content"), "answers 204 No Content"),
            (http(b"x" * 5_000_000, "200 OK"), "answers more than 4 MiB"),
            (http(b"x" * 5_000_000, "500 x"), "answers more than 4 MiB"),
            (http(b"[]", "200 OK", "Content-Encoding: gzip"), "answers something compressed"),
            (http(b""), "makes no sense"),
            (http(b"\xff"), "makes no sense"),
            (http(b"{}"), "makes no sense"),
            (http(b"[{}]"), "makes no sense"),
            (http(b"[" * 1_000_000), "makes no sense"),
            (http(tasks_with(b'{"\x1b": 1')), "makes no sense"),
            (http(tasks_with(b"[" * 5_000 + b"]" * 5_000)), "makes no sense"),
            (http(tasks_with(b"1" * 5_000)), "makes no sense"),
            (http(tasks_with(b"1e999")), "makes no sense"),
            (http(json.dumps([{**examples.TASKS[0], "age": 1e300}]).encode()), "makes no sense"),
            (http(json.dumps([{**examples.TASKS[0], "slot": 10**30}]).encode()), "makes no sense"),
        ],
    )
    def test_no_sense_is_told_in_words(self, asker: Asker, answer: bytes, words: str) -> None:
        with serving_badly(answer) as server:
            assert words in refusal_of(asker.tasks(minion_at(server.url)))

    def test_one_that_hangs(self, asker: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "ANSWER", 0.1)
        with serving_badly(hang=True) as server:
            assert refusal_of(asker.tasks(minion_at(server.url))) == "no answer within 0.1 s"

    def test_one_that_drips(self, asker: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "ANSWER", 0.1)
        with serving_badly(b"HTTP/1.1 200 OK\r\n\r\n[", hang=True) as server:
            assert refusal_of(asker.tasks(minion_at(server.url))) == "no answer within 0.1 s"

    def test_nobody_is_there(self, asker: Asker) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            url = f"http://127.0.0.1:{free.getsockname()[1]}"
        assert refusal_of(asker.tasks(minion_at(url))).startswith("refuses connections")
        assert refusal_of(asker.tasks(minion_at("https" + url[4:]))).startswith("refuses connections")

    def test_no_tls(self, asker: Asker, live: Live) -> None:
        words = refusal_of(asker.tasks(minion_at("https" + live.url[4:])))
        assert words == "speaks no TLS: is its address http:// instead of https://?"

    @pytest.mark.parametrize(
        "url", ["http://[", "http://:0", "http://a:99999", "http://%00", "http://no.such.invalid:1"]
    )
    def test_no_url(self, asker: Asker, url: str) -> None:
        assert refusal_of(asker.tasks(minion_at(url)))

    def test_a_long_param_is_cut(self, asker: Asker) -> None:
        with serving_badly(http(tasks_with(b'"' + b"x" * 3_000_000 + b'"'))) as server:
            (task,) = answer_of(asker.tasks(minion_at(server.url)))
        assert str(task["param"]).startswith('"xxx')
        assert str(task["param"]).endswith("xxx... (3000002 bytes)")
        assert len(str(task["param"])) < 3_000

    def test_of_too_many_failures_the_last_are_kept(self, asker: Asker) -> None:
        many = {
            **examples.FAILURES,
            "causes": examples.FAILURES["causes"] * 2_000,
            "failures": examples.FAILURES["failures"] * 2_000,
        }
        with serving_badly(http(json.dumps(many).encode())) as server:
            found = answer_of(asker.failures(minion_at(server.url)))
        assert (len(found["causes"]), len(found["failures"])) == (1_000, 1_000)
        assert found["failures"][0] == examples.FAILURES["failures"][0]

    def test_another_version(self, asker: Asker) -> None:
        with serving_badly(http(json.dumps({**examples.FAILURES, "schema": 2}).encode())) as server:
            assert "version 2" in refusal_of(asker.failures(minion_at(server.url)))
