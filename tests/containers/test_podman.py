"""Podman: real containers, run by real minions."""

from __future__ import annotations

import json
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from minionize.host import identity
from tests.acceptance.running import Place, alive, opened, until
from tests.containers.podmans import PrivatePodman, reaping
from tests.containers.trees import busybox_tree

pytestmark = [pytest.mark.container, pytest.mark.acceptance, pytest.mark.slow]

IMAGE = "podman://localhost/busybox:test"
LONG = ("sh", "-c", "echo $MINION_PARAM; touch /out/begun.$MINION_SLOT; exec sleep 1000")


@pytest.fixture(scope="module")
def podman(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivatePodman]:
    engine = PrivatePodman(Path(tempfile.mkdtemp(prefix="podman-", dir="/tmp")))
    try:
        engine.import_tree(busybox_tree(tmp_path_factory.mktemp("tree") / "busybox"), "localhost/busybox:test")
        with reaping():
            yield engine
    finally:
        engine.close()


@pytest.fixture
def place(tmp_path: Path, podman: PrivatePodman) -> Iterator[Place]:
    """A directory for minions, which leave no container in the end."""
    with opened(tmp_path) as place:
        yield place
    until(lambda: not podman.containers(), what="no container")


def minion(place: Place, podman: PrivatePodman, *words: str, params: Any = b"p\n", **environ: str) -> Any:
    """Run a minion to its end."""
    options = ("--container", IMAGE, *words)
    return place.run(*options, params=params, MINION_REPORTER="json", **podman.environ, **environ)


def start(place: Place, podman: PrivatePodman, *words: str, params: str = "a\nb\n", **environ: str) -> Any:
    """Start a minion; its runs have the directory of the test as /out."""
    (place.folder / "params").write_text(params)
    options = ("--container", IMAGE, "--volume", f"{place.folder}:/out", *words)
    path = str(place.folder / "params")
    return place.start(*options, FILE_PATH=path, MINION_REPORTER="json", **podman.environ, **environ)


def outcomes(place: Place) -> list[tuple[Any, ...]]:
    return sorted((r["param"], r["outcome"], r["exit_code"], r["settled"]) for r in place.records())


def test_runs_in_two_slots_with_their_output_and_their_exit_codes(place: Place, podman: PrivatePodman) -> None:
    script = 'echo "out $1 $MINION_PARAM_ID"; echo "err $1" >&2; exit $1'
    done = minion(place, podman, "-j2", "--", "sh", "-c", script, "sh", params=b"0\n3\n0\n")
    assert done.returncode == 1, done.stderr
    assert sorted(line.split()[1] for line in done.stdout.decode().splitlines()) == ["0", "0", "3"]
    assert outcomes(place) == [
        ("0", "succeeded", 0, "ack"),
        ("0", "succeeded", 0, "ack"),
        ("3", "failed", 3, "dead"),
    ]
    failed = next(record for record in place.records() if record["param"] == "3")
    assert failed["stderr"] == "err 3\n"
    assert failed["stdout"].startswith("out 3")


def test_the_param_on_standard_input(place: Place, podman: PrivatePodman) -> None:
    done = minion(place, podman, "--stdin", "wc", "-c", params=b"12345\n")
    assert (done.returncode, done.stdout.split()) == (0, [b"5"])


def test_volumes_variables_user_and_directory(place: Place, podman: PrivatePodman) -> None:
    (place.folder / "in, put").mkdir()
    (place.folder / "in, put" / "file").write_text("seen\n")
    out = place.folder / "out"
    out.mkdir()
    out.chmod(0o777)
    script = """
        cat /in/file; tr '\\0' '\\n' </proc/$$/environ | grep a.dot
        touch /in/x 2>/dev/null || echo read-only; pwd; id -u; echo "$SECRET"; echo "$HOME"; echo "$PATH"
        env | cut -d= -f1 | grep MINION_ | sort | tr '\\n' ' '
        cp /proc/self/environ /out/made
    """
    mounts = ("--mount", f"{place.folder}/in, put:/in:ro,z", "--volume", "./out:/out:Z")
    env = ("--env", "SECRET", "--env", "HOME=/nowhere $x", "--env", "PATH=/bin:/more", "--env", "a.dot=1")
    words = (*mounts, *env, "--user", "65534:65534", "--workdir", "/tmp", "--", "sh", "-c", script, "sh")
    done = minion(place, podman, *words, SECRET="a b\n'c'\"")
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode().splitlines() == [
        "seen", "a.dot=1", "read-only", "/tmp", "65534", "a b", "'c'\"", "/nowhere $x", "/bin:/more",
        "MINION_ATTEMPT MINION_ID MINION_PARAM MINION_PARAM_ID MINION_SLOT ",
    ]  # fmt: skip
    assert (out / "made").stat().st_uid == 65534


