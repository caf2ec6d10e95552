"""How runs in containers are ended: time-outs, stops and kills, and a Docker engine that goes away."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.acceptance.running import Place, alive, until
from tests.containers.docked import DEAF, OBEDIENT, Docked, docker_contexts
from tests.containers.dockerd import own_dockerd

pytestmark = pytest.mark.container


def sh(script: str) -> tuple[str, ...]:
    return ("--", "sh", "-c", script, "sh")


def test_a_time_out_ends_the_container(docked: Docked) -> None:
    out = docked.out("--timeout", "6", "--grace", "60", *sh(OBEDIENT), code=1)
    assert out == "begun\ntold\n"
    assert (docked.record["outcome"], docked.record["reason"]) == ("timed_out", "ran longer than 6 s")


def test_one_that_does_not_obey_is_killed_after_the_grace(docked: Docked) -> None:
    out = docked.out("--timeout", "6", "--grace", "2", *sh(DEAF), code=1)
    assert out == "begun\ntold\n"
    assert docked.containers() == [], "it was removed before the param was settled"


def test_one_whose_time_is_out_before_it_begins_does_not_begin(docked: Docked) -> None:
    assert docked.out("--timeout", "0.01", "--grace", "60", *sh("echo begun; sleep 1000"), code=1) in ("", "begun\n")
    assert docked.record["outcome"] == "timed_out"


def test_a_program_without_a_handler_is_ended_by_term(docked: Docked) -> None:
    """It is not PID 1 of its container, which TERM would not end."""
    minion = docked.start("--grace", "100", *sh("echo begun; exec sleep 1000"))
    minion.send(signal.SIGTERM)
    assert minion.wait() == 128 + signal.SIGTERM


@pytest.mark.parametrize("script", [OBEDIENT, DEAF], ids=["obedient", "deaf"])
def test_a_minion_that_is_stopped_gives_back_what_it_ran(docked: Docked, script: str) -> None:
    minion = docked.start("--grace", "3", *sh(script), sweep=True)
    minion.send(signal.SIGTERM)
    assert minion.wait() == 128 + signal.SIGTERM
    assert minion.out == "begun\ntold\n"
    assert (docked.record["outcome"], docked.record["settled"]) == ("preempted", "nack")
    assert docked.left() == "0 0 1"
    assert docked.place.charged() == 0
    assert docked.containers() == []


def test_a_second_term_does_not_wait_for_the_grace(docked: Docked) -> None:
    minion = docked.start("--grace", "100", *sh(DEAF))
    minion.send(signal.SIGTERM)
    until(lambda: "told" in minion.out, what="its run was told")
    minion.send(signal.SIGTERM)
    assert minion.wait() == 128 + signal.SIGTERM
    assert docked.record["outcome"] == "preempted"
    assert docked.containers() == []


def test_killed_on_request(docked: Docked) -> None:
    minion = docked.place.start_program(sys.executable, "-c", KILLS, stdin=subprocess.PIPE, **docked.environ)
    minion.stdin.write(b"p\n")
    minion.stdin.close()
    assert minion.wait() == 1, minion.err
    assert docked.record["reason"] == "killed on request"
    assert minion.out == "begun\ntold\n"


KILLS = f"""
import threading, time, os
from minionize import DockerCallback, minionizer

class Callback(DockerCallback):
    def to_kwargs(self, param):
        return {{"command": ["sh", "-c", {OBEDIENT!r}]}}

minion = minionizer(Callback("busybox:test"))

def kill():
    while not os.path.getsize("minion-0.out"):
        time.sleep(0.01)
    served = minion.served()
    served.kill(served.tasks()[0]["id"])

