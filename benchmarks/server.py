"""What being watched costs: rates of a minion that is polled, answers of one that is busy, an idle one's needs."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.harness import Bench, Figure, lines, ratios, run

PARAMS = 20_000
REQUESTS = 1000
PER_SECOND = 50
IDLE = 10.0

OURS, XARGS = "minionize -j2, polled each second", "xargs -P2 -n1"
BURN = "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done"


def measure(bench: Bench) -> list[Figure]:
    """Measure them all."""
    number = bench.count(PARAMS)
    many = lines(bench.work / "polled", number)

    def polled() -> float:
        with _watched(bench) as environ:
            argv = ["minionize", "-j2", "/bin/true"]
            files = {"MINION_ENGINE": "file", "MINION_REPORTER": "json"}
            return number / run(argv, bench.fresh("polled"), {**environ, **files}, many).seconds

    def xargs() -> float:
        return number / run(["xargs", "-P2", "-n1", "/bin/true"], bench.work, bench.environ, many).seconds

    rates = bench.interleaved({OURS: polled, XARGS: xargs})
    figures = [Figure("minionize, polled each second / xargs", "x", ratios(rates[OURS], rates[XARGS]), at_least=1.0)]
    figures += [Figure(name, "/s", values) for name, values in rates.items()]
    for name, argv in (
        ("programs that wait", ["sh", "-c", "sleep 0.2"]),
        ("programs that compute", ["sh", "-c", BURN]),
        ("2,000 programs a second", ["/bin/true"]),
    ):
        times = [_answers(bench, argv) for _ in range(bench.rounds)]
        figures.append(Figure(f"/stats p99, {name}", "ms", tuple(_share(each, 0.99) for each in times), at_most=5.0))
        figures.append(Figure(f"/stats p50, {name}", "ms", tuple(_share(each, 0.5) for each in times)))
    return figures + _idle(bench)


@contextmanager
def _watched(bench: Bench) -> Iterator[dict[str, str]]:
    """Give an environment whose minions are polled once a second."""
    state = bench.fresh("state")
    ended = threading.Event()

    def poll() -> None:
        connection = None
        while not ended.wait(1.0 if connection else 0.05):
            connection = connection or _connection(state)
            if connection:
                try:
                    _get(connection, "/stats")
                except (OSError, http.client.HTTPException):
                    return

    thread = threading.Thread(target=poll)
    thread.start()
    try:
        yield {**bench.environ, "XDG_STATE_HOME": str(state)}
    finally:
        ended.set()
        thread.join()


def _connection(state: Path) -> http.client.HTTPConnection | None:
    for path in (state / "minionize/minions").glob("*.json"):
        found = json.loads(path.read_text())
        if found["url"]:
            where = urlsplit(found["url"])
            return http.client.HTTPConnection(where.hostname or "", where.port, timeout=30)
    return None


def _get(connection: http.client.HTTPConnection, path: str) -> bytes:
    connection.request("GET", path)
    return connection.getresponse().read()


@contextmanager
def _minion(bench: Bench, slots: int, *argv: str, feeds: bool) -> Iterator[tuple[int, http.client.HTTPConnection]]:
    """Run a minion whose pipe stays open; give its process and a connection to its server, which is up."""
    state = bench.fresh("state")
    environ = {**bench.environ, "XDG_STATE_HOME": str(state), "MINION_ENGINE": "file"}
    process = subprocess.Popen(
        ["minionize", f"-j{slots}", *argv],
        env=environ,
        cwd=state,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    feeder = threading.Thread(target=_feed, args=(process, feeds))
    feeder.start()
    try:
        while not (connection := _connection(state)):
            time.sleep(0.02)
        _get(connection, "/stats")
        yield process.pid, connection
    finally:
        process.terminate()
        process.wait()
        feeder.join()
        assert process.stdin is not None
        with suppress(BrokenPipeError):
            process.stdin.close()


def _feed(process: subprocess.Popen[bytes], feeds: bool) -> None:
    assert process.stdin is not None
    try:
        while feeds:
            process.stdin.write(b"p\n" * 100)
            process.stdin.flush()
    except (OSError, ValueError):
        return


def _answers(bench: Bench, argv: list[str]) -> list[float]:
    """Ask a minion with two busy slots 50 times a second; return how long each answer took, in milliseconds."""
    times = []
    with _minion(bench, 2, *argv, feeds=True) as (_, connection):
        began = time.perf_counter()
        for number in range(bench.count(REQUESTS)):
            time.sleep(max(0.0, began + number / PER_SECOND - time.perf_counter()))
            before = time.perf_counter()
            _get(connection, "/stats")
            times.append((time.perf_counter() - before) * 1e3)
    return times


def _share(times: list[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(share * len(times)))]


def _idle(bench: Bench) -> list[Figure]:
    polls, cpu, memory = [], [], []
    for _ in range(bench.rounds):
        with _minion(bench, 8, "cat", feeds=False) as (pid, connection):
            count = bench.count(REQUESTS)
            before = _cpu(pid)
            for _ in range(count):
                _get(connection, "/stats")
            polls.append(max(1e-3, (_cpu(pid) - before) / count * 1e3))
            before, seconds = _cpu(pid), max(1.0, IDLE * min(1.0, bench.scale))
            time.sleep(seconds)
            cpu.append(max(1e-3, (_cpu(pid) - before) / seconds * 100))
            memory.append(_rss(pid) / 1e6)
    return [
        Figure("CPU of one poll", "ms", tuple(polls), at_most=1.0),
        Figure("idle minion, 8 slots, server up: share of a core", "%", tuple(cpu), at_most=0.5),
        Figure("idle minion, 8 slots, server up: resident", "MB", tuple(memory), at_most=60.0),
    ]


def _cpu(pid: int) -> float:
    """Return the processor time of all threads that live, in seconds: to the nanosecond, unlike /proc/PID/stat."""
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(each.read_text().split()[0]) for each in threads) / 1e9


def _rss(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