def test_limits_are_seen_inside(place: Place, podman: PrivatePodman) -> None:
    groups = "/sys/fs/cgroup"
    script = f"""
        cat {groups}/memory/memory.limit_in_bytes {groups}/cpu/cpu.cfs_quota_us 2>/dev/null && exit
        cat {groups}/memory.max; cut -d' ' -f1 {groups}/cpu.max
    """
    done = minion(place, podman, "--cpus", "0.5", "--memory", "32m", "--", "sh", "-c", script)
    assert done.stdout.split() == [b"33554432", b"50000"]


def test_a_program_that_takes_too_much_memory(place: Place, podman: PrivatePodman) -> None:
    done = minion(place, podman, "--memory", "16m", "--", "sh", "-c", "x=a; while :; do x=$x$x; done")
    assert done.returncode == 1
    assert b"most likely out of memory: its limit is 16 MiB" in done.stderr
    assert outcomes(place) == [("p", "failed", 137, "dead")]


def test_a_program_that_the_image_has_not(place: Place, podman: PrivatePodman) -> None:
    done = minion(place, podman, "--", "no-such-program", params=b"a\nb\n")
    assert done.returncode == 4
    assert b"no-such-program" in done.stderr
    assert [record["settled"] for record in place.records()] == ["nack"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--pull", "never", "--container", "podman://localhost/other:1"), "image not known; fetch it (podman pull)"),
        (("--container", "podman://localhost:1/other:1"), "image localhost:1/other:1 is not here; fetching it"),
        (("--pull", "always", "--container", "podman://localhost:1/busybox:test"), "connection refused"),
        (("--user", "nobody-here"), "unable to find user nobody-here"),
        (("--workdir", "/not/there"), 'workdir "/not/there" does not exist'),
        (("--volume", "/not/there:/in"), "statfs /not/there: no such file or directory"),
        (("--network", "no-such"), "unable to find network"),
        (("--gpus", "all"), "nvidia-ctk cdi generate"),
    ],
)
def test_what_cannot_be_run_is_told_before_any_param_is_taken(
    place: Place, podman: PrivatePodman, options: tuple[str, ...], words: str
) -> None:
    done = minion(place, podman, *options, "--", "true")
    assert done.returncode == 4
    assert words in done.stderr.decode()
    assert place.records() == []


def test_without_podman(place: Place, podman: PrivatePodman) -> None:
    (place.folder / "bin").mkdir()
    done = minion(place, podman, "--", "true", PATH=str(place.folder / "bin"))
    assert done.returncode == 4
    assert b"`podman`: no such program; on Debian: apt install podman" in done.stderr


def test_without_an_init(place: Place, podman: PrivatePodman) -> None:
    if Path("/usr/libexec/podman/catatonit").exists():
        pytest.skip("podman finds its own")
    (place.folder / "bin").mkdir()
    # What podman itself needs is found without PATH.
    (place.folder / "bin" / "podman").symlink_to(str(shutil.which("podman")))
    done = minion(place, podman, "--", "true", PATH=str(place.folder / "bin"))
    assert done.returncode == 4
    assert b"container-init binary not found" in done.stderr
    assert b"; on Debian: apt install tini" in done.stderr


def test_a_run_whose_time_is_out(place: Place, podman: PrivatePodman) -> None:
    script = "trap '' TERM; echo before; sleep 1000 & wait; wait"
    done = minion(place, podman, "--timeout", "6", "--grace", "0.3", "--", "sh", "-c", script)
    assert done.returncode == 1
    assert ([record["outcome"] for record in place.records()], done.stdout) == (["timed_out"], b"before\n")
    assert podman.containers() == []


def test_a_program_may_end_by_itself_when_its_time_is_out(place: Place, podman: PrivatePodman) -> None:
    script = "trap 'echo saved; exit 0' TERM; sleep 1000 & wait"
    done = minion(place, podman, "--timeout", "6", "--", "sh", "-c", script)
    assert done.stdout == b"saved\n"


def test_a_stopped_minion_gives_back_and_leaves_nothing(place: Place, podman: PrivatePodman) -> None:
    started = start(place, podman, "-j2", "--", *LONG)
    until(lambda: (place.folder / "begun.1").exists() and (place.folder / "begun.2").exists(), what="runs")
    started.send(signal.SIGTERM)
    assert started.wait() == 143
    assert podman.containers() == []
    assert [(outcome, settled) for _, outcome, _, settled in outcomes(place)] == [("preempted", "nack")] * 2


def pids(podman: PrivatePodman) -> list[int]:
    return [each["Pid"] for each in podman.containers() if each["Pid"]]


def lists(but: int) -> str:
    """The command lines of all processes but one, as any list of them shows them."""
    found = ""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            found += "" if path.parent.name == str(but) else path.read_text(errors="replace").replace("\0", " ") + "\n"
    return found


