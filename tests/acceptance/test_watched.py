"""Real minions that are watched: found in the registry, asked over HTTP, controlled; also by clients that misbehave."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from minionize.registries.directory import DirectoryRegistry
from minionize.registry import Seen, liveness
from tests.acceptance.running import Minion, Place, until

pytestmark = pytest.mark.acceptance

WAIT = 'echo "out $1"; echo "err $1" >&2; while [ ! -e go ]; do sleep 0.01; done'


def read(place: Place) -> list[Seen]:
    return DirectoryRegistry(str(place.folder / "state/minionize/minions"), {}).read()


def announced(place: Place, count: int = 1) -> list[dict[str, Any]]:
    """The announcements, when there are so many."""
    until(lambda: len(read(place)) == count, what=f"{count} announcements")
    return [dict(seen.announcement) for seen in read(place)]


def client(found: dict[str, Any], token: str | None = None) -> httpx.Client:
    """A client of a minion, with its token."""
    shown = {"Authorization": f"Bearer {found['token'] if token is None else token}"}
    return httpx.Client(base_url=found["url"], headers=shown, timeout=60)


def start(place: Place, params: Iterable[str], *words: str) -> Minion:
    """A minion on a file of params."""
    (place.folder / "params.txt").write_text("".join(f"{param}\n" for param in params))
    return place.start("-e", "file", *words, FILE_PATH="params.txt")


def go(place: Place) -> None:
    (place.folder / "go").touch()


def test_two_minions_are_found_and_one_is_killed(place: Place) -> None:
    place.sweep("range(500)")
    # Runs are held while there is a file "hold", and take no time once there is one named "go".
    line = "[ -e go ] || sleep 0.1; if [ -e hold ]; then echo >> held; until [ -e go ]; do sleep 0.01; done; fi"
    script = ("sh", "-c", line, "sh")
    one = place.start("-e", "execo", "--heartbeat", "0.2", *script)
    two = place.start("-e", "execo", "--heartbeat", "0.2", *script)
    found = {entry["pid"]: entry for entry in announced(place, 2)}
    assert set(found) == {one.pid, two.pid}
    for entry in found.values():
        with client(entry) as http:
            stats = http.get("/stats").json()
            assert (stats["id"], stats["state"], stats["engine"]) == (entry["id"], "running", "execo")
    until(lambda: all(seen.announcement["counters"]["succeeded"] > 2 for seen in read(place)))
    (place.folder / "hold").touch()
    until(lambda: len(place.lines("held")) == 2 and place.charged() >= 2, what="both have a run that is held")
    one.kill()
    go(place)
    assert two.wait() == 0
    ends = {seen.announcement["pid"]: seen for seen in read(place)}
    assert (liveness(ends[one.pid]), liveness(ends[two.pid])) == ("lost", "stopped")
    assert ends[one.pid].announcement["left"] is None, "who was killed leaves no tombstone"
    killed, left = (ends[pid].announcement["counters"] for pid in (one.pid, two.pid))
    assert killed["succeeded"] > 2, "its numbers stay"
    assert left["succeeded"] <= 500 - killed["succeeded"]
    assert left["crashed"] >= 1, "what it held is counted where it came next"


def test_a_minion_that_gives_no_sign_of_life_goes_stale(place: Place) -> None:
    minion = start(place, ("a",), "--heartbeat", "0.2", "sh", "-c", WAIT, "sh")
    announced(place)
    minion.send(signal.SIGSTOP)
    until(lambda: liveness(read(place)[0]) == "stale")
    minion.send(signal.SIGCONT)
    until(lambda: liveness(read(place)[0]) == "live")
    go(place)
    assert minion.wait() == 0


def test_numbers_are_open_params_need_the_token(place: Place) -> None:
    minion = start(
        place,
        (
            "a",
            "b",
            "c",
        ),
        "-j2",
        "sh",
        "-c",
        WAIT,
        "sh",
    )
    (found,) = announced(place)
    with httpx.Client(base_url=found["url"], timeout=60) as http:
        assert http.get("/healthz").json()["status"] == "ok"
        assert http.get("/stats").json()["slots"] == 2
        names = {family.name for family in text_string_to_metric_families(http.get("/metrics").text)}
        assert {"minionize_received", "minionize_slots"} <= names
        for path in ("/tasks", "/failures", "/tasks/1/output"):
            refused = http.get(path)
            assert (refused.status_code, refused.headers["content-type"]) == (401, "application/problem+json")
        for path in ("/pause", "/resume", "/drain", "/slots", "/tasks/1/kill", "/tasks/1/requeue", "/dead/requeue"):
            assert http.post(path, json={"slots": 1}).status_code == 401
    with client(found, "wrong") as http:
        assert http.post("/drain").status_code == 401
    go(place)
    assert minion.wait() == 0
    assert "3 done" in minion.err, "nobody could drain it"


def test_it_does_what_it_is_asked_for(place: Place) -> None:
    minion = start(place, "abcdef", "-j2", "sh", "-c", WAIT, "sh")
    (found,) = announced(place)
    with client(found) as http:
        until(lambda: [task["param"] for task in http.get("/tasks").json() if task["pid"]] == ["a", "b"])
        tasks = http.get("/tasks").json()
        path = f"/tasks/{tasks[0]['id']}"
        for name, text in (("stderr", "err a\n"), ("stdout", "out a\n")):
            assert until(lambda: http.get(f"{path}/output").json()[name]) == text  # noqa: B023
        assert http.post("/slots", json={"slots": 3}).json()["slots"] == 3
        until(lambda: http.get("/stats").json()["busy"] == 3)
        assert http.post(f"{path}/kill").status_code in (200, 202)
        failures = until(lambda: http.get("/failures").json()["failures"])
        assert (failures[0]["param"], failures[0]["reason"]) == ("a", "killed on request")
        until(lambda: http.get("/stats").json()["busy"] == 3, what="another one runs instead")
        assert http.post("/pause").json()["state"] == "paused"
        assert http.post("/resume").json()["state"] == "running"
        assert http.post("/tasks/nonsense%2F..%00/kill").status_code in (404, 422)
        assert http.post("/drain").json()["state"] == "draining"
    go(place)
    assert minion.wait() == 1
    assert "3 done, 1 failed, 0 retried, 1 dead" in minion.err


def test_dead_params_run_again_when_it_is_asked_for(place: Place) -> None:
    place.sweep("['one', 'two', 'three', 'stay']")
    stays = 'if [ "$1" = stay ]; then until [ -e go ]; do sleep 0.01; done; exit 0; fi'
    script = f'{stays}; echo "$1 $MINION_ATTEMPT" >> runs; [ -e mended ]'
    minion = place.start("-e", "execo", "-j2", "sh", "-c", script, "sh")
    (found,) = announced(place)
    with client(found) as http:
        until(lambda: http.get("/stats").json()["counters"]["dead"] == 3)
        (place.folder / "mended").touch()
        some = {each["param"]: each["id"] for each in http.get("/failures").json()["failures"]}
        answer = http.post("/dead/requeue", json={"ids": [some["two"], "no such id"]})
        stats = http.get("/stats").json()
        stands = {name: stats[name] for name in ("id", "state", "slots")}
        assert {name: answer.json()[name] for name in (*stands, "requeued")} == {**stands, "requeued": 1}
        until(lambda: http.get("/stats").json()["counters"]["succeeded"] == 1)
        assert http.post("/dead/requeue").json()["requeued"] == 2
        until(lambda: http.get("/stats").json()["counters"]["succeeded"] == 3)
        assert http.post("/dead/requeue").json()["requeued"] == 0
        go(place)
    assert minion.wait() == 1, "some were dead once"
    assert sorted(place.lines("runs")) == sorted(["one 1", "two 1", "three 1"] * 2)
    assert place.sweeper("len(s.get_done())") == "4"
    assert "4 done, 3 failed, 0 retried, 3 dead" in minion.err


def test_where_the_queue_keeps_no_dead_params_it_says_where_they_are(place: Place) -> None:
    minion = start(place, ("a",), "--dead", "dead.jsonl", "sh", "-c", WAIT, "sh")
    (found,) = announced(place)
    with client(found) as http:
        refused = http.post("/dead/requeue")
        assert (refused.status_code, refused.headers["content-type"]) == (409, "application/problem+json")
        assert "minion-queue -e file requeue --all --dead dead.jsonl" in refused.json()["detail"]
    go(place)
    assert minion.wait() == 0


def test_many_clients_and_bad_ones_do_not_disturb_it(place: Place) -> None:
    # The last one runs for as long as it is asked.
    line = "sleep 0.05; [ $1 != 199 ] || until [ -e go ]; do sleep 0.01; done"
    minion = start(place, map(str, range(200)), "-j2", "sh", "-c", line, "sh")
    (found,) = announced(place)
    where = urlsplit(found["url"])
    address = (str(where.hostname), int(where.port or 0))
    hanging = [socket.create_connection(address) for _ in range(20)]
    for number, each in enumerate(hanging):
        each.sendall(b"GET /stats HTTP/1.1\r\nHost: x\r\nX-Slow: " if number % 2 else b"GET /sta")
    with ThreadPoolExecutor(50) as pool:
        codes = list(pool.map(lambda _: httpx.get(f"{found['url']}/stats", timeout=60).status_code, range(200)))
    assert codes == [200] * 200
    assert _raw(address, b"GET /healthz HTTP/1.0\r\n\r\n").startswith((b"HTTP/1.0 200", b"HTTP/1.1 200"))
    assert _raw(address, b"\x16\x03\x01 nonsense\r\n\r\n").startswith(b"HTTP/1.1 400")
    with client(found) as http:
        head = http.head("/stats")
        assert (head.status_code, head.content) == (200, b"")
        huge = http.post("/slots", content=b"[" * 10_000_000, headers={"content-type": "application/json"})
        assert huge.status_code == 413
        assert http.get("/stats").status_code == 200
    go(place)
    assert minion.wait() == 0
    assert "200 done" in minion.err
    for each in hanging:
        each.close()


def test_another_user_can_read_neither_token_nor_params(place: Place) -> None:
    if os.getuid() != 0:
        pytest.skip("only root can try it as somebody else")
    minion = start(place, ("secret-param",), "sh", "-c", WAIT, "sh")
    (found,) = announced(place)
    for path in (place.folder, *place.folder.parents):
        if (
            path != Path("/")
            and path.stat().st_uid == 0
            and path.name.startswith(("pytest", "test_", place.folder.name))
        ):
            path.chmod(0o755)
    until(lambda: minion.out, what="it runs")
    script = (
        "import encodings.idna, glob, os, urllib.request\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        f"print(glob.glob({str(place.folder)!r} + '/state/minionize/minions/*'))\n"
        f"print(urllib.request.urlopen({found['url']!r} + '/stats', timeout=60).read().decode())\n"
    )
    as_nobody = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd="/")
    assert as_nobody.returncode == 0, as_nobody.stderr
    files, stats = as_nobody.stdout.split("\n", 1)
    assert files == "[]"
    assert json.loads(stats)["busy"] == 1
    assert "secret-param" not in stats
    assert found["token"] not in stats
    assert found["token"] not in minion.err
    go(place)
    assert minion.wait() == 0


def test_nothing_is_imported_for_a_server_that_nobody_asks(place: Place) -> None:
    script = (
        "import sys, minionize\n"
        "class Sleep(minionize.ProcessCallback):\n"
        "    def to_cmd(self, param):\n"
        "        return f'sleep {param}'\n"
        "assert minionize.minionizer(Sleep()).run() == 0\n"
        "print(sorted({'fastapi', 'uvicorn', 'psutil', 'asyncio', 'pydantic'} & set(sys.modules)))\n"
    )
    done = place.run_program(sys.executable, "-c", script, params=b"0.5\n", MINION_ENGINE="file")
    assert done.stdout.decode().splitlines()[-1] == "[]"
    announced(place)


def _raw(address: tuple[str, int], request: bytes) -> bytes:
    with socket.create_connection(address, timeout=60) as connection:
        connection.sendall(request)
        return connection.recv(65536)
