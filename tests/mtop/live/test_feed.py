"""The feed of a real fleet: real registries, real servers over loopback, and hostile ones."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from minionize.errors import RegistryError, SettingsError
from minionize.host import identity
from minionize.registries.directory import DirectoryRegistry
from minionize.registry import Announcement
from minionize.server import examples
from minionize.testing.announcements import make_announcement
from minionize.worker.numbers import _user
from mtop.feed import Unanswered
from mtop.live import asker, sources
from mtop.live.feed import LiveFeed
from mtop.live.sources import RegistrySource
from mtop.model.fleet import Fleet
from mtop.model.minion import APART, Minion
from mtop.orders import PAUSE
from tests.mtop.live.hostile import http, serving_badly
from tests.server.fake import TOKEN, FakeMinion, Live, serving

PATIENCE = 20.0
ME = LiveFeed(["none"]).user


class Site:
    """A directory in which minions announce themselves, and feeds that look there."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self.registry = DirectoryRegistry(str(folder), {})
        self._stack = stack

    def announce(self, id: str, url: str | None, **changes: Any) -> Announcement:
        """Announce one of this user's minions, in this process."""
        made = make_announcement(id, **{"url": url, "token": TOKEN, "user": ME, "host": "h", **changes})
        self.registry.announce(made)
        return made

    def serve(self, id: str, **changes: Any) -> Live:
        """Run a minion's server, and announce it."""
        minion = FakeMinion()
        minion.wire |= {"id": id, "user": ME, **changes}  # type: ignore[typeddict-item]
        live = self._stack.enter_context(serving(minion))
        self.announce(id, live.url)
        return live

    def feed(self, *urls: str, **options: Any) -> tuple[LiveFeed, Fleet]:
        """Make a feed that is not started."""
        feed = LiveFeed([f"dir:{self.folder}"], urls, **{"interval": 0.05, **options})
        self._stack.callback(feed.close)
        return feed, Fleet(feed.user, feed.clock())


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    tmp_path.chmod(0o700)
    monkeypatch.setattr(sources, "_MOST", 0.05)
    monkeypatch.setattr(RegistrySource, "least", 0.05)
    monkeypatch.setattr(asker, "ANSWER", 1.0)
    with ExitStack() as stack:
        yield Site(tmp_path, stack)


