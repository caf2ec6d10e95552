"""The command lines of podman, apptainer and charliecloud: what stands in them, and what must not."""

from __future__ import annotations

import errno
import os
import subprocess
from pathlib import Path
from unittest.mock import Mock

import pytest

from minionize.callback import Command
from minionize.containers.apptainer import Apptainer, Singularity
from minionize.containers.charliecloud import Charliecloud
from minionize.containers.client import Answer, is_there
from minionize.containers.container import Container
from minionize.containers.docker import Docker
from minionize.containers.kind import Kind
from minionize.containers.parse import Volume
from minionize.containers.podman import Podman
from minionize.errors import CallbackError, SettingsError
from minionize.testing.callback import make_task


def test_podman() -> None:
    container = Container("img:1", pull="always", env={"TOKEN": "hush"}, gpus="device=0,3")
    line = Podman(container).wrap(Command(("p", "a b\n'", "-x"), b"in"), make_task(1))
    assert line.argv[:4] == ("podman", "run", "--rm", "--init")
    more = ("--pull=missing", "--device", "nvidia.com/gpu=0", "--device", "nvidia.com/gpu=3", "--http-proxy=false")
    assert line.argv[-10:] == (*more, "img:1", "p", "a b\n'", "-x")
    assert (line.stdin, line.env) == (b"in", {"TOKEN": "hush"})
    assert "--interactive" in line.argv
    assert not any("hush" in word for word in line.argv)


def test_gpus_of_podman_are_counted() -> None:
    argv = Podman(Container("i", gpus="2")).wrap(Command(("p",)), make_task(1)).argv
    assert argv[-7:-3] == ("--device", "nvidia.com/gpu=0", "--device", "nvidia.com/gpu=1")


def test_variables_that_podman_itself_obeys_are_not_its_own() -> None:
    env = {"PATH": "/x:$y`z`\\", "HOME": "/h 'i'\"", "TOKEN": "hush", "LD_PRELOAD": "", "CONTAINERS_CONF": "_"}
    line = Podman(Container("i", env=env)).wrap(Command(("p", "a b"), b"in"), make_task(1))
    assert line.argv[:2] == ("/bin/sh", "-c")
    assert line.argv[3:6] == ("sh", "podman", "run")
    assert not {"PATH", "HOME", "LD_PRELOAD", "CONTAINERS_CONF"} & set(line.env)
    assert "TOKEN" in line.argv
    assert not any("hush" in word or "/x" in word for word in line.argv)
    # What the client finds in its descriptor 3.
    said = subprocess.run(
        ["/bin/sh", "-c", line.argv[2], "sh", "cat", "/dev/fd/3"], env=line.env, capture_output=True, check=True
    )
    assert said.stdout.decode() == "PATH=/x:$y`z`\\\nHOME=/h 'i'\"\nLD_PRELOAD=\nCONTAINERS_CONF=_\n"


def test_variables_with_a_dot_reach_podman_too() -> None:
    """No shell is in between that would lose them."""
    line = Podman(Container("i", env={"a.b": "1", "HOME": "/h"})).wrap(Command(("p",)), make_task(1))
    said = subprocess.run(
        ["/bin/sh", "-c", line.argv[2], "sh", "cat", "/dev/fd/3"], env=line.env, capture_output=True, check=True
    )
    assert said.stdout.decode() == "a.b=1\nHOME=/h\n"


@pytest.mark.parametrize("kind", [Docker, Apptainer, Charliecloud])
def test_only_podman_relabels(kind: type[Kind]) -> None:
    container = Container("i", volumes=(Volume("/a", "/b", False, "z"),))
    Podman(container)
    with pytest.raises(SettingsError, match=r"--volume /a:/b:z: .* chcon -Rt container_file_t /a"):
        kind(container)


def test_what_podman_cannot_do() -> None:
    with pytest.raises(SettingsError, match="no image can be named '--privileged'"):
        Podman(Container("--privileged"))
    with pytest.raises(SettingsError, match="--env HOME: podman takes no value of several lines"):
        Podman(Container("i", env={"HOME": "/x\nA=b"}))


