"""Whether a process of this host has ended: never guessed."""

from __future__ import annotations

import errno
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from minionize import host
from minionize.host import Identity, identity, is_gone, is_of_earlier_boot

HERE = identity()


def of(pid: int) -> Identity:
    """The identity of a child."""
    return HERE._replace(pid=pid, started=int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]))


@pytest.fixture
def hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """As under a /proc with hidepid=2: nothing is seen of any process."""
    monkeypatch.setattr(host, "_state", lambda pid: [])


def refuse(number: int) -> Any:
    def kill(pid: int, signal: int) -> None:
        raise OSError(number, os.strerror(number))

    return kill


@pytest.mark.usefixtures("hidden")
def test_a_hidden_process_of_another_user_may_live(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "kill", refuse(errno.EPERM))
    assert is_gone(HERE) is None


@pytest.mark.usefixtures("hidden")
def test_a_process_of_which_nothing_can_be_read_may_live() -> None:
    assert is_gone(HERE) is None


@pytest.mark.usefixtures("hidden")
def test_where_no_process_is_it_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "kill", refuse(errno.ESRCH))
    assert is_gone(HERE) is True


def test_a_pid_that_cannot_be_is_gone() -> None:
    assert is_gone(HERE._replace(pid=2**22 + 1)) is True
    assert is_gone(HERE._replace(pid=2**70)) is True


def test_a_process_its_zombie_and_its_end() -> None:
    with subprocess.Popen(["sleep", "1000"]) as child:
        process = of(child.pid)
        assert is_gone(process) is False
        child.kill()
        until = time.monotonic() + 30
        while not is_gone(process) and time.monotonic() < until:
            time.sleep(0.01)
        # Not waited for yet.
        assert is_gone(process) is True
        os.kill(child.pid, 0)
    assert is_gone(process) is True


def test_of_an_earlier_boot() -> None:
    assert is_of_earlier_boot(HERE._replace(boot="another"))
    assert is_of_earlier_boot(HERE._replace(boot="another", pidns="pid:[1]"))
    for not_known in (HERE, HERE._replace(boot=""), HERE._replace(boot="another", host="elsewhere")):
        assert not is_of_earlier_boot(not_known)
