"""What Docker is told of a run, and what it says, without an engine."""

from __future__ import annotations

import gc
import os
import signal
import threading
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from urllib3.exceptions import HTTPError

from minionize.callback import Command, Context, ProgramError
from minionize.callbacks.docker import DockerCallback, DockerCommand
from minionize.cli.command import CommandLine
from minionize.containers import docker, dockerclient
from minionize.containers.container import Container
from minionize.containers.docker import Docker
from minionize.containers.dockerrun import Job, _create, _remove
from minionize.containers.parse import Volume
from minionize.containers.remove import main as remove
from minionize.containers.termination import Termination
from minionize.errors import CallbackError
from minionize.task import Param
from minionize.testing.callback import make_task
from tests.containers.docked import docker_contexts
from tests.worker.running import until

NOBODY = "unix:///nonexistent/docker.sock"


def test_the_least_is_a_command() -> None:
    assert Docker(Container("i")).kwargs(Command(("a", "b"))) == {"command": ["a", "b"]}


def test_a_container_in_keyword_arguments() -> None:
    container = Container(
        "i",
        volumes=(Volume("/data", "/d", True), Volume("cache", "/c")),
        env={"A": "1"},
        user="1:2",
        workdir="/d",
        network="none",
        cpus=0.5,
        memory=2**29,
        gpus="2",
    )
    kwargs = Docker(container).kwargs(Command(("a",), b"in", {"B": "2"}))
    mounts, (gpus,) = kwargs.pop("mounts"), kwargs.pop("device_requests")
    assert kwargs == {
        "command": ["a"],
        "environment": {"A": "1", "B": "2"},
        "stdin_open": True,
        "user": "1:2",
        "working_dir": "/d",
        "network_mode": "none",
        "nano_cpus": 500_000_000,
        "mem_limit": 2**29,
        "memswap_limit": 2**29,
    }
    assert [(each["Type"], each["Source"], each["Target"], each["ReadOnly"]) for each in mounts] == [
        ("bind", "/data", "/d", True),
        ("volume", "cache", "/c", False),
    ]
    assert (gpus["Count"], gpus["Capabilities"]) == (2, [["gpu"]])


@pytest.mark.parametrize(
    ("gpus", "count", "ids"), [("all", -1, None), ("1", 1, None), ("device=0,GPU-1", 0, ["0", "GPU-1"])]
)
def test_gpus(gpus: str, count: int, ids: list[str] | None) -> None:
    (request,) = Docker(Container("i", gpus=gpus)).kwargs(Command(("a",)))["device_requests"]
    assert (request["Count"] or 0, request["DeviceIDs"] or None) == (count, ids)
    assert "--gpus" in Docker(Container("i", gpus=gpus)).wrap(Command(("a",)), make_task(1)).argv


def test_every_run_gets_name_init_labels_and_variables() -> None:
    kwargs = docker.completed({}, make_task({"a": 1}))
    assert (kwargs["name"], kwargs["init"], kwargs["log_config"]["Type"]) == ("minionize-m-1-id1-1", True, "none")
    assert kwargs["environment"] == {
        "MINION_ID": "m",
        "MINION_PARAM": '{"a":1}',
        "MINION_PARAM_ID": "id1",
        "MINION_ATTEMPT": "1",
        "MINION_SLOT": "1",
    }
    assert kwargs["labels"]["minionize.minion"] == "m"


@pytest.mark.parametrize("param", ["x" * 100_001, "\0", "\udcff"])
def test_a_param_that_no_variable_holds_is_left_out(param: str) -> None:
    assert "MINION_PARAM" not in docker.variables(make_task(param))


def test_the_users_keyword_arguments_win() -> None:
    kwargs = docker.completed(
        {
            "name": "n", "init": False, "log_config": None, "environment": ["A=1", "B", "MINION_ID=x"],
            "labels": ["l", "minionize.minion=x"], "detach": True, "remove": False, "stdout": False,
        },
        make_task(1),
    )  # fmt: skip
    assert (kwargs["name"], kwargs["init"], kwargs["log_config"]) == ("n", False, None)
    assert (kwargs["environment"]["A"], kwargs["environment"]["B"], kwargs["environment"]["MINION_ID"]) == (
        "1", None, "x",
    )  # fmt: skip
    assert kwargs["labels"]["l"] == ""
    assert kwargs["labels"]["minionize.minion"] == "m", "by which it is removed"
    assert not {"detach", "remove", "stdout"} & set(kwargs)


