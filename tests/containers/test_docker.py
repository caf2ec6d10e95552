"""Minions that run their params in containers of a real Docker engine."""

from __future__ import annotations

import json
import os
import sys

import pytest

from tests.containers.docked import Docked, dead_letter

pytestmark = pytest.mark.container


def sh(script: str) -> tuple[str, ...]:
    """A shell script; the param is $1."""
    return ("--", "sh", "-c", script, "sh")


def test_each_param_is_a_run_of_its_own(docked: Docked) -> None:
    assert docked.out("--", "echo", "hello", params="1\n2\n") == "hello 1\nhello 2\n"
    assert [record["exit_code"] for record in docked.place.records()] == [0, 0]


@pytest.mark.parametrize("slots", ["1", "2"])
def test_streams_are_apart_and_in_the_records(docked: Docked, slots: str) -> None:
    done = docked.run("-j", slots, *sh("echo out; printf 'err\\377\\0' >&2; exit $1"), params="3\n")
    assert (done.returncode, done.stdout) == (1, b"out\n")
    assert b"err\377\0" in done.stderr
    record = docked.record
    assert (record["outcome"], record["exit_code"], record["reason"]) == ("failed", 3, "exit code 3")
    assert (record["stderr"], record["stderr_bytes"]) == ("err\ufffd\0", 5)
    letter = json.loads(dead_letter(docked.place.folder))
    assert letter["argv"][:4] == ["docker", "run", "--rm", "--init"]
    assert letter["argv"][-6:-3] == ["busybox:test", "sh", "-c"]
    assert letter["stderr"].startswith("err")


def test_output_is_shown_while_it_runs_and_no_byte_of_much_is_lost(docked: Docked) -> None:
    script = "echo begun; until test -e /here/go; do sleep 0.05; done; head -c 30000000 /dev/zero"
    minion = docked.start("--volume", ".:/here", *sh(script))
    docked.place.script("go", "")
    assert minion.wait() == 0
    assert (docked.place.folder / "minion-0.out").stat().st_size == 30_000_006


def test_standard_input_is_the_param(docked: Docked) -> None:
    param = "x" * 1_000_000
    assert docked.out("--stdin", "--", "wc", "-c", params=f"{param}\n") == "1000000\n"
    assert docked.out("--stdin", "--", "true", params=f"{param}\n") == ""
    assert docked.out(*sh("cat")) == "", "without it there is nothing to read"


def test_what_is_seen_inside(docked: Docked) -> None:
    (docked.place.folder / "in").mkdir()
    (docked.place.folder / "in/x").write_text("seen\n")
    (docked.place.folder / "out").mkdir()
    script = "cat /in/x; touch /in/y; cp /in/x /out/$1; id -u; id -g; pwd; ls /sys/class/net"
    options = ("--volume", "in:/in:ro", "--volume", "./in:/in:ro", "--volume", "./out:/out")
    said = docked.out(*options[2:], "--user", "0:12", "--workdir", "/tmp", "--network", "none", *sh(script))
    assert said == "seen\n0\n12\n/tmp\nlo\n"
    assert os.listdir(docked.place.folder / "in") == ["x"]
    assert (docked.place.folder / "out/p").read_text() == "seen\n"


def test_variables(docked: Docked) -> None:
    words = ("--env", "A=1", "--env", "SECRET", "--env", "NOT_SET", *sh("env | sort; cat /proc/1/cmdline >&2"))
    done = docked.run("-j", "2", *words, params="a b\n", SECRET="hush")
    told = dict(line.split("=", 1) for line in done.stdout.decode().splitlines())
    record = docked.record
    assert told["MINION_PARAM"] == "a b"
    assert (told["MINION_ID"], told["MINION_PARAM_ID"]) == (record["minion"], record["id"])
    assert (told["MINION_ATTEMPT"], told["MINION_SLOT"]) == ("1", "1")
    assert (told["A"], told["SECRET"]) == ("1", "hush")
    assert not {"NOT_SET", "DOCKER_HOST", "MINION_ENGINE"} & set(told)
    assert b"docker-init" in done.stderr


