"""What is said of containers on the command line."""

from __future__ import annotations

import pytest

from minionize.containers import parse
from minionize.containers.parse import Volume
from tests.cli.conftest import Terminal


def test_an_image_has_its_engine_before_it() -> None:
    assert parse.image("docker://debian:12") == ("docker", "debian:12")
    assert parse.image("Podman://localhost/x/y@sha256:0") == ("podman", "localhost/x/y@sha256:0")
    assert parse.image("apptainer:///scratch/tools.sif") == ("apptainer", "/scratch/tools.sif")
    assert parse.image("apptainer://docker://alpine") == ("apptainer", "docker://alpine")


@pytest.mark.parametrize("wrong", ["debian", "docker:debian", "docker://", "://x", "docker:// x", "docker:///"])
def test_no_image(wrong: str) -> None:
    with pytest.raises(ValueError, match="ENGINE://IMAGE"):
        parse.image(wrong)


def test_volumes() -> None:
    assert parse.volumes("/a:/b") == (Volume("/a", "/b"),)
    assert parse.volumes("./in:/in:ro,results:/out:rw") == (Volume("./in", "/in", True), Volume("results", "/out"))
    assert parse.volumes(("/a:/b", "/c:/d:ro")) == (Volume("/a", "/b"), Volume("/c", "/d", True))


@pytest.mark.parametrize(
    ("mode", "readonly", "relabel"), [("z", False, "z"), ("Z", False, "Z"), ("ro,Z", True, "Z"), ("z, rw", False, "z")]
)
def test_volumes_that_are_relabelled(mode: str, readonly: bool, relabel: str) -> None:
    one = Volume("/a", "/b", readonly, relabel)
    assert parse.volumes([f"/a:/b:{mode}"]) == (one,)
    assert parse.volumes(f"/a:/b:{mode},z:/z,/c:/d:ro") == (one, Volume("z", "/z"), Volume("/c", "/d", True))
    assert parse.volumes([str(one)]) == (one,)


@pytest.mark.parametrize("wrong", ["/a", ":/b", "/a:b", "/a:/b:rx", "/a:", "/a:/b:z,Z", "/a:/b:ro,rw", "z,/a:/b"])
def test_no_volume(wrong: str) -> None:
    with pytest.raises(ValueError, match="SOURCE:TARGET"):
        parse.volumes(wrong)


def test_variables_have_a_value_or_take_the_minions() -> None:
    assert parse.variables(("A=1", "B", "C=")) == {"A": "1", "B": None, "C": ""}
    assert parse.variables({"A": 1, "B": None}) == {"A": "1", "B": None}
    assert parse.environment({"A": "1", "B": None, "D": None}, {"B": "2"}) == {"A": "1", "B": "2"}
    with pytest.raises(ValueError, match="NAME=VALUE"):
        parse.variables("1A=2")


def test_sizes() -> None:
    assert parse.memory("512m") == 512 * 2**20
    assert parse.memory("1.5GiB") == 3 * 2**29
    assert parse.memory(10_000_000) == 10_000_000
    assert parse.memory("7 MB") == 7 * 2**20
    for wrong in ("", "x", "-1m", "5m", "0", True, "1e9"):
        with pytest.raises(ValueError, match="512m"):
            parse.memory(wrong)


def test_processors_and_gpus() -> None:
    assert (parse.cpus("0.5"), parse.cpus(2)) == (0.5, 2.0)
    for wrong in ("0", "-1", "x", "inf", "nan", True):
        with pytest.raises(ValueError, match="processors"):
            parse.cpus(wrong)
    assert (parse.gpus("all"), parse.gpus(2), parse.gpus("device=0,GPU-1a")) == ("all", "2", "device=0,GPU-1a")
    for wrong in ("none", "0", "device=", "all,1", True):
        with pytest.raises(ValueError, match="device=0,1"):
            parse.gpus(wrong)


@pytest.mark.parametrize(
    "option", ["--pull=never", "--volume=/a:/b", "--env=A=1", "--user=1", "--workdir=/", "--network=host", "--cpus=1"]
)
def test_options_of_containers_without_one(minionize: Terminal, option: str) -> None:
    ended = minionize(option, "true")
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert f"{option.partition('=')[0]} is for containers; name one by --container ENGINE://IMAGE" in ended.stderr


def test_an_engine_that_is_none(minionize: Terminal) -> None:
    ended = minionize("--container", "dokcer://debian", "true")
    assert ended.exit_code == 2
    assert "no container engine 'dokcer'; did you mean docker?" in ended.stderr


def test_a_function_in_a_container(minionize: Terminal) -> None:
    ended = minionize("--container", "docker://debian", "--function", "os:getpid")
    assert ended.exit_code == 2
    assert "a function cannot run in a container" in ended.stderr


def test_they_are_shown_as_they_were_written(minionize: Terminal) -> None:
    shown = minionize(
        "--container=docker://debian:12", "--volume=/a:/b:ro", "--volume=c:/d", "--env=KEY=x1y2z3", "--show-config"
    ).stdout
    assert "docker://debian:12" in shown
    assert "/a:/b:ro,c:/d" in shown
    assert "x1y2z3" not in shown
