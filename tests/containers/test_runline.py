"""The command line of a container engine's client: what stands in it, and what must not."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from minionize.callback import Command
from minionize.containers.container import Container, labels
from minionize.containers.parse import Volume
from minionize.containers.runline import gpu_option, mount, run_line
from minionize.testing.callback import make_task

INNER = Command(("./a.out", "x y"), program_is_param=True)


def test_the_least() -> None:
    line = run_line("podman", Container("debian:12"), INNER, make_task("x y"), labelled=False)
    name = ("--name", "minionize-m-1-id1-1")
    variables = [
        word
        for each in ("MINION_ID", "MINION_PARAM", "MINION_PARAM_ID", "MINION_ATTEMPT", "MINION_SLOT")
        for word in ("--env", each)
    ]
    front = ("podman", "run", "--rm", "--init", *name, "--log-driver", "none")
    assert line.argv == (*front, *variables, "debian:12", "./a.out", "x y")
    assert (line.stdin, line.env, line.program_is_param) == (None, {}, True)


def test_values_of_variables_are_not_in_it() -> None:
    container = Container("i", env={"TOKEN": "hush"})
    line = run_line("docker", container, Command(("p",), env={"MORE": "silence"}), make_task(1))
    assert line.env == {"TOKEN": "hush", "MORE": "silence"}
    assert {"TOKEN", "MORE"} <= set(line.argv)
    assert not any("hush" in word or "silence" in word for word in line.argv)


def test_labels_tell_whose_it_is() -> None:
    argv = run_line("docker", Container("i"), INNER, make_task({"a": 1})).argv
    assert "minionize.minion=m" in argv
    assert 'minionize.param={"a":1}' in argv


@pytest.mark.parametrize("param", ["a\0b", "\udcff", {"a": "\0\ud800"}])
def test_labels_can_be_written_whatever_the_param_is(param: Any) -> None:
    task = make_task(param)._replace(id=str(param))
    argv = run_line("podman", Container("i"), INNER, task).argv
    assert all(word.encode() and "\0" not in word for word in argv)
    assert any(word.startswith("minionize.param=") for word in argv)


def test_labels_where_the_system_writes_ascii_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "getfilesystemencoding", lambda: "ascii")
    assert labels(make_task("a\u00e9"))["minionize.param"] == "a?"


def test_options() -> None:
    container = Container(
        "i",
        volumes=(Volume("/data", "/d", True), Volume("cache", "/c")),
        user="1000:1000",
        workdir="/d",
        network="none",
        cpus=0.5,
        memory=2**29,
    )
    line = run_line("docker", container, Command(("p",), b"in"), make_task(1), ("--gpus", gpu_option("device=0,1")))
    words = " ".join(line.argv)
    assert line.stdin == b"in"
    assert " --interactive " in words
    assert "--mount type=bind,source=/data,target=/d,readonly --mount type=volume,source=cache,target=/c" in words
    assert "--user 1000:1000 --workdir /d --network none --cpus 0.5" in words
    assert '--memory 536870912 --memory-swap 536870912 --gpus "device=0,1" i p' in words


def test_a_comma_in_a_path_is_quoted() -> None:
    assert mount(Volume('/a,"b', "/c")) == 'type=bind,"source=/a,""b",target=/c'


def test_a_volume_may_be_relabelled() -> None:
    assert mount(Volume("/a", "/b", False, "z")) == "type=bind,source=/a,target=/b,relabel=shared"
    assert mount(Volume("/a", "/b", True, "Z")) == "type=bind,source=/a,target=/b,readonly,relabel=private"
