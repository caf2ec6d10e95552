"""The real command, in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from pathlib import Path
from typing import Any, cast

import pytest

from minionize.registries.directory import DirectoryRegistry
from minionize.registry import Announcement
from minionize.stats.wire import StatsWire
from minionize.testing.announcements import TOKEN, hostile
from tests.mtop.cli.fleets import well

MTOP = (sys.executable, "-m", "mtop")


def environ(**more: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("MINION_", "XDG_", "COLUMNS"))}
    return {**kept, **more}


def mtop(*words: str, **more: Any) -> subprocess.CompletedProcess[str]:
    more.setdefault("env", environ())
    return subprocess.run([*MTOP, *words], capture_output=True, text=True, timeout=120, **more)


def announce(folder: Path, *announcements: Announcement) -> str:
    registry = DirectoryRegistry(str(folder), {})
    for each in announcements:
        registry.announce(each)
    return f"dir:{folder}"


@contextmanager
def serving(said: StatsWire) -> Iterator[str]:
    """The URL of a stats server that says this."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = json.dumps(said).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def stats(id: str, **changes: Any) -> StatsWire:
    said = well(id, **changes)
    return cast(StatsWire, {key: value for key, value in said.items() if key in StatsWire.__annotations__})


def test_a_table_of_a_registry(tmp_path: Path) -> None:
    done = mtop("--once", "-r", announce(tmp_path, well("a-1-x"), well("b-1-x")))
    assert (done.returncode, done.stderr) == (0, "")
    assert "2 live" in done.stdout
    assert [line.split()[0] for line in done.stdout.splitlines()[-3:]] == ["ID", "a-1-x", "b-1-x"]
    assert "\x1b" not in done.stdout


def test_json_has_no_secret_in_it(tmp_path: Path) -> None:
    done = mtop("--json", "-r", announce(tmp_path, well(url="http://127.0.0.1:1", token=TOKEN)))
    assert TOKEN not in done.stdout + done.stderr
    (minion,) = json.loads(done.stdout)["minions"]
    assert (minion["via"], minion["state"], done.returncode) == ("heartbeat", "running", 0)


def test_the_registry_of_the_environment(tmp_path: Path) -> None:
    place = announce(tmp_path / "there", well())
    assert "node-1-a" in mtop("--csv", env=environ(MINION_REGISTRY=place)).stdout
    (tmp_path / ".env").write_text(f"MINION_REGISTRY={place}\n")
    assert "node-1-a" in mtop("--csv", cwd=tmp_path).stdout


def test_the_registry_of_the_home(tmp_path: Path) -> None:
    announce(tmp_path / "minionize" / "minions", well())
    assert "node-1-a" in mtop("--csv", env=environ(XDG_STATE_HOME=str(tmp_path))).stdout


def test_two_registries(tmp_path: Path) -> None:
    first, second = announce(tmp_path / "1", well("a")), announce(tmp_path / "2", well("b"))
    assert len(json.loads(mtop("--json", "-r", first, "-r", second).stdout)["minions"]) == 2


def test_a_minion_at_a_url() -> None:
    with serving(stats("by-url-1")) as url:
        done = mtop("--json", url)
    (minion,) = json.loads(done.stdout)["minions"]
    assert (minion["id"], minion["via"], minion["done"], done.returncode) == ("by-url-1", "http", 4, 0)


def test_a_minion_that_is_lost_is_status_1(tmp_path: Path) -> None:
    place = announce(tmp_path, well(backlog=None))
    os.utime(tmp_path / "node-1-a.json", (0, 1_000_000_000))
    done = mtop("--json", "-r", place)
    assert (done.returncode, json.loads(done.stdout)["fleet"]["troubles"]) == (1, ["minions are lost"])


def test_a_url_where_nobody_answers_is_status_1() -> None:
    done = mtop("--json", "http://127.0.0.1:1")
    assert (done.returncode, json.loads(done.stdout)["fleet"]["lost"]) == (1, 1)


