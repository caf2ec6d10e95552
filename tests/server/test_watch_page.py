"""What docs/how-to/watch.md tells to type, typed beside a real minion."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.acceptance.running import until
from tests.brokers.server import need
from tests.docs.blocks import blocks, environment

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "watch.md"
BLOCKS = [block.text for block in blocks(PAGE.read_text()) if block.language == "bash"]

pytestmark = pytest.mark.acceptance


@pytest.fixture(autouse=True)
def _programs() -> None:
    need("curl", "curl")
    need("jq", "jq")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A home in which a minion runs."""
    (tmp_path / "params.txt").write_text("".join(f"{number}\n" for number in range(20)))
    with (tmp_path / "params.txt").open() as params:
        minion = subprocess.Popen(
            ["minionize", "-j2", "sh", "-c", "echo size {}; sleep 600"],
            cwd=tmp_path,
            env={key: value for key, value in environment(tmp_path).items() if key != "XDG_STATE_HOME"},
            stdin=params,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    try:
        until(lambda: announcements(tmp_path), what="an announcement")
        yield tmp_path
    finally:
        minion.terminate()
        minion.wait(60)


def announcements(home: Path) -> list[Path]:
    return list((home / ".local/state/minionize/minions").glob("*.json"))


def works(home: Path) -> bool:
    """Tell whether both slots have a run that has written something."""
    said = json.loads(announcements(home)[0].read_text())
    with httpx.Client(base_url=said["url"], headers={"Authorization": f"Bearer {said['token']}"}, timeout=60) as http:
        ids = [task["id"] for task in http.get("/tasks").json() if task["pid"]]
        return len(ids) == 2 and all(http.get(f"/tasks/{id}/output").json()["stdout"] for id in ids)


def typed(home: Path, *wanted: str) -> tuple[list[str], list[int]]:
    """Type the blocks that hold these words; return what they print, and the status of each request."""
    script = "\n".join(text for text in BLOCKS if any(word in text for word in wanted))
    script = script.replace("node7-4242-9f3a1c02.json", announcements(home)[0].name)
    counted = 'curl() { command curl -sS -w "\\n%{stderr}%{http_code}\\n" "$@"; echo; }\n'
    environ = {key: value for key, value in environment(home).items() if key != "XDG_STATE_HOME"}
    done = subprocess.run(
        ["bash", "-c", counted + script], cwd=home, env=environ, capture_output=True, text=True, timeout=120
    )
    return [line for line in done.stdout.splitlines() if line], [int(line) for line in done.stderr.split()]


def test_a_minion_is_found(home: Path) -> None:
    (line,), _ = typed(home, "@tsv")
    id, url, state, done = line.split("\t")
    assert (id, done) == (announcements(home)[0].stem, "0")
    assert url.startswith("http://127.0.0.1:")
    assert state in ("starting", "running")


def test_it_is_asked(home: Path) -> None:
    until(lambda: works(home), what="two runs that have written")
    printed, statuses = typed(home, "curl $url/stats", "$url/tasks ")
    stats, rates, tasks, failures, output = map(json.loads, printed)
    assert statuses == [200] * 6
    assert (stats["busy"], rates["rates"]["window"]) == (2, 60)
    assert [task["slot"] for task in tasks] == [1, 2]
    assert failures["total"] == 0
    assert output["stdout"].startswith("size ")


def test_it_is_told(home: Path) -> None:
    until(lambda: works(home), what="two runs that have written")
    printed, statuses = typed(home, "curl $url/stats", "$url/tasks ", "/pause")
    assert [json.loads(line)["state"] for line in printed[5:8]] == ["paused", "running", "draining"]
    # A run that was killed cannot be given back.
    assert statuses[6:11] == [200] * 5
    assert statuses[11] in (200, 404)


def test_it_is_scraped(home: Path) -> None:
    typed(home, "targets.json")
    (group,) = json.loads((home / "targets.json").read_text())
    assert group["targets"][0].startswith("127.0.0.1:")


def test_every_command_is_tried() -> None:
    tried = ("@tsv", "curl $url/stats", "$url/tasks ", "/pause", "targets.json", "--port")
    assert [text for text in BLOCKS if not any(word in text for word in tried)] == []
