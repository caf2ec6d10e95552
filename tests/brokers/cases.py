"""What every queue goes through with real minions: kills, stops, restarts of its server, nonsense, ``minion-queue``.

Subclass ``MinionCases`` and say how the minions find the queue::

    class TestMinionsOnRedis(MinionCases):
        engine = "redis"
        ...
"""

from __future__ import annotations

import json
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from minionize.plugins import load_engine
from tests.acceptance.running import Minion, until
from tests.brokers.moves import LONG, MinionMoves
from tests.brokers.proxy import Proxy, proxied
from tests.brokers.server import free_port


class MinionCases(MinionMoves):
    """What they must come through."""

    # All goes well.

    def test_every_param_is_run_once(self) -> None:
        params = [f"p{n}" for n in range(60)]
        self.fill(*params)
        self.ends(self.start("-j2"), self.start("-j2"))
        assert self.ended() == Counter(params)
        assert {attempt for _, attempt, _ in self.begun()} == {"1"}
        self.is_empty()

    def test_a_minion_that_waits_gets_what_is_put_later(self) -> None:
        self.fill()
        minion = self.start("--exit-when-empty", "20")
        self.fill("first")
        until(lambda: self.ended()["first"], LONG, "it is run")
        self.fill("second")
        until(lambda: self.ended()["second"], LONG, "it is run")
        minion.send(signal.SIGTERM)
        assert minion.wait(LONG) == 128 + signal.SIGTERM

    def test_a_failure_is_tried_again_then_dead(self) -> None:
        self.fill("good", "bad")
        minion = self.start(
            "--retries", "2", "--retry-delay", "0.1", work='test "$1" = good || { echo no >&2; exit 3; }'
        )
        assert minion.wait(LONG) == 1, minion.err
        assert [attempt for param, attempt, _ in self.begun() if param == "bad"] == ["1", "2", "3"]
        (dead,) = self.rows("dead")
        assert (dead["param"], dead["evidence"]["exit_code"], dead["evidence"]["attempt"]) == ("bad", 3, 3)
        assert "no" in dead["evidence"]["stderr"]
        assert self.answer("requeue", "--all")["requeued"] == 1
        self.ends(self.start())
        assert self.ended() == Counter(["good", "bad"])
        assert self.begun()[-1][1] == "1", "it starts afresh"
        assert not self.features.dead_letter or self.rows("dead") == []
        self.is_empty()

    def test_what_cannot_be_decoded_is_dead(self) -> None:
        self.fill("good")
        self.corrupt()
        minion = self.start()
        assert minion.wait(LONG) == 1, minion.err
        assert self.ended() == Counter(["good"])
        (dead,) = self.rows("dead")
        assert "JSON" in dead["reason"] + json.dumps(dead["evidence"])
        self.is_empty()

    def test_a_megabyte(self) -> None:
        big = "x" * 1_000_000
        self.fill({"big": big}, "small")
        words = ("--exit-when-empty", "2", "--no-server", "--stdin", "sh", "-c", "wc -c >> sizes")
        self.ends(self.place.start("-e", self.engine, *words, **self.environ()))
        sizes = sorted(int(line) for line in self.place.lines("sizes"))
        assert sizes[0] <= len("small\n")
        assert sizes[1] >= len(big)

    # minion-queue.

    def test_minion_queue(self) -> None:
        params: list[Any] = [{"x": 1, "y": [None, "\u00fc"]}, 7, "text"]
        self.fill(*params)
        status = self.answer("status")
        assert status["engine"] == self.engine
        assert status["ready"] in (3, None)
        shown = self.rows("peek")
        assert sorted(map(json.dumps, shown)) == sorted(map(json.dumps, params))
        assert len(self.rows("peek", "-n", "1")) == 1
        assert self.rows("dead") == []

        # To another queue, and back.
        there = str(self.place.folder / "copied")
        assert self.answer("copy", "--to", "execo", f"EXECO_PERSISTENCE_DIR={there}")["put"] == 3
        assert len(self.rows("peek")) == 3, "they are still here"
        self.ends(self.start("--literal"))
        self.is_empty()
        assert self.answer("-e", "execo", "copy", "--to", self.engine, EXECO_PERSISTENCE_DIR=there)["put"] == 3
        again = self.rows("peek")
        assert sorted(map(json.dumps, again)) == sorted(map(json.dumps, params))

    def test_who_only_looks_takes_nothing(self) -> None:
        self.fill("one", "two")
        why, dry = self.minionize("--why", "echo", "{}"), self.minionize("--dry-run", "echo", "{}")
        assert (why.returncode, dry.returncode) == (0, 0), why.stderr + dry.stderr
        assert "2 ready" in why.stdout or "cannot tell" in why.stdout
        assert sorted(dry.stdout.splitlines()) == ["echo one", "echo two"]
        self.ends(self.start())
        assert {attempt for _, attempt, _ in self.begun()} == {"1"}
        assert self.ended() == Counter(["one", "two"])

    # Minions that leave, and die.

    @pytest.mark.chaos
    def test_what_a_stopped_minion_held_goes_back_uncharged(self) -> None:
        self.fill("a", "b")
        minion = self.start("-j2", work="sleep 60")
        until(lambda: len(self.begun()) == 2, LONG, "both run")
        minion.send(signal.SIGTERM)
        assert minion.wait(LONG) == 128 + signal.SIGTERM, minion.err
        self.ends(self.start("-j2"))
        assert self.ended() == Counter(["a", "b"])
        assert {attempt for _, attempt, _ in self.begun()} == {"1"}
        self.is_empty()

    @pytest.mark.chaos
    def test_a_param_of_a_killed_minion_is_run_by_another(self) -> None:
        self.fill("a")
        waiting = self.start("--exit-when-empty", "60", work="exec sleep 60")
        until(self.begun, LONG, "it runs")
        other = self.start("--exit-when-empty", self.patience)
        waiting.kill()
        until(lambda: self.ended() == Counter("a"), LONG + 2 * self.lease, "the other one has run it")
        self.ends(other)
        self.is_empty()

    @pytest.mark.chaos
    def test_ten_thousand_params_and_kills(self) -> None:
        """None is lost, and none is run again but those that somebody held or had not settled."""
        params = [f"{n}" for n in range(self.many)]
        self.fill(*params)
        kills = 6
        options = ("-j2", "--exit-when-empty", self.patience)
        working = [self.start(*options) for _ in range(self.minions)]
        for number in range(kills):
            enough = (number + 1) * self.many // (kills + 2)
            until(lambda enough=enough: len(self.place.lines("ended")) >= enough, 10 * LONG, f"{enough} runs")  # type: ignore[misc]
            working.pop(0).kill()
            working.append(self.start(*options))
        self.ends(*working, seconds=10 * LONG)
        ended = self.ended()
        assert set(params) - set(ended) == set(), "lost"
        assert set(ended) <= set(params)
        # What a minion has ended within the last moments is not settled yet.
        assert sum(ended.values()) - len(params) < kills * self.many / 20
        self.is_empty()

    # Time.

    @pytest.mark.chaos
    def test_a_long_run_is_not_run_twice(self) -> None:
        """It takes several times as long as lease, ack deadline, poll interval or consumer time-out."""
        self.fill("long")
        patient = ("--exit-when-empty", f"{3.2 * self.lease + 1:g}")
        minions = [self.start(*patient, work=f"sleep {3.2 * self.lease:g}") for _ in range(2)]
        self.ends(*minions)
        assert self.ended() == Counter(["long"])
        assert len(self.begun()) == 1
        self.is_empty()

    @pytest.mark.chaos
    def test_who_was_stopped_past_its_lease_does_not_ack(self) -> None:
        """SIGSTOP, the lease runs out, another one has the param; SIGCONT: the ack is refused, and counted."""
        if not (self.features.fenced and self.features.lease == "deadline"):
            pytest.skip("the engine declares fenced=False")
        self.fill("p")
        slow = self.start("--exit-when-empty", "1", "--on-lease-lost", "finish", work="sleep 1")
        until(self.begun, LONG, "it runs")
        slow.send(signal.SIGSTOP)
        quick = self.start("--exit-when-empty", "60", work="exec sleep 600")
        until(lambda: len(self.begun()) == 2, LONG + 3 * self.lease, "the other one runs it")
        slow.send(signal.SIGCONT)
        assert slow.wait(LONG) == 0, slow.err
        assert ", 1 lost in " in slow.err, slow.err
        assert len(self.begun()) == 2
        # Had its ack counted, nobody would get the param now.
        quick.kill()
        self.ends(self.start("--exit-when-empty", f"{3 * self.lease + 2:g}"))
        assert len(self.begun()) == 3
        self.is_empty()

    # A server that goes away.

    @pytest.mark.chaos
    def test_a_server_that_is_restarted(self) -> None:
        if not self.persistent:
            pytest.skip("this server keeps nothing over a restart")
        params = [f"p{n}" for n in range(150)]
        self.fill(*params)
        # A server that has just come back may take a while to hand out what it has: they do not leave by themselves.
        minions = [self.start("-j2", "--exit-when-empty", "600", work="sleep 0.1") for _ in range(2)]
        until(lambda: len(self.place.lines("ended")) > 20, LONG, "they work")
        self.server().stop()
        until(lambda: all("trying again" in minion.err for minion in minions), LONG, "they notice")
        self.server().start()
        until(lambda: set(self.ended()) == set(params), 2 * LONG, "all is done")
        for minion in minions:
            minion.send(signal.SIGTERM)
        for minion in minions:
            assert minion.wait(LONG) == 128 + signal.SIGTERM, minion.err
            assert "Traceback" not in minion.err
        # What both held may have been handed out anew, also late, and given back when they were stopped.
        self.ends(self.start("--exit-when-empty", self.patience))
        ended = self.ended()
        assert sum(ended.values()) - len(params) <= 40
        assert all("is back" in minion.err for minion in minions)
        self.is_empty()

    @pytest.mark.chaos
    def test_a_connection_that_is_cut(self) -> None:
        if not self.can_be_proxied():
            pytest.skip("clients of this server must reach it by its own port")
        params = [f"p{n}" for n in range(100)]
        self.fill(*params)
        with proxied(self.server().port) as proxy:
            environ = self.environ(proxy.port)
            minion = self.start("-j2", "--exit-when-empty", self.patience, work="sleep 0.05", **environ)
            for number in range(3):
                self._cut_at(proxy, (number + 1) * 20)
            self.ends(minion)
        ended = self.ended()
        assert set(ended) == set(params)
        assert sum(ended.values()) - len(params) <= 3 * 10
        self.is_empty()

    def _cut_at(self, proxy: Proxy, runs: int) -> None:
        until(lambda: len(self.place.lines("ended")) >= runs, LONG, f"{runs} runs")
        assert proxy.cut() > 0

    def test_a_server_that_comes_late(self) -> None:
        """A minion that is started before its server waits for it, a while."""
        if not self.can_be_proxied():
            pytest.skip("clients of this server must reach it by its own port")
        self.fill("p")
        with proxied(self.server().port) as proxy:
            proxy.open = False
            minion = self.start(**self.environ(proxy.port))
            until(lambda: minion.process.poll() is not None or self._has_tried(minion), LONG)
            time.sleep(2.0)
            assert minion.process.poll() is None, minion.err
            proxy.open = True
            self.ends(minion)
        assert self.ended() == Counter("p")

    def _has_tried(self, minion: Minion) -> bool:
        return Path(f"/proc/{minion.pid}/task").is_dir() and len(list(Path(f"/proc/{minion.pid}/task").iterdir())) > 1

    # What cannot be used.

    def refused(self, environ: dict[str, str], code: int = 3) -> str:
        """A minion cannot begin: it says so within a bounded time, without a traceback; return its words."""
        began = time.monotonic()
        done = self.minionize("echo", **environ)
        assert (done.returncode, done.stdout) == (code, ""), done.stderr
        assert "Traceback" not in done.stderr
        assert time.monotonic() - began < 40.0
        assert len(done.stderr.splitlines()) <= 5, done.stderr
        for key, value in environ.items():
            if any(word in key for word in ("TOKEN", "PASSWORD")):
                assert value not in done.stderr
        return done.stderr

    def test_a_server_that_is_never_up(self) -> None:
        port = free_port()
        environ = self.environ(port)
        words = self.refused(environ)
        setting = next(name for name, value in environ.items() if str(port) in value)
        assert str(port) in words
        assert f"check {setting}" in words, "what to do about it"

    def test_wrong_credentials(self) -> None:
        environ = self.forbidden()
        if environ is None:
            pytest.skip("this server knows no credentials")
        words = self.refused(environ)
        assert "wr0ng" not in words

    def test_a_queue_that_is_missing(self) -> None:
        environ = self.missing()
        if environ is None:
            pytest.skip("a minion makes the queue that is missing")
        words = self.refused(environ)
        assert "missing" in words, "it is named"

    def test_a_mandatory_setting(self) -> None:
        """What must be set is named."""
        mandatory = [each.env for each in load_engine(self.engine).settings if each.mandatory]
        assert mandatory
        environ = {name: value for name, value in self.environ().items() if name != mandatory[0]}
        assert f"{mandatory[0]} must be set" in self.refused(environ, code=2)