def until(feed: LiveFeed, fleet: Fleet, what: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < end, f"it does not come: {list(fleet)} {feed.troubles()}"
        time.sleep(0.01)
        feed.tell(fleet)
        fleet.advance(feed.clock(), feed.wall())


def vias(fleet: Fleet) -> dict[str, str]:
    return {minion.id: minion.via for minion in fleet}


class TestOnce:
    def test_minions_are_found_and_asked(self, site: Site) -> None:
        site.serve("a", busy=1)
        site.announce("b", None)
        site.registry.leave(site.announce("c", None))
        feed, fleet = site.feed()
        feed.once(fleet)
        assert vias(fleet) == {"a": "http", "b": "heartbeat", "c": "final"}
        assert (fleet.minions["a"].said["busy"], fleet.totals.minions, feed.troubles()) == (1, 3, [])
        assert feed.cost().failing == 0

    def test_at_urls_and_names(self, site: Site) -> None:
        live = site.serve("a")
        (site.folder / "a.json").unlink()
        feed, fleet = site.feed(f"dns+http://127.0.0.1:{live.address[1]}", token=TOKEN)
        feed.once(fleet)
        assert vias(fleet) == {"a": "http"}
        assert asyncio.run(feed.tasks(fleet.minions[live.url])) == examples.TASKS

    def test_again(self, site: Site) -> None:
        live = site.serve("a", busy=1)
        feed, fleet = site.feed()
        feed.once(fleet)
        live.minion.wire["busy"] = 2
        site.announce("b", None)
        feed.once(fleet)
        assert sorted(vias(fleet)) == ["a", "b"]
        assert fleet.minions["a"].said["busy"] == 2

    def test_who_is_lost_is_not_waited_for(self, site: Site) -> None:
        with serving_badly(hang=True) as server:
            site.announce("gone", server.url, process=identity()._replace(started=1))
            feed, fleet = site.feed()
            feed.once(fleet)
            assert (fleet.minions["gone"].state, server.heads) == ("lost", [])

    def test_who_hangs_is_waited_for_so_long(self, site: Site) -> None:
        site.serve("good")
        with serving_badly(hang=True) as server:
            site.announce("bad", server.url)
            feed, fleet = site.feed()
            feed.once(fleet, 0.3)
        assert vias(fleet) == {"good": "http", "bad": "heartbeat"}
        assert fleet.minions["bad"].trouble

    def test_a_registry_that_cannot_be_read_is_told(self, site: Site) -> None:
        site.announce("a", None)
        feed, fleet = site.feed()
        feed.once(fleet)
        site.folder.rename(site.folder.with_name("moved"))
        site.folder.write_text("no directory")
        feed.once(fleet)
        assert list(vias(fleet)) == ["a"], "nobody is forgotten meanwhile"
        (words,) = feed.troubles()
        assert words.startswith(f"cannot read the registry {site.folder}")

    def test_nowhere(self) -> None:
        feed = LiveFeed(["none"])
        fleet = Fleet(feed.user, feed.clock())
        feed.once(fleet)
        feed.close()
        assert (len(fleet), feed.place, feed.troubles()) == (0, "nowhere", [])


class TestLive:
    def test_minions_come_work_and_go(self, site: Site) -> None:
        live = site.serve("a", busy=1)
        feed, fleet = site.feed()
        feed.start()
        until(feed, fleet, lambda: vias(fleet) == {"a": "http"})
        live.minion.wire["busy"] = 2
        until(feed, fleet, lambda: fleet.minions["a"].said["busy"] == 2)
        assert feed.cost().polls > 0
        assert feed.cost().took is not None
        site.registry.leave(site.announce("a", None))
        until(feed, fleet, lambda: fleet.minions["a"].state == "stopped")

    def test_a_server_that_breaks_leaves_the_heartbeats(self, site: Site) -> None:
        with ExitStack() as stack:
            minion = FakeMinion()
            minion.wire |= {"id": "a", "user": ME, "busy": 7}
            live = stack.enter_context(serving(minion))
            site.announce("a", live.url, busy=1)
            feed, fleet = site.feed()
            feed.start()
            until(feed, fleet, lambda: vias(fleet) == {"a": "http"})
            minion.broken = ValueError("?")
            until(feed, fleet, lambda: fleet.minions["a"].trouble)
            assert (fleet.minions["a"].said["busy"], fleet.minions["a"].state) == (7, "running")
            site.announce("a", live.url, busy=2)
            until(feed, fleet, lambda: fleet.minions["a"].said["busy"] == 2)
            assert (fleet.minions["a"].via, feed.cost().failing) == ("heartbeat", 1)
            minion.broken = None
            until(feed, fleet, lambda: fleet.minions["a"].said["busy"] == 7)

    def test_what_is_purged_is_gone_from_the_registry(self, site: Site) -> None:
        for id in ("left", "kept"):
            site.registry.leave(site.announce(id, None))
        site.announce("alive", None)
        feed, fleet = site.feed()
        feed.start()
        until(feed, fleet, lambda: len(fleet) == 3)
        minions = [fleet.minions["left"], fleet.minions["alive"]]
        feed.purge(minions)
        fleet.forget(["left"], feed.clock())
        until(feed, fleet, lambda: not (site.folder / "left.json").exists())
        assert sorted(each.name for each in site.folder.glob("*.json")) == ["alive.json", "kept.json"]

    def test_an_url_cannot_have_the_announcement_of_another_purged(self, site: Site) -> None:
        site.announce("a", None)
        minion = Minion("http://evil:1", make_announcement("a"), 0.0, "http://evil:1")
        minion.ended = True
        feed, _ = site.feed("http://evil:1")
        feed.start()
        feed.purge([minion])
        feed.close()
        assert (site.folder / "a.json").exists()

    def test_a_registry_that_hangs_delays_nobody(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        site.serve("a")
        hangs, free = threading.Event(), threading.Event()
        real = DirectoryRegistry.read

        def read(registry: DirectoryRegistry) -> Any:
            if registry.place == "/hangs":
                hangs.set()
                free.wait(PATIENCE)
                raise RegistryError("it was freed")
            return real(registry)

        monkeypatch.setattr(DirectoryRegistry, "read", read)
        feed = LiveFeed(["dir:/hangs", f"dir:{site.folder}"], interval=0.05)
        fleet = Fleet(feed.user, feed.clock())
        feed.start()
        assert hangs.wait(PATIENCE)
        until(feed, fleet, lambda: vias(fleet) == {"a": "http"})
        began = time.monotonic()
        feed.close()
        assert time.monotonic() - began < PATIENCE / 2
        feed.close()
        free.set()

    def test_polls_that_come_to_an_end_are_told(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        site.serve("a")
        feed, fleet = site.feed()
        feed.start()
        until(feed, fleet, lambda: vias(fleet) == {"a": "http"})
        poller = feed._poller
        assert poller is not None
        monkeypatch.setattr(poller, "_error", ValueError("hush"))
        feed.tell(fleet)
        feed.tell(fleet)
        assert fleet.minions["a"].trouble == "is polled no more"
        assert feed.troubles() == ["mtop polls no more, which is a fault of its own: ValueError"]


class TestHostile:
    """One slow or hostile minion changes nothing for the others, and gets no token but its own."""

    def test_among_others(self, site: Site, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        good = {id: site.serve(id) for id in ("good-1", "good-2")}
        numbers: dict[str, Any] = {**deepcopy(examples.STATS), "user": ME}
        answers: dict[str, bytes] = {
            "errors": http(b"{}", "500 Internal Server Error"),
            "megabytes": http(b"[" * 3_000_000),
            "schema": http(json.dumps({**numbers, "id": "schema", "schema": 9}).encode()),
            "types": http(json.dumps({**numbers, "id": "types", "slots": "many"}).encode()),
            "clock": http(json.dumps({**numbers, "id": "clock", "started": 9e12, "uptime": -9e9}).encode()),
            "other": http(json.dumps({**numbers, "id": "good-1", "busy": 99}).encode()),
            "escapes": http(json.dumps({**numbers, "id": "escapes", "command": "\x1b[2J"}).encode()),
            "moved": http(b"", "302 Found", f"Location: {good['good-1'].url}/stats"),
            "silent": b"",
        }
        with ExitStack() as stack:
            servers = {id: stack.enter_context(serving_badly(answer)) for id, answer in answers.items()}
            servers["hangs"] = stack.enter_context(serving_badly(hang=True))
            for id, server in servers.items():
                site.announce(id, server.url, token=f"token-of-{id}")
            feed, fleet = site.feed(timeout=0.5)
            feed.start()
            known = {*good, "clock", "escapes"}
            until(feed, fleet, lambda: {id for id, via in vias(fleet).items() if via == "http"} == known)
            until(feed, fleet, lambda: all(each.by or each.trouble for each in fleet))
            told = [*feed.troubles(), feed.place, repr(list(fleet)), caplog.text, *map(str, fleet.events)]
            for minion in fleet:
                assert minion.state in ("running", "idle")
                told += [minion.trouble or "", json.dumps(minion.said["command"])]
                if minion.id not in known:
                    assert minion.trouble
                    with pytest.raises(Unanswered) as caught:
                        asyncio.run(feed.tasks(minion))
                    told.append(repr(caught.value))
            assert fleet.minions["good-1"].said["busy"] != 99
        asked = {id: server.asked for id, server in servers.items()}
        for id, heads in asked.items():
            assert heads
            others = heads.replace(f"token-of-{id}".encode(), b"")
            assert b"token" not in others
            assert TOKEN.encode() not in others
        assert b"Bearer" not in asked["other"], "another minion answers there"
        words = "\n".join(told)
        assert "token-of" not in words
        assert TOKEN not in words

    def test_another_users_minion_is_shown_and_told_nothing(self, site: Site) -> None:
        live = site.serve("a")
        site.announce("a", live.url, user="eve")
        live.minion.wire["user"] = ME
        feed, fleet = site.feed()
        feed.once(fleet)
        minion = fleet.minions["a"]
        assert (minion.via, minion.token) == ("http", None)
        with pytest.raises(Unanswered):
            asyncio.run(feed.order(minion, PAUSE))
        assert live.minion.told == []

    def test_who_claims_to_be_another_at_an_url_gets_no_token(self, site: Site) -> None:
        live = site.serve("a")
        claims = http(json.dumps({**examples.STATS, "id": "a", "user": ME, "busy": 99}).encode())
        with serving_badly(claims) as server:
            feed, fleet = site.feed(server.url, token="for-urls")
            for _ in range(2):
                feed.once(fleet)
                (minion,) = fleet
                assert (minion.url, minion.token, minion.said["busy"] == 99) == (live.url, TOKEN, False)
                assert asyncio.run(feed.order(minion, PAUSE)) == "paused"
            assert TOKEN.encode() not in server.asked
        assert live.minion.told == ["pause", "pause"]

    def test_a_minion_that_moves_takes_its_new_token_along(self, site: Site) -> None:
        with serving_badly(http(json.dumps({**examples.STATS, "id": "a", "user": ME}).encode())) as old:
            site.announce("a", old.url, token="old-token")
            feed, fleet = site.feed()
            feed.once(fleet)
            with pytest.raises(Unanswered):
                asyncio.run(feed.tasks(fleet.minions["a"]))
            site.serve("a")
            feed.once(fleet)
            assert asyncio.run(feed.order(fleet.minions["a"], PAUSE)) == "paused"
            assert TOKEN.encode() not in old.asked

    def test_loopback_of_another_host(self, site: Site) -> None:
        with serving_badly(hang=True) as server:
            site.announce("a", server.url, process=identity()._replace(host="afar"))
            feed, fleet = site.feed()
            feed.once(fleet)
            assert (server.heads, fleet.minions["a"].via, fleet.minions["a"].trouble) == ([], "heartbeat", APART)


class TestSettings:
    @pytest.mark.parametrize(
        ("registries", "urls", "words"),
        [
            (["nonsense:x"], [], "no registry"),
            (["redis://:hush@[host"], [], "redis"),
            ([], ["node1:8000"], "write http://HOST:PORT"),
            ([], ["dns+http://minions"], "port"),
            ([], ["http://me:hush@node1:1"], "token"),
        ],
    )
    def test_bad_places_name_thing_and_remedy(self, registries: list[str], urls: list[str], words: str) -> None:
        with pytest.raises(SettingsError, match=words) as caught:
            LiveFeed(registries, urls)
        assert "hush" not in str(caught.value)

    def test_where_it_looks(self, tmp_path: Path) -> None:
        specs = ["", f"dir:{tmp_path}", str(tmp_path), "redis://me:hush@host:6379/1"]
        urls = ["http://a:1/", "dns+http://minions:2"]
        feed = LiveFeed(specs, urls, environ={"XDG_STATE_HOME": "/state"}, token="hush")
        places = [
            "/state/minionize/minions",
            str(tmp_path),
            "redis://host:6379/1",
            "http://a:1",
            "dns+http://minions:2",
        ]
        assert feed.place == ", ".join(places)
        assert "hush" not in repr(vars(feed)).replace("'hush'", ""), "only the token itself is kept"
        feed.close()

    def test_user_and_clocks(self) -> None:
        feed = LiveFeed(["none"], clock=lambda: 5.0, wall=lambda: 7.0)
        assert (feed.user, feed.clock(), feed.wall(), feed.live) == (ME, 5.0, 7.0, True)
        assert _user() == ME, "as minions call their users"


class TestWithoutAScreen:
    def test_nothing_heavy_is_imported(self, tmp_path: Path) -> None:
        import subprocess
        import sys

        code = (
            "import sys; from mtop.live.feed import LiveFeed; from mtop.model.fleet import Fleet\n"
            f"feed = LiveFeed(['dir:{tmp_path}'], ['http://127.0.0.1:9']); fleet = Fleet(feed.user, 0.0)\n"
            "feed.once(fleet, 0.5); feed.close(); print(*sys.modules)"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        found = {name.partition(".")[0] for name in done.stdout.split()} | set(done.stdout.split())
        heavy = {"asyncio", "httpx", "textual", "rich", "concurrent.futures", "ssl", "redis", "fastapi", "yaml"}
        assert not found & heavy
