"""``minion-queue`` in processes of its own: beside minions, kills and plain scripts, without room, stopped."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.running import Minion, Place, opened, until

pytestmark = pytest.mark.acceptance

QUEUE = (sys.executable, "-c", "from minionize.cli.queue import main; main()")
EXECO = {"MINION_ENGINE": "execo"}
RUN = ("-j", "2", "sh", "-c", "echo $1 >> runs", "sh")
PLAIN = """
import sys
from execo_engine.sweep import ParamSweeper
sweeper = ParamSweeper("sweeps")
while (param := sweeper.get_next()) is not None:
    open("plain", "a").write(f"{param}\\n")
    sweeper.done(param)
"""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with opened(tmp_path) as place:
        yield place


def numbers(first: int, last: int) -> bytes:
    return "".join(f"{number}\n" for number in range(first, last)).encode()


def fill(place: Place, *words: str, params: bytes = b"", **environ: str) -> Any:
    done = place.run_program(*QUEUE, "fill", *words, params=params, **environ)
    assert done.returncode == 0, done.stderr
    return done.stdout


def status(place: Place, **environ: str) -> dict[str, Any]:
    done = place.run_program(*QUEUE, "status", "--json", **environ)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def start_fill(place: Place, *words: str, **environ: str) -> Minion:
    return place.start_program(*QUEUE, "fill", *words, stdin=subprocess.PIPE, **environ)


@pytest.mark.chaos
def test_filling_while_minions_work_and_die(place: Place) -> None:
    fill(place, params=numbers(0, 200))
    minions = [place.start(*RUN, **EXECO) for _ in range(3)]

    def working() -> bool:
        """Start others for those that found nothing more to do."""
        for number, minion in enumerate(minions):
            if minion.process.poll() is not None:
                minions[number] = place.start(*RUN, **EXECO)
        return True

    put = 200
    for number in range(1, 9):
        # Two at a time, and half of what they bring is there already.
        pair = [start_fill(place) for _ in range(2)]
        for each in pair:
            each.stdin.write(numbers(number * 100, number * 100 + 200))
            each.stdin.close()
        if number % 3 == 0:
            minions.pop(0).kill()
            minions.append(place.start(*RUN, **EXECO))
        working()
        assert [each.wait() for each in pair] == [0, 0], [each.err for each in pair]
        put += sum(int(each.out.split()[0]) for each in pair)
    assert put == 1000, "what was put by all together is what is there"
    until(lambda: working() and status(place)["done"] == 1000, 120.0, "all done")
    runs = Counter(map(int, place.lines("runs")))
    assert set(runs) == set(range(1000))
    # Only what was running or not yet written down when a minion was killed may have run again.
    assert sum(runs.values()) - 1000 <= 2 * 100
    after = status(place)
    assert (after["ready"], after["in_flight"], after["dead"]) == (0, 0, 0)


def test_filling_beside_a_plain_script(place: Place) -> None:
    place.sweep("[str(n) for n in range(100)]")
    script = place.start_program(sys.executable, "-c", PLAIN, MINIONIZE_TEST_PLACE="")
    for number in range(100, 500, 100):
        fill(place, params=numbers(number, number + 100))
    assert script.wait() == 0, script.err
    mine = place.lines("plain")
    assert set(mine) >= set(map(str, range(100)))
    done = place.run("-j", "2", "sh", "-c", "echo $1 >> runs", "sh", **EXECO)
    assert done.returncode == 0, done.stderr
    assert sorted(map(int, mine + place.lines("runs"))) == list(range(500))
    assert place.sweeper("len(s.get_done()), len(s.get_remaining()), s.get_inprogress()") == "500 0 set()"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("engine", ["file", "execo"])
def test_a_stopped_fill_says_what_it_put(place: Place, number: int, engine: str) -> None:
    one = start_fill(place, "-e", engine, "--json", FILE_PATH="params", FILE_DECODER="json")
    one.stdin.write(numbers(0, 1000) + b"1000")
    until(lambda: waits_for_input(one), what="it has read all")
    one.send(number)
    assert one.wait() == 128 + number
    one.stdin.close()
    answer = json.loads(one.out)
    assert (answer["put"], answer["stopped"]) == (1000, signal.Signals(number).name)
    assert f"stopped by {signal.Signals(number).name}" in one.err
    if engine == "file":
        assert (place.folder / "params").read_bytes() == numbers(0, 1000)
    else:
        assert status(place)["ready"] == 1000


def waits_for_input(one: Minion) -> bool:
    """Whether a process has emptied its pipe and waits for more."""
    import fcntl
    import struct
    import termios

    left: int = struct.unpack("i", fcntl.ioctl(one.stdin, termios.FIONREAD, b"\0" * 4))[0]
    state = Path(f"/proc/{one.pid}/stat").read_text().rpartition(")")[2].split()[0]
    return left == 0 and state == "S"


@pytest.mark.chaos
def test_a_killed_fill_leaves_the_queue_whole(place: Place) -> None:
    fill(place, params=numbers(0, 50_000))
    for delay in range(4):
        one = start_fill(place)
        one.stdin.write(b"")
        writer = subprocess.Popen(["seq", "50000", "300000"], stdout=one.stdin)
        one.stdin.close()
        writer.wait()
        until(lambda: place.folder.joinpath("sweeps/sweeps").exists())
        with suppress(subprocess.TimeoutExpired):
            one.process.wait(0.05 * delay)
        one.kill()
        assert status(place)["ready"] in (50_000, 300_001)
    fill(place, params=numbers(300_000, 300_002))
    assert place.sweeper("len(s.get_sweeps())") in ("50002", "300002")


@pytest.mark.parametrize("engine", ["file", "execo"])
def test_without_room_nothing_is_half_written(place: Place, engine: str) -> None:
    fill(place, "-e", engine, params=b"first\n", FILE_PATH="params")
    limited = ("sh", "-c", 'ulimit -f 20; exec "$@"', "sh", *QUEUE, "fill", "-e", engine)
    done = place.run_program(*limited, params=numbers(10**6, 10**6 + 20_000), FILE_PATH="params")
    assert done.returncode == 3
    assert b"File too large" in done.stderr
    if engine == "execo":
        assert b"nothing was put" in done.stderr
        assert status(place)["ready"] == 1
    else:
        lines = (place.folder / "params").read_bytes().splitlines(keepends=True)
        assert f"({len(lines) - 1} were put)".encode() in done.stderr
        assert lines[1:] == numbers(10**6, 10**6 + len(lines) - 1).splitlines(keepends=True)


def test_nobody_reads_the_answer(place: Place) -> None:
    fill(place, "--sweep", "x=1:20000")
    line = f'{sys.executable} -c "{QUEUE[2]}" peek -n 0 | head -n 1; echo ${{PIPESTATUS[0]}}'
    done = place.run_program("bash", "-c", line)
    assert done.stdout.decode().splitlines()[-1] == str(128 + signal.SIGPIPE)
    assert done.stderr == b""


def test_memory_is_flat_while_a_file_is_filled(place: Place) -> None:
    script = "import resource; print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    peaks = []
    for count in (1_000, 400_000):
        line = f"seq {count} | FILE_PATH=params {sys.executable} -c '{QUEUE[2]}' -e file fill >&2"
        words = f"import subprocess; subprocess.run([{line!r}], shell=True, check=True); {script}"
        peaks.append(int(place.run_program(sys.executable, "-c", words).stdout))
    assert peaks[1] < peaks[0] + 8_000, peaks