def test_limits(docked: Docked) -> None:
    script = "cat /sys/fs/cgroup/cpu.max /sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null; echo begun; sleep 1000"
    minion = docked.start("--cpus", "0.5", "--memory", "32m", *sh(script))
    assert minion.out.split()[0] == "50000"
    host = docked.inspect()["HostConfig"]
    assert (host["NanoCpus"], host["Memory"], host["MemorySwap"]) == (500_000_000, 2**25, 2**25)
    minion.send(15)
    minion.wait()


def test_who_takes_too_much_memory_is_told_so(docked: Docked) -> None:
    docked.out("--memory", "20m", "--", "tail", "/dev/zero", code=1)
    record = docked.record
    assert (record["exit_code"], record["reason"]) == (137, "out of memory: its limit is 20 MiB (exit code 137)")


def test_names_and_labels(docked: Docked) -> None:
    minion = docked.start(*sh("echo begun; sleep 1000"))
    its = docked.inspect()
    labels = its["Config"]["Labels"]
    assert its["Name"].startswith(f"/minionize-{labels['minionize.minion']}-1-")
    assert (labels["minionize.param"], labels["minionize.attempt"], labels["minionize.slot"]) == ("0", "1", "1")
    assert its["HostConfig"]["LogConfig"]["Type"] == "none"
    assert its["HostConfig"]["Init"]
    minion.send(15)
    minion.wait()


def test_a_dry_run_shows_what_can_be_pasted(docked: Docked) -> None:
    line = docked.out("--dry-run", "--", "echo", "it's", "{}", params="a b\n")
    assert line.startswith("docker run --rm --init --name minionize--1-")
    pasted = docked.place.run_program("/bin/sh", "-c", line, **docked.environ)
    assert pasted.stdout == b"it's a b\n", pasted.stderr


def test_a_shell_line(docked: Docked) -> None:
    assert docked.out("--shell", "--", "echo {} | tr a-z A-Z") == "P\n"


CALLBACK = """
from minionize import DockerCallback, minionizer


class Callback(DockerCallback):
    def to_kwargs(self, param):
        if param == "x":
            raise KeyError(param)
        return {"command": ["sh", "-c", f"echo {param} $A; exit {param}"], "environment": ["A=1"], "labels": ["mine"]}


raise SystemExit(minionizer(Callback("busybox:test")).run())
"""


@pytest.mark.parametrize("slots", ["1", "2"])
def test_a_callback_in_python(docked: Docked, slots: str) -> None:
    (docked.place.folder / "sweep.py").write_text(CALLBACK)
    done = docked.place.run_program(sys.executable, "sweep.py", params=b"0\n3\n", **docked.environ, MINION_SLOTS=slots)
    assert done.returncode == 1
    assert sorted(done.stdout.decode().splitlines()) == ["0 1", "3 1"]
    assert {record["exit_code"] for record in docked.place.records()} == {0, 3}


AS_0_3_4 = """
from minionize import DockerCallback, minionizer


class Callback(DockerCallback):
    def to_kwargs(param):
        return {"command": f"echo {param}", "detach": True, "remove": True, "auto_remove": True, "stdout": False}


minionizer(Callback("busybox:test")).run()
"""


def test_a_callback_of_0_3_4(docked: Docked) -> None:
    (docked.place.folder / "sweep.py").write_text(AS_0_3_4)
    done = docked.place.run_program(sys.executable, "sweep.py", params=b"1\n2\n", **docked.environ)
    assert (done.returncode, done.stdout) == (0, b"1\n2\n"), done.stderr