def test_a_killed_minion_leaves_nothing_either_and_no_list_shows_a_secret(place: Place, podman: PrivatePodman) -> None:
    words = ("--env", "TOKEN=hush-hush", "--env", "HOME=/hidden-home")
    started = start(place, podman, *words, "--", *LONG, params="a\n")
    until(lambda: (place.folder / "begun.1").exists(), what="a run")
    # The minion's own shows what was written on it.
    shown = lists(started.pid)
    assert "sleep 1000" in shown
    assert "hush-hush" not in shown
    assert "hidden-home" not in shown
    inside = pids(podman)
    assert inside
    started.kill()
    until(lambda: not podman.containers(), what="no container")
    assert not any(alive(pid) for pid in inside)


def test_the_next_minion_removes_what_a_dead_one_left(place: Place, podman: PrivatePodman) -> None:
    script = "import json; from minionize.host import identity; print(json.dumps(identity()))"
    process = place.python(script).strip()
    earlier = json.dumps(identity()._replace(boot="another"))
    for each in process, earlier:
        label = ("--label", f"minionize.process={each}", "--label", "minionize.minion=dead")
        # With an anonymous volume each.
        podman.ask("run", "--detach", "--volume", "/some", *label, "localhost/busybox:test", "sleep", "1000")
    done = minion(place, podman, "--", "true")
    assert done.returncode == 0
    assert b"podman: 2 containers of dead minions removed" in done.stderr
    assert podman.containers() == []
    assert podman.ask("volume", "ls", "--quiet") == ""


def test_a_podman_elsewhere_is_known_by_its_own_configuration(place: Place, podman: PrivatePodman) -> None:
    """There, what is of an earlier boot may be of another host with the same name, and alive."""
    dead = place.python("import json; from minionize.host import identity; print(json.dumps(identity()))").strip()
    earlier = json.dumps(identity()._replace(boot="another"))
    for each in dead, earlier:
        label = ("--label", f"minionize.process={each}")
        podman.ask("run", "--detach", *label, "localhost/busybox:test", "sleep", "1000")
    with podman.remote() as environ:
        done = place.run("--container", IMAGE, "--", "echo", "hello", params=b"p\n", **environ)
    assert (done.returncode, done.stdout) == (0, b"hello p\n"), done.stderr
    assert b"podman: 1 container of dead minions removed" in done.stderr
    assert [each["Labels"]["minionize.process"] for each in podman.containers()] == [earlier]
    podman.ask("rm", "--all", "--force", "--time", "0")


def test_params_that_no_label_can_hold(place: Place, podman: PrivatePodman) -> None:
    done = minion(place, podman, "--stdin", "wc", "-c", params=b"a\0b\n\xff\n")
    assert (done.returncode, done.stdout.split()) == (0, [b"3", b"1"])


def test_proxies_of_the_host_are_not_seen(place: Place, podman: PrivatePodman) -> None:
    proxies = {"http_proxy": "http://u:hush@p:1", "HTTPS_PROXY": "http://u:hush@p:2"}
    done = minion(place, podman, "--env", "HTTPS_PROXY", "--", "sh", "-c", "env", **proxies)
    shown = [line for line in done.stdout.decode().splitlines() if "proxy" in line.lower()]
    assert (done.returncode, shown) == (0, ["HTTPS_PROXY=http://u:hush@p:2"])


def test_a_program_that_is_the_param_is_its_fault(place: Place, podman: PrivatePodman) -> None:
    for code in 126, 127:
        place.script(f"ends-{code}", f"#!/bin/sh\nexit {code}\n")
    params = b"/out/ends-126\n/out/ends-127\n/not/there\n/etc\ntrue\n"
    done = minion(place, podman, "--volume", f"{place.folder}:/out", "--", "{}", params=params)
    assert done.returncode == 1, done.stderr
    assert [settled for *_, settled in outcomes(place)] == ["dead", "dead", "dead", "dead", "ack"]


def test_a_killed_client_is_no_fault_of_the_param(place: Place, podman: PrivatePodman) -> None:
    started = start(place, podman, "--", *LONG, params="a\n")
    until(lambda: (place.folder / "begun.1").exists(), what="a run")
    (client,) = (
        int(path.parent.name)
        for path in Path("/proc").glob("[0-9]*/cmdline")
        if path.read_bytes().startswith(b"podman\0run\0") and parent(int(path.parent.name)) == started.pid
    )
    os.kill(client, signal.SIGKILL)
    assert started.wait() == 4
    assert "podman was ended by signal 9" in started.err
    assert [record["settled"] for record in place.records()] == ["nack"]


def parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def test_a_line_to_paste(place: Place, podman: PrivatePodman) -> None:
    done = minion(place, podman, "--dry-run", "--", "echo", "x y")
    assert done.stdout.startswith(b"podman run --rm --init")
    assert b"label" not in done.stdout
    assert done.stdout.endswith(b"localhost/busybox:test echo 'x y' p\n")
