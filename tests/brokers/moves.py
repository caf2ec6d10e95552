"""How the cases of a queue reach its minions and its server."""

from __future__ import annotations

import json
import subprocess
import sys
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from minionize.engine import Features
from minionize.plugins import load_engine
from tests.acceptance.running import Minion, Place, opened, until
from tests.brokers.server import Server

MINION_QUEUE = (sys.executable, "-c", "from minionize.cli.queue import main; main()")
# One line for each begin and each end. The first line is short: appended at once, it never mixes with another's.
RUN = 'echo "$1 $MINION_ATTEMPT $MINION_ID" >> begun; {work}; echo "$1" >> ended'
LONG = 60.0


class MinionMoves(ABC):
    """Minions as processes, on a queue of its own for each case.

    Attributes:
        engine: Name of the engine.
        lease: Seconds without a sign of life after which others get a minion's params; for a connection, after which
            the server gives up a client that is silent.
        forgotten: Seconds after which a param comes again that was handed out and never came.
        many: Params of the big case.
        minions: How many work in it at the same time.
        persistent: What the server holds is there again after a restart.
    """

    engine: ClassVar[str]
    lease: ClassVar[float] = 2.0
    forgotten: ClassVar[float] = 2.0
    many: ClassVar[int] = 10_000
    minions: ClassVar[int] = 4
    persistent: ClassVar[bool] = True

    @abstractmethod
    def server(self) -> Server:
        """The running server."""

    @abstractmethod
    def environ(self, port: int | None = None) -> dict[str, str]:
        """The settings that lead to this case's own queue, with a short lease.

        Args:
            port: Another port of loopback to reach the server by; None for its own.
        """

    @abstractmethod
    def forbidden(self) -> dict[str, str] | None:
        """Settings with credentials that the server refuses; None where it knows none."""

    @abstractmethod
    def missing(self) -> dict[str, str] | None:
        """Settings that name a queue which is not there and is not made by a minion; None where it makes any."""

    @abstractmethod
    def corrupt(self) -> None:
        """Put one param that cannot be decoded."""

    def can_be_proxied(self) -> bool:
        """Whether clients reach the server by any port that leads to it."""
        return True

    # The moves.

    @property
    def patience(self) -> str:
        """Seconds of an empty queue after which there is nothing that could still come."""
        return f"{max(3 * self.lease, self.forgotten + 2, 5):g}"

    @pytest.fixture(autouse=True)
    def _place(self, tmp_path: Path) -> Iterator[None]:
        with opened(tmp_path) as place:
            self.place: Place = place
            yield

    @property
    def features(self) -> Features:
        return load_engine(self.engine).features

    def start(self, *words: str, work: str = ":", **more: str) -> Minion:
        """A minion that notes each run; it leaves when the queue has been empty for a while."""
        options = ("--exit-when-empty", "2", "--no-server", "--slow-down", "0")
        program = ("sh", "-c", RUN.format(work=work), "sh")
        return self.place.start("-e", self.engine, *options, *words, *program, **{**self.environ(), **more})

    def minionize(self, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run ``minionize`` to its end; with these settings, or those of this case."""
        return subprocess.run(
            [sys.executable, "-m", "minionize", "-e", self.engine, *words],
            cwd=self.place.folder,
            env=self.place.environ(**(environ or self.environ())),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LONG,
        )

    def queue(self, *words: str, stdin: str = "", **more: str) -> subprocess.CompletedProcess[str]:
        """Run ``minion-queue`` to its end."""
        return subprocess.run(
            [*MINION_QUEUE, *words],
            cwd=self.place.folder,
            env=self.place.environ(MINION_ENGINE=self.engine, **{**self.environ(), **more}),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=LONG,
        )

    def answer(self, *words: str, stdin: str = "", **more: str) -> Any:
        """Run ``minion-queue``; return its one line of JSON."""
        done = self.queue(*words, "--json", stdin=stdin, **more)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def rows(self, *words: str, **more: str) -> list[Any]:
        """Run ``minion-queue``; return its lines of JSON."""
        done = self.queue(*words, "--json", **more)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def fill(self, *params: Any) -> None:
        """Put params: texts as lines, other values as JSON."""
        if all(isinstance(param, str) for param in params):
            done = self.queue("fill", stdin="".join(f"{param}\n" for param in params))
            assert done.returncode == 0, done.stderr
        else:
            answer = self.answer("fill", stdin="".join(f"{json.dumps(param)}\n" for param in params))
            assert answer["put"] == len(params)

    def begun(self) -> list[list[str]]:
        """Param, attempt and minion of every run."""
        return [line.split() for line in self.place.lines("begun")]

    def ended(self) -> Counter[str]:
        """How often each param was run to its end."""
        return Counter(self.place.lines("ended"))

    def ends(self, *minions: Minion, seconds: float = LONG) -> None:
        """Wait until minions have left, each content."""
        for minion in minions:
            assert minion.wait(seconds) == 0, minion.err
            assert "Traceback" not in minion.err

    def is_empty(self) -> None:
        """Nothing is left but what is dead; no number is claimed that the queue does not know."""

        def empty() -> bool:
            told = self.answer("status")
            return not told["ready"] and not told["in_flight"]

        until(empty, LONG, "the queue is empty")
