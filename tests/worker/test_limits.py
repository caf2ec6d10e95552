"""Many slots need many descriptors."""

from __future__ import annotations

import resource
from pathlib import Path

from tests.worker.command import minionize


def _limit(soft: int, hard: int) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_the_soft_limit_is_raised_where_it_must(tmp_path: Path) -> None:
    script = "ulimit -Sn; exit 0"
    ended = minionize("-j120", "sh", "-c", script, cwd=tmp_path, params=range(4), preexec_fn=lambda: _limit(256, 4096))
    assert ended.returncode == 0
    assert set(ended.stdout.split()) == {"700"}
    ended = minionize("-j2", "sh", "-c", script, cwd=tmp_path, params=range(3), preexec_fn=lambda: _limit(256, 4096))
    assert set(ended.stdout.split()) == {"256"}, "programs inherit it, so it is left as it is where it can be"


def test_a_hard_limit_is_said_before_the_first_param(tmp_path: Path) -> None:
    ended = minionize("-j120", "echo", cwd=tmp_path, params=[1], preexec_fn=lambda: _limit(256, 512))
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "120 slots need 700 open files, and 512 are allowed here: at most 82 slots" in ended.stderr


def test_few_slots_may_be_too_many_too(tmp_path: Path) -> None:
    ended = minionize("-j20", "true", cwd=tmp_path, params=range(30), preexec_fn=lambda: _limit(30, 30))
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "20 slots need 200 open files, and 30 are allowed here: at most 1 slots" in ended.stderr
    assert minionize("true", cwd=tmp_path, params=range(3), preexec_fn=lambda: _limit(30, 30)).returncode == 0