def test_ends_that_are_not_the_programs() -> None:
    podman = Podman(Container("i"))
    told = [podman.meaning(*end) for end in ((125, None), (None, 9), (137, None))]
    assert [each and each.fault for each in told] == [True, True, False]
    assert "no more memory" in str(told[2])
    assert [podman.meaning(code, None) for code in (1, 126, 127, 143)] == [None] * 4


def test_what_podman_removes() -> None:
    podman = Podman(Container("i"))
    words = ("podman", "rm", "--force", "--volumes", "--time", "0", "--filter", "label=minionize.minion=m-1")
    assert podman.removal("m-1") == words
    assert podman.removal("m-1", 2) == (*words, "--filter", "label=minionize.slot=2")


def test_the_last_line_of_an_answer() -> None:
    assert Answer(125, "", "Trying to pull\nError: no such image\n\n").last == "no such image"
    assert Answer(3, "", "").last == "exit code 3"


def test_the_least_of_apptainer() -> None:
    line = Apptainer(Container("a.sif")).wrap(Command(("p", "a b\n'"), b"in", program_is_param=True), make_task(1))
    assert line.argv == ("apptainer", "exec", "--pid", "a.sif", "p", "a b\n'")
    assert (line.stdin, line.program_is_param, line.env) == (b"in", True, {"APPTAINER_NO_EVAL": "true"})


def test_options_and_variables_of_apptainer() -> None:
    container = Container(
        "docker://alpine",
        pull="always",
        volumes=(Volume("/a b", "/c", True), Volume("/d", "/e")),
        env={"TOKEN": "hush $(x)"},
        workdir="/w",
        network="none",
        cpus=1.5,
        memory=2**29,
        gpus="device=0,2",
    )
    line = Singularity(container).wrap(Command(("p",), env={"MORE": "1"}), make_task(1))
    assert line.argv == (
        "singularity", "exec", "--pid", "--bind", "/a b:/c:ro", "--bind", "/d:/e", "--pwd", "/w", "--cpus", "1.5",
        "--memory", "536870912", "--net", "--network", "none", "--nv", "docker://alpine", "p",
    )  # fmt: skip
    assert line.env == {
        "SINGULARITY_NO_EVAL": "true",
        "SINGULARITYENV_TOKEN": "hush $(x)",
        "SINGULARITYENV_MORE": "1",
        "SINGULARITYENV_CUDA_VISIBLE_DEVICES": "0,2",
    }