threading.Thread(target=kill).start()
raise SystemExit(minion.run())
"""


@pytest.mark.parametrize("end", ["time-out", "kill"])
def test_a_minion_stays_with_the_engine_of_its_context_when_another_comes_into_use(docked: Docked, end: str) -> None:
    config = docker_contexts(docked.place.folder, lab=docked.engine.base_url)
    words = ("--timeout", "6", "--grace", "2", *sh(DEAF))
    minion = docked.start(*words, DOCKER_HOST="", DOCKER_CONFIG=str(config.parent))
    config.write_text("{}")
    if end == "kill":
        minion.kill()
        until(lambda: docked.containers() == [], what="the guardian has removed it")
    else:
        assert minion.wait() == 1, minion.err
        assert "told" in minion.out


def test_a_killed_minion_leaves_no_container(docked: Docked) -> None:
    minion = docked.start(*sh(DEAF))
    minion.kill()
    until(lambda: docked.containers() == [], what="the guardian has removed it")


def test_a_killed_process_that_waits_for_a_container_is_no_fault_of_the_param(docked: Docked) -> None:
    minion = docked.start(*sh("echo begun; sleep 1000"), sweep=True)
    (waits,) = (pid for child in children(minion.pid) for pid in children(child))
    os.kill(waits, signal.SIGKILL)
    assert minion.wait() == 4, minion.err
    assert "the process that waits for the container was ended by signal 9" in minion.err
    assert (docked.record["outcome"], docked.record["settled"]) == ("could_not_start", "nack")
    assert (docked.left(), docked.place.charged()) == ("0 0 1", 0)
    assert docked.containers() == []


def children(pid: int) -> list[int]:
    lists = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    return [int(child) for each in lists for child in each.split()]


def test_what_is_left_all_the_same_is_removed_by_the_next_minion(docked: Docked) -> None:
    minion = docked.start(*sh("echo begun; sleep 1000"))
    name = docked.inspect()["Name"]
    labels = docked.inspect()["Config"]["Labels"]
    minion.send(signal.SIGTERM)
    minion.wait()
    with closing(docked.engine.client()) as client:
        # What a host leaves that loses guardian and minion at once; and somebody else's.
        client.containers.run("busybox:test", "sleep 1000", detach=True, name=name[1:], labels=labels)
        client.containers.run("busybox:test", "sleep 1000", detach=True, name="other")
    done = docked.run("--", "echo")
    assert b"removed 1 container that dead minions left here" in done.stderr
    assert [each["Names"] for each in docked.containers()] == [["/other"]]
    docked.clear()


def test_a_run_whose_lease_was_lost_is_ended(docked: Docked) -> None:
    lease = {"EXECO_LEASE": "1"}
    minion = docked.start(*sh(OBEDIENT), sweep=True, **lease)
    minion.send(signal.SIGSTOP)
    mine = {**docked.environ, "MINION_ENGINE": "execo", **lease}
    assert docked.place.run("--exit-when-empty", "20", "--max-params", "1", "echo", **mine).stdout == b"0\n"
    minion.send(signal.SIGCONT)
    assert minion.wait() == 0, minion.err
    assert "the lease of param" in minion.err
    assert minion.out == "begun\ntold\n"


@pytest.fixture
def another(tmp_path: Path) -> Iterator[Docked]:
    """Minions that use an engine of this test alone."""
    (tmp_path / "place").mkdir()
    place = Place(tmp_path / "place")
    try:
        with own_dockerd(tmp_path / "trees") as engine:
            yield Docked(place, engine)
    finally:
        place.close()


def lost(docked: Docked) -> None:
    """The engine of a minion went away: nobody's param is charged, and the minion leaves."""
    minion = docked.place.minions[-1]
    assert minion.wait() == 4, minion.err
    assert f"the Docker engine at {docked.engine.base_url} is gone" in minion.err
    assert (docked.record["outcome"], docked.record["settled"]) == ("could_not_start", "nack")
    assert docked.left() == "0 0 1"
    assert docked.place.charged() == 0


def test_an_engine_that_is_killed_is_no_fault_of_the_param(another: Docked) -> None:
    another.start(*sh(DEAF), sweep=True)
    pid = another.inspect()["State"]["Pid"]
    another.engine.kill()
    lost(another)
    assert alive(pid)
    another.engine.start()
    done = another.run("--", "echo", "again")
    assert (done.returncode, done.stdout) == (0, b"again p\n")
    assert another.containers() == []


@pytest.mark.parametrize("script", ["echo begun; sleep 1000", OBEDIENT], ids=["killed", "obedient"])
def test_an_engine_that_is_stopped_ends_its_containers_and_is_no_fault_of_the_param_either(
    another: Docked, script: str
) -> None:
    another.start(*sh(script), sweep=True)
    os.kill(another.engine.pid, signal.SIGTERM)
    lost(another)
