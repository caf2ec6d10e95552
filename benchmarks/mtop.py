"""What watching costs: mtop on a real pty before fleets of a thousand to ten thousand minions."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.harness import Bench, Figure

SIZE = (60, 200)
WARM = 6.0
KEYS = 60

_SERVER = "tests.mtop.fleet_server"
_CURSOR = rb"48;2;0;175;175m(?:\x1b\[[\d;]*m|\s|\W)*"
_DOWN, _UP = b"\x1b[B", b"\x1b[A"


def measure(bench: Bench) -> list[Figure]:
    """Measure them all."""
    thousand, three, ten = bench.count(1_000), bench.count(3_000), bench.count(10_000)
    seconds = max(3.0, 20.0 * min(1.0, bench.scale * 5))
    watched = [_watched(bench, thousand, seconds) for _ in range(bench.rounds)]
    more = [_watched(bench, three, seconds) for _ in range(bench.rounds)]
    rows = [_rows(bench, ten) for _ in range(bench.rounds)]
    starts = [_start(bench, thousand) for _ in range(bench.rounds)]
    once = [_once(bench) for _ in range(bench.rounds)]
    return [
        Figure("1,000 minions at 1 Hz: cores used", "", _of(watched, "cores"), at_most=0.30),
        Figure("1,000 minions: longest a key waited", "ms", _of(watched, "longest"), at_most=100.0),
        Figure("1,000 minions: resident memory", "MB", _of(watched, "memory"), at_most=120.0),
        Figure("3,000 minions at 1 Hz: polls / wanted", "x", _of(more, "share"), at_least=0.98),
        Figure("3,000 minions at 1 Hz: cores used", "", _of(more, "cores")),
        Figure("10,000 rows: a key shows, 19 of 20 times within", "ms", _of(rows, "usual"), at_most=50.0),
        Figure("10,000 rows: another order shows within", "ms", _of(rows, "sorted")),
        Figure("1,000 minions, a tenth dead: screen full after", "s", tuple(starts), at_most=2.5),
        Figure("mtop --once, three minions", "ms", tuple(once), at_most=150.0),
    ]


def _of(rounds: list[dict[str, float]], name: str) -> tuple[float, ...]:
    return tuple(each[name] for each in rounds)


class Screen:
    """A process on a pty whose output is read all the time."""

    def __init__(self, argv: list[str], environ: dict[str, str], cwd: Path) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", *SIZE, 0, 0))
        self.began = time.perf_counter()
        self.process = subprocess.Popen(
            argv, stdin=slave, stdout=slave, stderr=slave, env=environ, cwd=cwd, start_new_session=True
        )
        os.close(slave)
        self._ended = threading.Event()
        self._seen = threading.Condition()
        self.text = b""
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while not self._ended.is_set():
            if select.select([self._master], [], [], 0.1)[0]:
                try:
                    data = os.read(self._master, 1 << 16)
                except OSError:
                    return
                with self._seen:
                    self.text = (self.text + data)[-(1 << 22) :]
                    self._seen.notify_all()

    def until(self, pattern: bytes, seconds: float = 30.0) -> float:
        """Wait until something was written; return when, in seconds."""
        found = re.compile(pattern)
        with self._seen:
            if not self._seen.wait_for(lambda: found.search(self.text), seconds):
                raise RuntimeError(f"{pattern!r} was not shown: ...{self.text[-2000:]!r}")
            return time.perf_counter()

    def press(self, key: bytes, cursor: bytes) -> float:
        """Press a key; return how many seconds pass until what it does is written."""
        with self._seen:
            self.text = b""
        began = time.perf_counter()
        os.write(self._master, key)
        return self.until(cursor) - began

    def cpu(self) -> float:
        """Return the processor time it has used, in seconds."""
        words = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> float:
        """Return the most memory that it has had, in megabytes."""
        found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{self.process.pid}/status").read_text())
        assert found is not None
        return int(found[1]) / 1000

    def close(self) -> None:
        """End it."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self._ended.set()
        self._thread.join()
        os.close(self._master)