@pytest.mark.parametrize(
    ("container", "words"),
    [
        (Container("-x.sif"), "a file is written ./FILE"),
        (Container("a.sif", user="1000"), "--user: apptainer runs programs as the user who starts the minion"),
        (Container("a.sif", env={"HOME": "/x"}), "put it before COMMAND: env HOME="),
        (Container("a.sif", env={"a.b": "1"}), "--env a.b: not with apptainer; put it before COMMAND: env a.b=VALUE"),
        (Container("a.sif", gpus="2"), "device=0,1"),
        (Container("a.sif", pull="always"), "a file, which is never fetched"),
        (Container("docker://a", pull="never"), "apptainer pull image.sif docker://a"),
        (Container("a.sif", volumes=(Volume("cache", "/c"),)), "no named volumes"),
        (Container("a.sif", volumes=(Volume("/a,b", "/c"),)), "cannot mount a path"),
        (Container("a.sif", volumes=(Volume("/a", "/c,/d"),)), "cannot mount a path"),
    ],
)
def test_what_apptainer_cannot_do(container: Container, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        Apptainer(container)


def test_exit_codes_that_may_be_its_own(tmp_path: Path) -> None:
    (tmp_path / "a.sif").touch()
    kind = Apptainer(Container(str(tmp_path / "a.sif"), memory=3 * 2**20))
    assert kind.meaning(1, None) is None
    assert kind.meaning(None, 9) is None
    own, memory = kind.meaning(255, None), kind.meaning(137, None)
    assert own is not None
    assert memory is not None
    assert ("FATAL" in own.reason, own.fault) == (True, False)
    assert memory.reason == ("most likely out of memory: its limit is 3 MiB (exit code 137: killed by SIGKILL)")
    assert kind.removal("m") == ()


def test_exit_codes_of_apptainer_where_the_image_is_gone(tmp_path: Path) -> None:
    image = tmp_path / "a.sif"
    image.touch()
    kind = Apptainer(Container(str(image)))
    there = kind.meaning(255, None)
    image.unlink()
    gone = kind.meaning(255, None)
    assert (there and there.fault, gone and gone.fault) == (False, True)
    assert gone == (f"exit code 255: the image is gone: {image}", True)
    assert kind.meaning(1, None) is None
    archive = Apptainer(Container("docker-archive:not-there.tar")).meaning(255, None)
    assert archive is not None
    assert not archive.fault


@pytest.mark.parametrize("image", ["docker-archive:x.tar", "oci-archive:x.tar", "docker-daemon:a:1", "oci:folder"])
def test_images_of_apptainer_that_are_no_files(tmp_path: Path, image: str) -> None:
    program = tmp_path / "apptainer"
    program.write_text("#!/bin/sh\nexit 0\n")
    program.chmod(0o755)
    kind = Apptainer(Container(image, pull="never"))
    kind.check({"PATH": str(tmp_path)})
    assert kind.wrap(Command(("p",)), make_task(1)).argv[:4] == ("apptainer", "exec", "--pid", image)


def test_whether_an_image_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_there(str(tmp_path / "none"))
    assert not is_there(str(tmp_path))
    (tmp_path / "file").touch()
    assert is_there(str(tmp_path))
    assert is_there(str(tmp_path / "file"))
    for number, there in ((errno.EMFILE, True), (errno.EACCES, True), (errno.ENOTCONN, False)):
        monkeypatch.setattr(os, "scandir", Mock(side_effect=OSError(number, "")))
        assert is_there(str(tmp_path)) is there


def test_a_client_that_cannot_be_started(tmp_path: Path) -> None:
    program = tmp_path / "apptainer"
    program.write_bytes(b"\x7fELF")
    program.chmod(0o755)
    (tmp_path / "a.sif").touch()
    with pytest.raises(CallbackError, match="apptainer"):
        Apptainer(Container(str(tmp_path / "a.sif"))).check({"PATH": str(tmp_path)})


def test_the_least_of_charliecloud() -> None:
    line = Charliecloud(Container("./tree")).wrap(Command(("p", "a b\n'"), b"in"), make_task(1))
    assert line.argv == ("ch-run", "./tree", "--", "p", "a b\n'")
    assert line.stdin == b"in"


def test_options_and_variables_of_charliecloud() -> None:
    volumes = (Volume("/a b,c", "/d"), Volume("/x", "/y"))
    container = Container(
        "img:1", volumes=volumes, env={"T": "hush"}, user="7:8", workdir="/w", network="host", pull="never"
    )
    line = Charliecloud(container).wrap(Command(("p",), env={"U": "more"}), make_task(1))
    options = ("--bind=/a b,c:/d", "--bind=/x:/y", "--cd=/w", "--uid=7", "--gid=8")
    assert line.argv == ("ch-run", *options, "img:1", "--", "p")
    assert (line.env["T"], line.env["U"]) == ("hush", "more")
    assert line.env["USER"]


@pytest.mark.parametrize(
    ("container", "words"),
    [
        (Container("-x"), "no image can be named '-x'"),
        (Container("i", cpus=1), "--cpus: charliecloud limits nothing"),
        (Container("i", memory=2**30), "--memory: charliecloud limits nothing"),
        (Container("i", gpus="all"), "ch-fromhost"),
        (Container("i", pull="always"), "ch-image pull"),
        (Container("i", network="none"), "the host's network only"),
        (Container("i", user="nobody"), "UID or UID:GID"),
        (Container("i", volumes=(Volume("/a", "/b", True),)), "cannot mount read-only"),
        (Container("i", volumes=(Volume("cache", "/b"),)), "no named volumes"),
        (Container("i", volumes=(Volume("/a:b", "/b"),)), "cannot mount a path"),
        (Container("i", env={"a.b": "1"}), "put it before COMMAND: env a.b=VALUE"),
    ],
)
def test_what_charliecloud_cannot_do(container: Container, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        Charliecloud(container)