def test_the_evidence_is_a_command_line() -> None:
    kwargs = {"name": "n", "command": ["a", 1], "environment": {"SECRET": "hush"}}
    assert docker.line_of("i", kwargs) == ("docker", "run", "--rm", "--name", "n", "i", "a", "1")
    assert docker.line_of("i", {"name": "n", "command": "a b"})[-2:] == ("i", "a b")
    assert docker.line_of("i", {"name": "n"})[-1] == "i"


def test_to_kwargs_may_be_written_without_self() -> None:
    class Page(DockerCallback):
        def to_kwargs(param: Param) -> Mapping[str, Any]:  # type: ignore[override]  # noqa: N805
            return {"command": param}

    callback: DockerCallback = Page("i")
    assert callback.to_kwargs("x") == {"command": "x"}


def test_a_callback_connects_to_nothing_when_it_is_made() -> None:
    callback = DockerCallback("i")
    assert (callback.image, callback.title, callback.in_child) == ("i", "docker://i", True)
    assert callback.removal("m")[-2:] == ("docker", "m")
    assert callback.removal("m", 3)[-3:] == ("docker", "m", "3")


def test_each_process_has_a_client_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = count(1)
    monkeypatch.setattr(dockerclient, "connect", lambda: next(numbers))
    callback = DockerCallback("i")
    assert [callback.client, callback.client] == [1, 1]
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert callback.client == 2


def test_a_command_line_shows_what_is_run() -> None:
    callback = DockerCommand(CommandLine(["echo", "{}"]), Docker(Container("i", pull="never")))
    assert (callback.title, callback.pull) == ("echo '{}' in docker://i", "never")
    command = callback.command("x", make_task("x"))
    assert command is not None
    assert command.argv[:2] == ("docker", "run")
    assert command.argv[-3:] == ("i", "echo", "x")
    assert "--label" not in command.argv


@pytest.mark.parametrize(("param", "words"), [("\0", "NUL"), ("\udcff", "UTF-8")])
def test_a_param_that_cannot_be_told_fails(param: str, words: str) -> None:
    callback = DockerCommand(CommandLine(["echo", "{}"]), Docker(Container("i")))
    with pytest.raises(ProgramError, match=words):
        callback.process(param, Context(make_task(param)))


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # the library's, where it finds nobody
def test_no_engine(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CallbackError, match=r"no Docker engine answers at unix:///nonexistent/docker.sock: .*start"):
        DockerCallback("i").check({"DOCKER_HOST": NOBODY})
    with pytest.raises(CallbackError, match="DOCKER_HOST names it"):
        dockerclient.connect({"DOCKER_HOST": "tcp://127.0.0.1:1"})
    monkeypatch.setenv("DOCKER_HOST", NOBODY)
    monkeypatch.setattr(dockerclient, "_AWAY", 0.0)
    assert remove(["docker", "m", "1"]) == 1
    assert "no Docker engine" in capsys.readouterr().err
    gc.collect()


def test_no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "docker", None)
    with pytest.raises(CallbackError, match=r"pip install 'minionize\[docker\]'"):
        DockerCallback("i").check({})


