"""Registries and names: looked at in a thread each, so that one that hangs delays nobody."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from minionize.errors import RegistryError
from minionize.host import identity
from minionize.registries.directory import DirectoryRegistry
from minionize.registry import Announcement, Registry, Seen
from minionize.testing.announcements import make_announcement
from mtop.live.places import Name
from mtop.live.sources import NameSource, RegistrySource, Watch

PATIENCE = 10.0


def until(what: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < end, "it does not come"
        time.sleep(0.005)


class Fake(Registry):
    """A registry that does what it is told to."""

    def __init__(self, *found: Announcement) -> None:
        super().__init__("fake", {})
        self.found = list(found)
        self.trouble: Exception | None = None
        self.free = threading.Event()
        self.free.set()
        self.forgotten: list[str] = []
        self.threads: set[str] = set()
        self.closed = False

    def announce(self, announcement: Announcement) -> None:
        raise NotImplementedError

    def read(self) -> list[Seen]:
        self.threads.add(threading.current_thread().name)
        self.free.wait(PATIENCE)
        if self.trouble is not None:
            raise self.trouble
        return [Seen(each, 1.0) for each in self.found]

    def forget(self, ids: Iterable[str]) -> int:
        self.threads.add(threading.current_thread().name)
        if self.trouble is not None:
            raise self.trouble
        self.forgotten += ids
        return len(self.forgotten)

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def registry() -> Fake:
    return Fake(make_announcement("a"))


@pytest.fixture
def watch(registry: Fake) -> Iterator[Watch[object]]:
    made: Watch[object] = Watch(RegistrySource(registry), lambda: 7.0)  # type: ignore[arg-type]
    yield made
    registry.free.set()
    made.close()
    made.join(PATIENCE)


class TestWatch:
    def test_what_is_found_is_handed_over_once(self, watch: Watch[object]) -> None:
        watch.look()
        news = watch.news()
        assert news is not None
        assert (news.at, news.found) == (7.0, ([Seen(make_announcement("a"), 1.0)], frozenset()))
        assert watch.news() is None

    def test_only_the_last_look_counts(self, watch: Watch[object], registry: Fake) -> None:
        watch.look()
        registry.found = []
        watch.look()
        news = watch.news()
        assert news is not None
        assert news.found == ([], frozenset())
        assert watch.news() is None

    @pytest.mark.parametrize(
        ("error", "words"),
        [
            (RegistryError("cannot read it; mend it"), "cannot read it; mend it"),
            (ValueError("redis://:hush@host"), "fake cannot be used: ValueError"),
        ],
    )
    def test_what_cannot_be_read_is_said_until_it_can(
        self, watch: Watch[object], registry: Fake, error: Exception, words: str
    ) -> None:
        registry.trouble = error
        watch.look()
        assert (watch.news(), watch.troubles()) == (None, [words])
        registry.trouble = None
        watch.look()
        assert watch.troubles() == []

    def test_one_thread_calls_a_registry_and_closes_it(self, watch: Watch[object], registry: Fake) -> None:
        watch.start()
        watch.forget(["a", "b"])
        until(lambda: registry.forgotten)
        watch.close()
        watch.join(PATIENCE)
        assert (registry.forgotten, registry.threads) == (["a", "b"], {"mtop looks at fake"})
        assert registry.closed

    def test_what_is_to_be_forgotten_is_so_before_it_ends(self, watch: Watch[object], registry: Fake) -> None:
        registry.free.clear()
        watch.start()
        watch.forget(["a"])
        watch.close()
        registry.free.set()
        watch.join(PATIENCE)
        assert registry.forgotten == ["a"]

    def test_what_cannot_be_forgotten_is_said_though_it_can_be_read(self, watch: Watch[object], registry: Fake) -> None:
        registry.trouble = RegistryError("read-only")
        watch.start()
        watch.forget(["a"])
        until(lambda: len(watch.troubles()) == 2)
        assert watch.troubles() == ["read-only", "read-only"]

    def test_one_that_hangs_is_said_and_does_not_hold_up_the_end(self, registry: Fake) -> None:
        now = [0.0]
        watch = Watch(RegistrySource(registry), lambda: now[0])
        registry.free.clear()
        watch.start()
        until(lambda: registry.threads)
        assert watch.troubles() == []
        now[0] = 6.5
        assert watch.troubles() == ["fake does not answer"]
        began = time.monotonic()
        watch.close()
        watch.join(0.05)
        assert time.monotonic() - began < PATIENCE / 2
        assert not registry.closed, "nobody else may call it meanwhile"
        registry.free.set()
        watch.join(PATIENCE)
        assert registry.closed

    def test_one_that_never_began_is_closed_at_once(self, watch: Watch[object], registry: Fake) -> None:
        watch.close()
        assert registry.closed


class TestRegistrySource:
    def test_processes_of_this_host_that_have_ended_are_told(self, tmp_path: Path) -> None:
        registry = DirectoryRegistry(str(tmp_path), {})
        gone = identity()._replace(started=1)
        registry.announce(make_announcement("alive"))
        registry.announce(make_announcement("gone", process=gone))
        registry.announce(make_announcement("afar", process=gone._replace(host="afar")))
        registry.leave(make_announcement("left", process=gone))
        found, dead = RegistrySource(registry).look()
        assert sorted(seen.announcement["id"] for seen in found) == ["afar", "alive", "gone", "left"]
        assert dead == {"gone"}


class TestNames:
    def source(self, *addresses: str, error: Exception | None = None) -> NameSource:
        def look_up(name: str, port: int, type: int) -> list[tuple[object, ...]]:
            assert (name, port, type) == ("minions", 8000, socket.SOCK_STREAM)
            if error is not None:
                raise error
            return [(2, 1, 6, "", (address, port)) for address in addresses]

        return NameSource(Name("http", "minions", 8000, "/x"), look_up)

    def test_each_address_is_a_minion_once(self) -> None:
        urls = self.source("10.0.0.2", "10.0.0.1", "10.0.0.2", "2001:db8::1", "fe80::1%eth0").look()
        assert urls == ("http://10.0.0.1:8000/x", "http://10.0.0.2:8000/x", "http://[2001:db8::1]:8000/x")

    @pytest.mark.parametrize(
        ("error", "words"),
        [
            (socket.gaierror(-2, "Name or service not known"), "Name or service not known"),
            (UnicodeError("label too long"), "it is no name"),
            (OSError("?"), "it is no name"),
        ],
    )
    def test_a_look_up_that_fails_is_a_trouble(self, error: Exception, words: str) -> None:
        watch = Watch(self.source(error=error), lambda: 0.0)
        watch.look()
        assert watch.news() is None
        assert watch.troubles() == [f"cannot look up minions: {words}; check the name in dns+http://minions:8000/x"]

    def test_a_real_one(self) -> None:
        assert "http://127.0.0.1:8000" in NameSource(Name("http", "localhost", 8000, "")).look()
