"""DockerCallback: the callback contract, on a real Docker engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, nullcontext
from typing import Any, ClassVar

import pytest

from minionize.callback import Callback, Context
from minionize.callbacks.docker import DockerCallback
from minionize.containers import dockerrun
from minionize.errors import CallbackError
from minionize.task import Param
from minionize.testing.callback import CallbackContract, make_task
from tests.containers.dockerd import Dockerd, own_dockerd

pytestmark = pytest.mark.container


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dockerd]:
    with own_dockerd(tmp_path_factory.mktemp("trees") / "busybox") as engine:
        yield engine


class Cut:
    """A connection that breaks."""

    def recv(self, size: int) -> bytes:
        raise ConnectionResetError(104, "Connection reset by peer")


def test_output_that_is_cut_off_is_no_success(engine: Dockerd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", engine.base_url)
    monkeypatch.setattr(dockerrun, "attached", lambda *args, **streams: nullcontext(Cut()))
    callback = DockerCallback("busybox:test")
    with closing(callback.client), pytest.raises(CallbackError, match="has cut off the output: Connection reset"):
        callback.process({"command": "true"}, Context(make_task({})))


class Exits(DockerCallback):
    """Exits with the param."""

    def to_kwargs(param: Param) -> Mapping[str, Any]:  # type: ignore[override]  # noqa: N805
        """Make the arguments, as written without ``self``."""
        return {"command": ["sh", "-c", f"echo {param['code']}; exit {param['code']}"], "network_mode": "none"}


class OnDocker(CallbackContract):
    """Makes callbacks, and closes their clients."""

    kind: ClassVar[type[DockerCallback]] = DockerCallback

    @pytest.fixture(autouse=True)
    def _engine(self, engine: Dockerd, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        monkeypatch.setenv("DOCKER_HOST", engine.base_url)
        self.made_here: list[DockerCallback] = []
        yield
        for each in self.made_here:
            each.client.close()

    def make_callback(self) -> Callback:
        """Make one that needs to be told the image only."""
        self.made_here.append(self.kind("busybox:test"))
        return self.made_here[-1]


class TestParamIsKeywords(OnDocker):
    """The param is what docker is told."""

    good = ({"command": "true"}, {"command": ["echo", "a b"], "environment": {"A": "1"}, "labels": {"b": "2"}})
    bad = ("echo", 3, None, {"command": "true", "other": 1}, {"command": "nosuch"}, {"command": "false"})


class TestKeywordsOfParam(OnDocker):
    """A subclass tells it."""

    good = ({"code": 0},)
    bad = ({"code": 3}, {"other": 1})
    kind = Exits