@contextmanager
def _fleet(bench: Bench, minions: int, *more: str) -> Iterator[Path]:
    """Let so many minions answer on loopback, in a process of their own; give the registry where they are announced."""
    registry = bench.fresh("minions")
    argv = [sys.executable, "-m", _SERVER, "--minions", str(minions), "--registry", str(registry), *more]
    process = subprocess.Popen(argv, cwd=Path(__file__).resolve().parents[1], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        if "up" not in process.stdout.readline():
            raise RuntimeError(f"{' '.join(argv)} did not start")
        yield registry
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


@contextmanager
def _mtop(bench: Bench, *words: str) -> Iterator[Screen]:
    home = bench.fresh("home")
    environ = {**bench.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "XDG_CONFIG_HOME": str(home)}
    screen = Screen(["mtop", *words], environ, home)
    try:
        yield screen
    finally:
        screen.close()


def _watched(bench: Bench, minions: int, seconds: float) -> dict[str, float]:
    """Watch a fleet for a while: processor, memory, polls; and how long keys wait meanwhile."""
    with _fleet(bench, minions) as registry, _mtop(bench, "-r", f"dir:{registry}") as screen:
        screen.until(rb"node-0-1005")
        time.sleep(WARM)
        cpu, began = screen.cpu(), time.perf_counter()
        time.sleep(seconds)
        cores = (screen.cpu() - cpu) / (time.perf_counter() - began)
        with screen._seen:
            screen.text = b""
        polls = _number(screen, rb"([\d.]+k?) polls/s")
        waits = _waits(screen, minions, known=True)
        return {"cores": cores, "longest": max(waits) * 1e3, "memory": screen.memory(), "share": polls / minions}


def _waits(screen: Screen, rows: int, known: bool) -> list[float]:
    """Press keys at odd times; return how long each waited for the cursor to stand, in its colours, where it goes."""
    waits = []
    half = min(KEYS // 2, rows - 1)
    for number in range(2 * half):
        time.sleep(0.05 + number % 7 * 0.03)
        at = number + 1 if number < half else 2 * half - number - 1
        line = _CURSOR + (b"node-\\d+-%d-" % (1000 + at) if known else b"")
        waits.append(screen.press(_DOWN if number < half else _UP, line))
    return waits


def _number(screen: Screen, pattern: bytes) -> float:
    screen.until(pattern)
    found = re.findall(pattern, screen.text)[-1].decode()
    return float(found.removesuffix("k")) * (1000 if found.endswith("k") else 1)


def _rows(bench: Bench, rows: int) -> dict[str, float]:
    """Press keys before so many rows, all of which change."""
    with _mtop(bench, "--demo", str(rows)) as screen:
        screen.until(rb"Minions")
        time.sleep(WARM)
        waits = sorted(_waits(screen, rows, known=False))
        orders = []
        for _ in range(10):
            time.sleep(0.33)
            orders.append(screen.press(b"I", _CURSOR))
        return {"usual": waits[int(len(waits) * 0.95)] * 1e3, "sorted": sorted(orders)[5] * 1e3}


def _start(bench: Bench, minions: int) -> float:
    """Start before a fleet of which a tenth does not answer; return when the screen was full of polled numbers."""
    with _fleet(bench, minions, "--dead-share", "0.1") as registry, _mtop(bench, "-r", f"dir:{registry}") as screen:
        last = min(SIZE[0] - 10, minions - 1)
        screen.until(b"node-%d-%d-" % (last // 16, 1000 + last))
        return screen.until(rb"polls/s") - screen.began


def _once(bench: Bench) -> float:
    with _fleet(bench, 3) as registry:
        began = time.perf_counter()
        subprocess.run(
            ["mtop", "-r", f"dir:{registry}", "--once"], env=dict(bench.environ), stdout=subprocess.DEVNULL, check=False
        )
        return (time.perf_counter() - began) * 1e3
