"""Which containers are of dead minions: a living one loses none, wherever it is."""

from __future__ import annotations

import json

import pytest

from minionize.containers import dockerclient
from minionize.containers.container import left_behind
from minionize.host import Identity, identity

HERE = identity()


def of(process: object) -> dict[str, dict[str, str]]:
    return {"id": {"minionize.process": json.dumps(process)}}


@pytest.mark.parametrize("here", [False, True])
@pytest.mark.parametrize(
    "process",
    [
        HERE,
        HERE._replace(pidns="pid:[1]", pid=2**22 + 1),
        HERE._replace(boot="", pid=2**22 + 1),
        HERE._replace(host="elsewhere", boot="another"),
        None,
        [1],
        ["a", "b", "c"],
        {"a": 1},
        [*HERE[:3], "x", 0],
    ],
)
def test_those_of_the_living_and_of_others_stay(process: object, here: bool) -> None:
    assert list(left_behind(of(process), here)) == []


@pytest.mark.parametrize("here", [False, True])
def test_those_of_the_dead_do_not(here: bool) -> None:
    assert list(left_behind(of(HERE._replace(pid=2**22 + 1)), here)) == ["id"]


@pytest.mark.parametrize("process", [HERE._replace(boot="another"), HERE._replace(boot="another", pidns="pid:[1]")])
def test_those_of_an_earlier_boot_are_left_behind_where_the_engine_is_of_this_host(process: Identity) -> None:
    assert list(left_behind(of(process), True)) == ["id"]
    # The engine may serve another host with the same name.
    assert list(left_behind(of(process), False)) == []


class _Client:
    """Has one container, of an earlier boot."""

    def __init__(self) -> None:
        self.api, self.removed = self, list[str]()

    def containers(self, **_: object) -> list[dict[str, object]]:
        return [{"Id": "id", "Labels": of(HERE._replace(boot="another"))["id"]}]

    def remove_container(self, id: str, **_: object) -> None:
        self.removed.append(id)

    def inspect_image(self, image: str) -> None: ...

    def close(self) -> None: ...


@pytest.mark.parametrize(
    ("environ", "removed"),
    [
        ({}, ["id"]),
        ({"DOCKER_HOST": "unix:///run/user/1/docker.sock"}, ["id"]),
        ({"DOCKER_HOST": "tcp://localhost:2375"}, []),
        ({"DOCKER_HOST": "ssh://host"}, []),
    ],
)
def test_an_engine_of_docker_is_here_by_its_socket(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], removed: list[str]
) -> None:
    pytest.importorskip("docker")
    client = _Client()
    monkeypatch.setattr(dockerclient, "connect", lambda environ: client)
    dockerclient.check("image", "never", environ)
    assert client.removed == removed
