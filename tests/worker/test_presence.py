"""A minion announces itself while it lives; whatever fails there is said once and stops nothing."""

from __future__ import annotations

import json
import socket
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from minionize.engines.memory import MemoryEngine, MemoryQueue
from minionize.errors import SettingsError
from minionize.worker.minion import Minion
from tests.worker.running import ENVIRON, make, running, shell, until

WAITS = "while [ ! -e go ]; do sleep 0.005; done"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def watched(script: str, tmp_path: Path, **settings: Any) -> Minion:
    """A minion that announces itself in tmp_path/minions."""
    environ = {name: value for name, value in ENVIRON.items() if name not in ("MINION_REGISTRY", "MINION_SERVER")}
    settings = {"registry": f"dir:{tmp_path / 'minions'}", **settings}
    minion, _ = make(shell(script), MemoryEngine(MemoryQueue(["p"])), environ=environ, **settings)
    return minion


def announced(tmp_path: Path) -> dict[str, Any]:
    """The only announcement; empty if there is none."""
    found = list((tmp_path / "minions").glob("*.json"))
    return dict(json.loads(found[0].read_text())) if found else {}


@contextmanager
def at_work(minion: Minion) -> Iterator[list[int | BaseException]]:
    """Run it; let it go on at the end."""
    with running(minion) as ends:
        try:
            yield ends
        finally:
            Path("go").touch()


def test_it_is_announced_and_leaves_a_tombstone(tmp_path: Path) -> None:
    minion = watched(WAITS, tmp_path, label={"run": "7"})
    with at_work(minion) as ends:
        until(lambda: announced(tmp_path))
        found = announced(tmp_path)
        assert (found["id"], found["left"]) == (minion.id, None)
        assert found["url"].startswith("http://127.0.0.1:")
        assert len(found["token"]) == 48
        assert (found["state"], found["labels"]) == ("running", {"run": "7"})
    assert ends == [0]
    tombstone = announced(tmp_path)
    assert tombstone["left"] is not None
    assert (tombstone["url"], tombstone["token"]) == (None, None)
    assert (tombstone["state"], tombstone["counters"]["succeeded"]) == ("stopped", 1)
    assert tombstone["in_flight"] == {"count": 0, "oldest": None}


def test_a_short_life_leaves_its_tombstone_too(tmp_path: Path) -> None:
    assert watched(":", tmp_path).run() == 0
    assert announced(tmp_path)["counters"]["succeeded"] == 1


def test_the_server_answers(tmp_path: Path) -> None:
    with at_work(watched(WAITS, tmp_path)):
        until(lambda: announced(tmp_path))
        url = announced(tmp_path)["url"]

        def busy() -> int:
            with urllib.request.urlopen(f"{url}/stats", timeout=20) as answer:
                return int(json.load(answer)["busy"])

        until(lambda: busy() == 1, what="its run is counted")
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(f"{url}/stats", timeout=5)


def test_a_forgotten_minion_is_there_again_with_its_next_heartbeat(tmp_path: Path) -> None:
    with at_work(watched(WAITS, tmp_path, heartbeat="0.1")):
        until(lambda: announced(tmp_path))
        for path in (tmp_path / "minions").glob("*.json"):
            path.unlink()
        until(lambda: announced(tmp_path))


def test_heartbeats_tell_what_the_children_use(tmp_path: Path) -> None:
    with at_work(watched(f"sleep 0.2; {WAITS}", tmp_path, heartbeat="0.1")):
        until(lambda: announced(tmp_path).get("resources", {}).get("children_rss"), what="memory of a child")


def test_a_registry_that_cannot_be_written_is_said_once(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "minions").write_text("a file")
    with at_work(watched(f"sleep 0.7; {WAITS}", tmp_path, heartbeat="0.1")) as ends:
        until(lambda: "params run on" in capfd.readouterr().err)
    assert ends == [0]
    assert "params run on" not in capfd.readouterr().err


def test_a_registry_that_nobody_knows_is_an_error_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="etcd"):
        watched(":", tmp_path, registry="etcd://host")


def test_a_port_that_is_taken_is_said_and_another_one_served(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        at_work(watched(WAITS, tmp_path, port=taken.getsockname()[1])) as ends,
    ):
        until(lambda: announced(tmp_path))
        url = announced(tmp_path)["url"]
        said = capfd.readouterr().err
        assert f"port {taken.getsockname()[1]}: Address already in use" in said
        assert url in said
        with urllib.request.urlopen(f"{url}/healthz", timeout=20) as answer:
            assert answer.status == 200
    assert ends == [0]


def test_an_address_that_is_not_ours_is_said(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with at_work(watched(WAITS, tmp_path, host="192.0.2.1")) as ends:
        until(lambda: announced(tmp_path))
        assert (announced(tmp_path)["url"], announced(tmp_path)["token"]) == (None, None)
        assert "there is no stats server, params run on" in capfd.readouterr().err
    assert ends == [0]


def test_without_a_server_there_is_no_url(tmp_path: Path) -> None:
    with at_work(watched(WAITS, tmp_path, server="no")):
        until(lambda: announced(tmp_path))
        assert announced(tmp_path)["url"] is None


def test_without_a_registry_nothing_is_written(tmp_path: Path) -> None:
    assert watched(":", tmp_path, registry="none").run() == 0
    assert list(tmp_path.iterdir()) == []