def test_where_it_is_has_no_password(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    assert dockerclient.place({"DOCKER_HOST": "tcp://me:hush@host:1"}) == "tcp://host:1"
    assert dockerclient.place({}) == "unix:///var/run/docker.sock"


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # the library's, where it finds nobody
def test_the_engine_is_that_of_dockers_own_client(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = docker_contexts(tmp_path, lab="tcp://127.0.0.1:1", far="ssh://far")
    monkeypatch.setenv("DOCKER_CONFIG", str(config.parent))
    assert dockerclient.place({}) == "tcp://127.0.0.1:1"
    assert dockerclient.place({"DOCKER_CONTEXT": "default"}) == "unix:///var/run/docker.sock"
    assert dockerclient.place({"DOCKER_CONTEXT": "far", "DOCKER_HOST": "tcp://host:1"}) == "tcp://host:1"
    for name, words in {
        "far": "docker context far: ssh://far: engines are not reached by ssh",
        "lab": "no Docker engine answers at tcp://127.0.0.1:1: .*; docker context lab names it",
        "none": "there is no docker context none; which there are: docker context ls",
    }.items():
        with pytest.raises(CallbackError, match=words):
            dockerclient.connect({"DOCKER_CONTEXT": name})
    next(config.parent.glob("contexts/meta/*/meta.json")).write_text("{")
    with pytest.raises(CallbackError, match="docker context"):
        [dockerclient.connect({"DOCKER_CONTEXT": name}) for name in ("lab", "far")]
    gc.collect()


def test_term_is_passed_on_also_when_it_comes_too_early() -> None:
    told: list[str] = []
    before = signal.getsignal(signal.SIGTERM)
    with Termination() as termination:
        wanted = [termination.wanted]
        os.kill(os.getpid(), signal.SIGTERM)
        assert [*wanted, termination.wanted] == [False, True]
        termination.begun(lambda: told.append(threading.current_thread().name))
        until(lambda: told == ["termination"])
        os.kill(os.getpid(), signal.SIGTERM)
        until(lambda: len(told) == 2)
    assert signal.getsignal(signal.SIGTERM) is before


def test_in_another_thread_no_signal_is_caught() -> None:
    before = signal.getsignal(signal.SIGTERM)
    seen: list[Any] = []

    def use() -> None:
        with Termination() as termination:
            seen.extend([signal.getsignal(signal.SIGTERM), termination.wanted])

    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
    assert seen == [before, False]


def test_a_refusal_is_in_one_line() -> None:
    assert dockerclient.words_of(SimpleNamespace(explanation="a\n  b")) == "a b"


def wrapped(message: str, cause: BaseException | None) -> Exception:
    """An error of the docker library around another."""
    from docker.errors import DockerException

    error: Exception = DockerException(message)
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            wrapped("w", ConnectionResetError(104, "Connection reset")),
            "the Docker engine at w is gone: Connection reset",
        ),
        (wrapped("w", HTTPError("x")), "the Docker engine at w is gone: the connection was lost"),
        (wrapped("Credentials store error", KeyError("x")), "the docker library says: Credentials store error"),
    ],
)
def test_what_the_library_itself_says_is_no_engine_that_is_gone(error: Exception, words: str) -> None:
    with pytest.raises(CallbackError, match=f"^{words}$"), dockerclient.faults("w"):
        raise error


def test_an_engine_is_not_reached_by_ssh() -> None:
    with pytest.raises(CallbackError, match=r"DOCKER_HOST=ssh://h: .* forward .*unix:///tmp/docker.sock$"):
        dockerclient.connect({"DOCKER_HOST": "ssh://h"})


class Pulls:
    """A client whose engine has an image for another platform only."""

    def __init__(self, **said: str) -> None:
        self.said, self.told = said, dict[str, Any]()
        self.api, self.containers = self, self

    def create(self, image: str, **kwargs: Any) -> str:
        from docker.errors import ImageNotFound

        if self.told:
            return "made"
        raise ImageNotFound("was found but does not match the specified platform")

    def pull(self, image: str, **told: Any) -> list[dict[str, str]]:
        self.told = told
        return [self.said]


def test_an_image_is_pulled_for_the_platform_that_is_wanted() -> None:
    client = Pulls(status="Downloaded")
    assert _create(client, Job("i", {"platform": "linux/arm64"}), "w") == "made"
    assert client.told["platform"] == "linux/arm64"


@pytest.mark.parametrize("of_param", [True, False])
def test_a_platform_that_the_image_has_not_is_the_fault_of_who_wants_it(of_param: bool) -> None:
    job = Job("i", {"platform": "x"}, options_are_param=of_param)
    with pytest.raises(ProgramError if of_param else CallbackError, match="image i cannot be pulled: no manifest"):
        _create(Pulls(error="no manifest"), job, "w")


def test_a_container_that_cannot_be_removed_is_told_of(capsys: pytest.CaptureFixture[str]) -> None:
    def remove_container(id: str, **how: bool) -> None:
        raise OSError(5, "no way")

    _remove(SimpleNamespace(api=SimpleNamespace(remove_container=remove_container)), "0123456789abcdef", "w")
    assert "container 0123456789ab is not removed: the Docker engine at w is gone: no way" in capsys.readouterr().err