def test_a_registry_that_cannot_be_read_is_status_2(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    bad, good = f"dir:{tmp_path}/file", announce(tmp_path / "good", well())
    done = mtop("--once", "-r", bad)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"mtop: cannot read the registry {tmp_path}/file: Not a directory; check MINION_REGISTRY\n"
    done = mtop("--json", "-r", bad, "-r", good)
    assert done.returncode == 2
    assert "Not a directory" in done.stderr
    assert len(json.loads(done.stdout)["minions"]) == 1
    assert len(json.loads(done.stdout)["fleet"]["problems"]) == 1


def test_nobody_in_sight(tmp_path: Path) -> None:
    done = mtop("--once", "-r", f"dir:{tmp_path}/none")
    assert (done.returncode, done.stdout) == (0, "")
    assert f"no minion in sight at {tmp_path}/none" in done.stderr
    assert not (tmp_path / "none").exists()


def test_hostile_announcements_are_passed_over(tmp_path: Path) -> None:
    place = announce(tmp_path, well("good-1-x", backlog=None))
    for number in range(sum(1 for _ in hostile("x"))):
        _, data = next(islice(hostile(f"host-{number}-a"), number, None))
        (tmp_path / f"host-{number}-a.json").write_bytes(data)
    (tmp_path / "folder-1-a.json").mkdir()
    os.mkfifo(tmp_path / "fifo-1-a.json")
    done = mtop("--json", "-r", place)
    assert [minion["id"] for minion in json.loads(done.stdout)["minions"]] == ["good-1-x"]
    assert (done.returncode, done.stderr) == (0, "")


def test_a_thousand_announcements(tmp_path: Path) -> None:
    place = announce(tmp_path, *(well(f"node-{number}-a", host=f"node-{number % 50}") for number in range(1000)))
    answer = json.loads(mtop("--json", "-r", place, "-s", "id").stdout)
    assert answer["fleet"]["live"] == 1000
    assert [minion["id"] for minion in answer["minions"][:3]] == ["node-0-a", "node-1-a", "node-2-a"]
    rows = mtop("--once", "--tree", "host", "-r", place, "--columns", "id,slots").stdout.splitlines()
    assert sum(not row.startswith(" ") for row in rows[rows.index("") + 2 :]) == 50


def test_a_stream_goes_on_until_ctrl_c(tmp_path: Path) -> None:
    place = announce(tmp_path, well(backlog=None))
    words = [*MTOP, "--json", "-d", "0.1", "-r", place]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ()) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        lines = [json.loads(process.stdout.readline()) for _ in range(3)]
        announce(tmp_path, well("late-1-x", backlog=None))
        while len(json.loads(process.stdout.readline())["minions"]) < 2:
            pass
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
        assert process.wait(60) == 0
        assert process.stderr.read() == ""
    assert not rest or rest.endswith("}\n")
    times = [line["as_of"] for line in lines]
    assert 0.05 < times[2] - times[0] < 60
    assert all(line["schema"] == 1 for line in lines)


def test_a_stream_ends_with_its_reader(tmp_path: Path) -> None:
    words = [*MTOP, "--json", "-d", "0.1", "-r", announce(tmp_path, well())]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ()) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(60) == 128 + signal.SIGPIPE
        assert process.stderr.read() == ""


@pytest.mark.parametrize("form", ["--once", "--json", "--csv"])
def test_a_full_disk_is_said(tmp_path: Path, form: str) -> None:
    place = announce(tmp_path, well())
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*MTOP, form, "-r", place], stdout=full, stderr=subprocess.PIPE, text=True, env=environ(), timeout=120
        )
    assert (done.returncode, done.stderr) == (2, "mtop: error: standard output: No space left on device\n")


@pytest.mark.parametrize("module", ["httptools"])
def test_without_the_extra_it_says_what_to_install(tmp_path: Path, module: str) -> None:
    code = f"import sys; sys.modules[{module!r}] = None; from mtop.__main__ import main; main()"
    words = [sys.executable, "-c", code, "--once", "-r", f"dir:{tmp_path}"]
    done = subprocess.run(words, capture_output=True, text=True, env=environ(), timeout=120)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"mtop: error: {module} is not installed; pip install 'minionize[mtop]'\n"


def test_help_of_the_module() -> None:
    assert mtop("--help").stdout.startswith("Usage: mtop [OPTIONS] [URL]...\n")


@pytest.mark.slow
def test_it_starts_at_once(tmp_path: Path) -> None:
    """150 ms at most, of which Python and click take 60; more is left here for a machine that does other things too."""
    place = announce(tmp_path, *(well(f"node-{number}-a") for number in range(5)))
    taken = []
    for _ in range(10):
        before = os.times()
        mtop("--once", "-r", place)
        after = os.times()
        taken.append(after.children_user + after.children_system - before.children_user - before.children_system)
    assert min(taken) < 0.25
