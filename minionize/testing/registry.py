"""The registry contract as a test suite."""

from __future__ import annotations

import json
import os
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any, ClassVar

import pytest

from minionize.announcement import LARGEST
from minionize.errors import RegistryError
from minionize.registry import DAY, Registry, Seen, liveness
from minionize.testing.announcements import TOKEN, hostile, make_announcement

__all__ = ["RegistryContract", "make_announcement"]

AWKWARD = ("\x1b[31mred\x07\x00\x7f", "two\nlines\r\n", "\u00fc \U0001f600 \u2028", "odd \udcff", "<b>&amp;", "")


def plainly(value: object) -> Any:
    """Return a value as a reader has it: numbers are numbers, what is no character is "?"."""
    text = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
    return json.loads(text, parse_int=float)


class RegistryContract(ABC):
    """Every rule that a registry must keep. Subclass it as ``Test...``.

    Attributes:
        secrets: What must never be shown: a password in the place that ``make_registry`` gives, say.
    """

    secrets: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def make_registry(self) -> Registry:
        """Make a NEW registry on the SAME place at each call."""

    @abstractmethod
    def make_hopeless(self) -> Registry:
        """Make a registry whose place can be neither written nor read."""

    @abstractmethod
    def advance(self, seconds: float) -> None:
        """Let the registry's clock go on: all that was written is so much older."""

    @abstractmethod
    def plant(self, id: str, data: bytes) -> None:
        """Put these bytes where the announcement of ``id`` would be."""

    @abstractmethod
    def failing(self) -> AbstractContextManager[None]:
        """Let writing fail for a while."""

    # The moves.

    @pytest.fixture(autouse=True)
    def _registries_are_closed(self) -> Iterator[None]:
        yield
        self.close_all()

    def close_all(self) -> None:
        """Close every registry of this case."""
        for registry in self.__dict__.pop("made", []):
            registry.close()

    def fresh(self) -> Registry:
        """Make a registry that will be closed at the end of the case."""
        registry = self.make_registry()
        self.__dict__.setdefault("made", []).append(registry)
        return registry

    def announced(self, *ids: str, **changes: Any) -> Registry:
        """Announce minions, by a new registry."""
        registry = self.fresh()
        for id in ids:
            registry.announce(make_announcement(id, **changes))
        return registry

    def found(self) -> dict[str, Seen]:
        """Return what a newcomer reads, by id; each id once."""
        seen = self.fresh().read()
        by_id = {each.announcement["id"]: each for each in seen}
        assert len(by_id) == len(seen)
        return by_id

    # The rules.

    def test_what_is_announced_is_read(self) -> None:
        """As soon as ``announce`` returns, everybody reads all that was said."""
        announcement = make_announcement("host-1-a")
        self.fresh().announce(announcement)
        seen = self.found()["host-1-a"]
        assert plainly(seen.announcement) == plainly(announcement)
        assert 0 <= seen.age < 60
        assert liveness(seen) == "live"

    def test_nothing_announced_is_nothing_read(self) -> None:
        """A place where no minion was yet is no error; and making a registry makes no place."""
        registry = self.fresh()
        assert registry.read() == []
        assert registry.passed_over == 0
        assert registry.forget(["host-1-a"]) == 0
        self.make_hopeless().close()

    def test_a_heartbeat_replaces_the_one_before(self) -> None:
        """One announcement for each minion, the last one, and its age begins anew."""
        registry = self.announced("host-1-a", busy=1)
        self.advance(100)
        registry.announce(make_announcement("host-1-a", busy=2))
        seen = self.found()["host-1-a"]
        assert seen.announcement["busy"] == 2
        assert seen.age < 60

    def test_ages_are_told_by_the_clock_of_the_registry(self) -> None:
        """Whatever the hosts' clocks say."""
        self.announced("old-1-a", started=time.time() + 9999)
        self.advance(40)
        self.announced("new-1-a", started=time.time() - 9999)
        found = self.found()
        assert 40 <= found["old-1-a"].age < 100
        assert 0 <= found["new-1-a"].age < 60
        assert [liveness(found[id]) for id in ("old-1-a", "new-1-a")] == ["stale", "live"]
        self.advance(100)
        assert liveness(self.found()["old-1-a"]) == "lost"

    def test_minions_do_not_mix(self) -> None:
        """Also with one pid on two hosts, or twice on one host after a reboot."""
        ids = ["one-7-a", "two-7-a", "one-7-b"]
        for id in ids:
            self.announced(id, host=id)
        assert {id: seen.announcement["host"] for id, seen in self.found().items()} == {id: id for id in ids}

    def test_many_are_read(self) -> None:
        """None is left out."""
        ids = {f"host-{number}-a" for number in range(300)}
        self.announced(*ids)
        assert set(self.found()) == ids

    def test_a_reader_sees_no_half_announcement(self) -> None:
        """While heartbeats come, each read finds the minion."""
        registry = self.announced("host-1-a")
        stop = threading.Event()

        def beat() -> None:
            while not stop.is_set():
                registry.announce(make_announcement("host-1-a"))

        thread = threading.Thread(target=beat)
        thread.start()
        try:
            reader = self.fresh()
            assert [len(reader.read()) for _ in range(100)] == [1] * 100
        finally:
            stop.set()
            thread.join()

    def test_a_tombstone_has_the_final_numbers(self) -> None:
        """``leave`` keeps the numbers, says that and when the minion left, and shows no way to its server."""
        registry = self.announced("host-1-a", busy=1)
        last = make_announcement("host-1-a", busy=0)
        registry.leave(last)
        assert last == make_announcement("host-1-a", busy=0), "what is given is not changed"
        self.advance(100)
        seen = self.found()["host-1-a"]
        said = seen.announcement
        assert liveness(seen) == "stopped"
        assert (said["url"], said["token"], said["busy"], said["state"]) == (None, None, 0, "stopped")
        assert said["left"] == pytest.approx(time.time(), abs=60)

    def test_forget(self) -> None:
        """Those named are gone, all others stay; ids that are not there do not count."""
        registry = self.announced("host-1-a", "host-2-a", "host-3-a")
        assert registry.forget(["host-1-a", "host-3-a", "host-9-a", "", "./host-2-a", "../host-2-a", "."]) == 2
        assert set(self.found()) == {"host-2-a"}
        assert registry.forget([]) == 0

    def test_a_late_heartbeat_of_a_forgotten_minion(self) -> None:
        """It is there again."""
        registry = self.announced("host-1-a")
        registry.forget(["host-1-a"])
        registry.announce(make_announcement("host-1-a"))
        assert set(self.found()) == {"host-1-a"}

    def test_a_newcomer_cleans_up(self) -> None:
        """Tombstones of more than a day and what has been lost for more than a week go away, and nothing else."""
        self.announced("lost-1-a")
        self.announced("slow-1-a", every=DAY)
        self.advance(6 * DAY)
        self.fresh().leave(make_announcement("left-1-a"))
        assert "lost-1-a" in self.found()
        self.advance(0.9 * DAY)
        self.announced("new-1-a")
        assert set(self.found()) == {"lost-1-a", "slow-1-a", "left-1-a", "new-1-a"}
        self.advance(0.2 * DAY)
        self.announced("new-2-a")
        assert set(self.found()) == {"slow-1-a", "new-1-a", "new-2-a"}

    def test_what_is_no_announcement_is_passed_over(self) -> None:
        """Whatever it is: torn, foreign, hostile, huge."""
        self.announced("host-1-a")
        bad = dict(hostile("bad-1-a"))
        for number, data in enumerate(bad.values()):
            self.plant(f"bad-{number}-a", data.replace(b"bad-1-a", b"bad-%d-a" % number))
        registry = self.fresh()
        names = list(bad)
        taken = [names[int(each.announcement["id"].split("-")[1])] for each in registry.read() if "bad" in str(each)]
        assert taken == []
        assert registry.passed_over == len(bad)
        assert set(self.found()) == {"host-1-a"}

    def test_an_announcement_under_another_name_is_passed_over(self) -> None:
        """Nobody speaks for another minion."""
        self.plant("host-2-a", json.dumps(make_announcement("host-1-a")).encode())
        assert self.found() == {}

    def test_what_later_versions_add_is_no_harm(self) -> None:
        """Who says more than is known is read all the same."""
        later: dict[str, Any] = {**make_announcement("host-1-a"), "new": [1]}
        later["rates"] = {**later["rates"], "newer": {"x": None}}
        self.plant("host-1-a", json.dumps(later).encode())
        assert self.found()["host-1-a"].announcement["busy"] == later["busy"]

    def test_any_text_comes_back_as_it_was(self) -> None:
        """What a terminal must not see is for the reader to escape."""
        labels = {f"{number}{text}": text for number, text in enumerate(AWKWARD)}
        self.announced("host-1-a", command=AWKWARD[0], labels=labels)
        stats = self.found()["host-1-a"].announcement
        # Half a surrogate pair is no character.
        assert (stats["command"], stats["labels"]) == (AWKWARD[0], plainly(labels))

    def test_a_long_command_line_is_cut(self) -> None:
        """A minion is not left out for its texts."""
        self.announced("host-1-a", command="x" * (3 * LARGEST))
        assert self.found()["host-1-a"].announcement["command"].startswith("xxx")

    def test_a_failure_is_a_registry_error(self) -> None:
        """The message names the place and shows no secret; what was there stays; later heartbeats work again."""
        registry = self.announced("host-1-a", busy=1)
        with self.failing():
            for call in (registry.announce, registry.leave):
                with pytest.raises(RegistryError) as caught:
                    call(make_announcement("host-1-a", busy=2))
                assert registry.place in str(caught.value)
                assert TOKEN not in str(caught.value)
            assert self.found()["host-1-a"].announcement["busy"] == 1
        registry.announce(make_announcement("host-1-a", busy=3))
        assert self.found()["host-1-a"].announcement["busy"] == 3

    def test_a_hopeless_place_is_a_registry_error(self) -> None:
        """Each call says so, with the place and a remedy, and soon."""
        registry = self.make_hopeless()
        began = time.monotonic()
        calls = (lambda: registry.announce(make_announcement()), lambda: registry.leave(make_announcement()))
        for call in (*calls, registry.read):
            with pytest.raises(RegistryError) as caught:
                call()
            message = str(caught.value)
            assert registry.place in message
            assert "MINION_REGISTRY" in message
            assert not any(secret in message for secret in self.secrets)
        registry.close()
        assert time.monotonic() - began < 30

    def test_what_cannot_be_announced_is_a_registry_error(self) -> None:
        """Also when it is the minion's own fault."""
        for bad in (make_announcement("../x"), make_announcement(""), make_announcement(uptime=float("nan"))):
            with pytest.raises(RegistryError, match=r"\w+ \w+"):
                self.fresh().announce(bad)

    def test_secrets_are_not_shown(self) -> None:
        """Neither in the place nor in a repr. Without secrets: the repr says where it is."""
        registry = self.fresh()
        shown = f"{registry!r} {registry!s} {registry.place}"
        assert registry.place in repr(registry)
        assert not any(secret in shown for secret in self.secrets)

    def test_close_is_idempotent(self) -> None:
        """``close`` may come twice, and before anything else; it leaves no descriptor open."""
        self.fresh().close()
        self.announced("host-1-a").close()
        count = len(os.listdir("/proc/self/fd"))
        registry = self.announced("host-2-a")
        registry.read()
        registry.close()
        registry.close()
        assert len(os.listdir("/proc/self/fd")) == count

    def test_it_has_a_name(self) -> None:
        """By which it is chosen."""
        assert self.fresh().name
