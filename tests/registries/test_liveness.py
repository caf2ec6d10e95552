"""Whether a minion lives, judged by its announcement alone."""

from __future__ import annotations

import os
import subprocess

import pytest

from minionize.host import Identity, identity
from minionize.registry import DAY, Announcement, Liveness, Seen, kept_for, liveness
from minionize.testing.registry import make_announcement

HERE = identity()
AWAY = HERE._replace(host="elsewhere")


def said(process: Identity = AWAY, left: float | None = None, every: float = 10.0) -> Announcement:
    return {**make_announcement(every=every), "process": process, "left": left}


@pytest.mark.parametrize(
    ("age", "every", "expected"),
    [
        (0, 10, "live"),
        (30, 10, "live"),
        (30.1, 10, "stale"),
        (100, 10, "stale"),
        (100.1, 10, "lost"),
        (100.1, 60, "live"),
        (0.4, 0.1, "stale"),
    ],
)
def test_by_age(age: float, every: float, expected: Liveness) -> None:
    assert liveness(Seen(said(every=every), age)) == expected


def test_who_has_left_is_stopped_whatever_else() -> None:
    assert liveness(Seen(said(left=0.0), 1e9)) == "stopped"
    assert liveness(Seen(said(HERE._replace(started=1), left=1.0), 0.0)) == "stopped"


def test_a_process_of_this_host_that_is_gone_is_lost_at_once() -> None:
    with subprocess.Popen(["true"]) as child:
        gone = HERE._replace(pid=child.pid, started=HERE.started + 1)
    assert liveness(Seen(said(gone), 0.0)) == "lost"
    assert liveness(Seen(said(HERE), 0.0)) == "live"


def test_a_reused_pid_is_another_process() -> None:
    assert liveness(Seen(said(HERE._replace(started=HERE.started - 1)), 0.0)) == "lost"


@pytest.mark.parametrize(
    "elsewhere",
    [AWAY, HERE._replace(boot="another"), HERE._replace(boot=""), HERE._replace(pidns="pid:[1]")],
    ids=["host", "boot", "unknown boot", "container"],
)
def test_a_pid_elsewhere_says_nothing(elsewhere: Identity) -> None:
    elsewhere = elsewhere._replace(pid=2**22 + 1)
    assert liveness(Seen(said(elsewhere), 0.0)) == "live"
    assert liveness(Seen(said(elsewhere), 101.0)) == "lost"


def test_a_process_that_hangs_grows_stale_though_its_pid_is_there() -> None:
    assert HERE.pid == os.getpid()
    assert liveness(Seen(said(HERE), 31.0)) == "stale"


def test_how_long_it_is_kept() -> None:
    assert kept_for(said(left=1.0)) == DAY
    assert kept_for(said()) == 7 * DAY
    assert kept_for(said(every=DAY)) == 10 * DAY