PLAIN = "from minionize import DockerCallback as D, minionizer; exit(minionizer(D('busybox:test')).run())"
WRONG = [
    ("3", "no mapping of keyword arguments for docker's containers.run: 3"),
    ({"comand": "echo"}, "unexpected keyword argument 'comand'"),
    ({"command": "echo", "working_dir": "x"}, "needs to be an absolute path"),
    ({"command": ["nosuch"]}, "`nosuch`: No such file or directory, in image busybox:test"),
    ({"command": ["nosuch"], "init": False}, "`nosuch`: executable file not found in $PATH, in image busybox:test"),
    # Codes by which a minion stops, where the program is not the param's.
    ({"command": ["sh", "-c", "nosuch"]}, "exit code 127: sh found nothing to run"),
    ({"command": [""]}, "``: No such file or directory, in image busybox:test"),
    ({"command": ["nosuch"], "tty": True}, "exit code 127: nosuch found nothing to run"),
    # What the library says of options, and what the engine says with 500, as if it were broken.
    ({"command": "echo", "mem_limit": "2x"}, "The specified value for memory (2x)"),
    ({"command": "echo", "user": "nobodyknows"}, "unable to find user nobodyknows"),
    ({"command": "echo", "devices": ["/dev/nope:/dev/x:q:z:w"]}, "the Docker engine refuses the param: "),
    ({"command": "echo", "volumes": ["/nope/:relx"]}, "the Docker engine refuses the param: "),
    ({"command": "echo", "volumes": {"/tmp": {}}}, "no keyword arguments for a container: KeyError: 'bind'"),
    ({"command": 3}, "no keyword arguments for a container: "),
    ({"command": "echo", "environment": 3}, "no keyword arguments for a container: "),
]


def test_a_param_that_is_no_container_fails_itself_only(docked: Docked) -> None:
    params = "".join(f"{json.dumps(param)}\n" for param, _ in [*WRONG, ({"command": ["echo", "good"]}, "")])
    environ = {**docked.environ, "FILE_DECODER": "json"}
    done = docked.place.run_program(sys.executable, "-c", PLAIN, params=params.encode(), **environ)
    assert done.returncode == 1, done.stderr
    assert done.stdout.endswith(b"good\n")
    for record, (_, words) in zip(docked.place.records(), WRONG, strict=False):
        assert words in record["reason"]
        assert record["exit_code"] not in (126, 127)
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--user", "nosuch", "--", "echo"), "unable to find user nosuch"),
        (("--volume", "./nosuch:/x", "--", "echo"), "bind source path does not exist"),
        (("--network", "nosuch", "--", "echo"), "network nosuch not found"),
        (("--gpus", "all", "--", "echo"), "for GPUs it needs the NVIDIA Container Toolkit on its host"),
        (("--", "nosuch"), "`nosuch`: No such file or directory, in image busybox:test"),
        (("--", "/etc/passwd"), "`/etc/passwd`: Permission denied, in image busybox:test"),
    ],
)
def test_what_no_param_can_run_with_charges_none(docked: Docked, options: tuple[str, ...], words: str) -> None:
    done = docked.run(*options)
    assert done.returncode == 4
    assert words in done.stderr.decode()
    assert (docked.record["outcome"], docked.record["settled"]) == ("could_not_start", "nack")


def test_a_program_that_is_the_param_is_to_blame_itself(docked: Docked) -> None:
    docked.place.script("fails", "#!/bin/sh\nexit 127\n")
    assert docked.out("--volume", ".:/here", "--", "{}", params="nosuch\n/here/fails\nhostname\n", code=1)
    assert [record["outcome"] for record in docked.place.records()] == ["failed", "failed", "succeeded"]


def test_no_image(docked: Docked) -> None:
    for policy, words in (("never", "--pull never forbids"), ("missing", "cannot be pulled")):
        done = docked.run("--container", "docker://localhost:1/nosuch:1", "--pull", policy, "--", "echo")
        assert done.returncode == 4
        assert words in done.stderr.decode()
        assert docked.place.records() == []


def test_no_engine(docked: Docked) -> None:
    done = docked.run("--", "echo", DOCKER_HOST=f"unix://{docked.place.folder}/none.sock")
    assert done.returncode == 4
    assert f"no Docker engine answers at unix://{docked.place.folder}/none.sock: No such file" in done.stderr.decode()
