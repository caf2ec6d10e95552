from __future__ import annotations

import io
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from minionize.errors import SettingsError
from minionize.queue.joblog import Template, from_joblog
from tests.brokers.server import need

HEAD = "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n"


def line(seq: int, exitval: int, signal: int, command: str) -> str:
    return f"{seq}\t:\t1795378845.276\t     0.002\t0\t0\t{exitval}\t{signal}\t{command}\n"


def failed(text: str, template: str | None = None) -> list[str]:
    file = io.BufferedReader(io.BytesIO(text.encode("utf-8", "surrogateescape")))
    return list(from_joblog(file, "log", None if template is None else Template(template)))


def test_what_failed_or_was_killed() -> None:
    log = HEAD + line(1, 0, 0, "a") + line(2, 3, 0, "b\tc") + line(3, 0, 9, "d") + line(4, -1, 15, "e")
    assert failed(log) == ["b\tc", "d", "e"]


def test_what_succeeded_later_has_not_failed() -> None:
    log = HEAD + line(1, 1, 0, "a") + line(2, 1, 0, "b") + line(1, 0, 0, "a") + line(2, 2, 0, "b")
    assert failed(log) == ["b"]


@pytest.mark.parametrize(
    ("template", "command", "param"),
    [
        ("gzip -9", "gzip -9 a.txt", "a.txt"),
        ("gzip -9 {} > {}.gz", "gzip -9 'two words' > 'two words'.gz", "two words"),
        ("test {} = 2", "test 'it'\"'\"'s' = 2", "it's"),
        ("echo", "echo '$HOME'", "$HOME"),
        ("echo", "echo 'two\0lines'", "two\nlines"),
        ("echo {}", "echo a b", "a b"),
        ("echo {}", "echo 'unfinished", "'unfinished"),
        ("awk '{print $1}'", "awk '{print $1}' x", "x"),
    ],
)
def test_the_param_is_found_back(template: str, command: str, param: str) -> None:
    assert failed(HEAD + line(1, 1, 0, command), template) == [param]


@pytest.mark.parametrize(
    ("text", "template", "message"),
    [
        ("", None, "no joblog of GNU parallel"),
        ("a\nb\n", None, "no joblog of GNU parallel"),
        (HEAD + "1\t:\t2\n", None, "log, line 2: not a line of a joblog"),
        (HEAD + line(1, 1, 0, "gzip a").replace("1\t0", "x\t0"), None, "log, line 2: not a line"),
        (HEAD + line(1, 1, 0, "gzip a"), "bzip2", "log, line 2: 'gzip a' was not made by 'bzip2 {}'"),
        (HEAD, "gzip {.}", "only {} can be found back, not {.}"),
        (HEAD, "gzip {1} {2}", "only {} can be found back, not {1}"),
    ],
)
def test_what_is_wrong_is_named(text: str, template: str | None, message: str) -> None:
    with pytest.raises(SettingsError) as raised:
        failed(text, template)
    assert message in str(raised.value)


@given(some.text())
def test_nonsense_is_refused(text: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    with pytest.raises(SettingsError):
        failed(f"{text}\n")
    if text.strip() and "\n" not in text:
        with pytest.raises(SettingsError):
            failed(f"{HEAD}{text}\n")


PARAMS = ["plain", "two words", "it's", "$HOME", '"quoted"', "tab\there", "back\\slash", "ünïcødé", "*", "-x", "{x}"]


def test_a_real_joblog(tmp_path: Path) -> None:
    need("parallel", "parallel")
    log = tmp_path / "log"
    words = ["parallel", "--will-cite", "--joblog", str(log), "test {} = plain #"]
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"}
    done = subprocess.run(words, input="\n".join(PARAMS), text=True, capture_output=True, env=environ)
    assert done.returncode == len(PARAMS) - 1, done.stderr
    with log.open("rb") as file:
        found = list(from_joblog(file, "log", Template("test {} = plain #")))
    assert sorted(found) == sorted(PARAMS[1:])
