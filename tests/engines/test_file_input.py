"""The file engine: what it reads from, and how lines become params."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from minionize.engine import Delivery, EndOfQueue, EngineError, Undecodable
from minionize.engines.file import FileEngine


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    read, write = os.pipe()
    yield read, write
    for fd in (read, write):
        try:
            os.close(fd)
        except OSError:
            continue


def on(fd: int, **values: Any) -> FileEngine:
    engine = FileEngine(fd=fd, **values)
    engine.open()
    return engine


def of(tmp_path: Path, data: bytes, **values: Any) -> list[Any]:
    """The params of a file with this content."""
    path = tmp_path / "params"
    path.write_bytes(data)
    engine = FileEngine(path=str(path), **values)
    engine.open()
    params = []
    try:
        while True:
            taken = engine.receive(3, 0.0)
            params += [delivery.param for delivery in taken]
            engine.ack(taken)
    except EndOfQueue:
        engine.close()
    return params


# As it arrives.


def test_a_line_comes_when_it_arrives(pipe: tuple[int, int]) -> None:
    engine = on(pipe[0])
    assert engine.receive(5, 0.0) == []
    os.write(pipe[1], b"one\ntw")
    assert [delivery.param for delivery in engine.receive(5, 0.0)] == ["one"]
    assert engine.receive(5, 0.0) == []
    os.write(pipe[1], b"o\nthree")
    assert [delivery.param for delivery in engine.receive(5, 0.0)] == ["two"]
    os.close(pipe[1])
    assert [delivery.param for delivery in engine.receive(5, 0.0)] == ["three"]


def test_a_waiting_receive_is_woken_by_a_line(pipe: tuple[int, int]) -> None:
    engine = on(pipe[0])
    got: list[Delivery] = []
    thread = threading.Thread(target=lambda: got.extend(engine.receive(5, 30.0)))
    thread.start()
    os.write(pipe[1], b"late\n")
    thread.join(10.0)
    assert [delivery.param for delivery in got] == ["late"]


def test_a_pipe_ends_when_it_is_closed_and_all_is_settled(pipe: tuple[int, int]) -> None:
    engine = on(pipe[0])
    os.write(pipe[1], b"one\n")
    taken = engine.receive(5, 0.0)
    os.close(pipe[1])
    assert engine.receive(5, 0.0) == []
    engine.ack(taken)
    with pytest.raises(EndOfQueue):
        engine.receive(5, 0.0)


def test_no_more_is_read_than_needed(tmp_path: Path) -> None:
    path = tmp_path / "params"
    path.write_bytes(b"x\n" * 1_000_000)
    with path.open("rb", buffering=0) as file:
        on(file.fileno()).receive(1, 0.0)
        assert file.tell() < 500_000


def test_a_line_in_thousands_of_pieces(pipe: tuple[int, int]) -> None:
    engine = on(pipe[0])
    for _ in range(3000):
        os.write(pipe[1], b"abc")
        assert engine.receive(1, 0.0) == []
    os.write(pipe[1], b"\n")
    assert engine.receive(1, 0.0)[0].param == "abc" * 3000


def test_a_named_pipe_does_not_block_the_start(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    engine = FileEngine(path=str(path))
    engine.open()
    assert engine.receive(1, 0.0) == []
    with path.open("wb", buffering=0) as writer:
        writer.write(b"a\n")
        assert engine.receive(1, 0.0)[0].param == "a"
    engine.close()


# Lines to params.


@pytest.mark.parametrize(
    ("data", "params"),
    [
        (b"", []),
        (b"\n", []),
        (b"one", ["one"]),
        (b"one\ntwo\n", ["one", "two"]),
        (b"one\r\ntwo\r\n", ["one", "two"]),
        (b"one\r", ["one"]),
        (b"mac\rline\n", ["mac\rline"]),
        (b"\n \n\t\none\n\n\n", ["one"]),
        (b"  one two  \n", ["  one two  "]),
        (b"odd \xff\xfe\n", ["odd \udcff\udcfe"]),
        (b"nul\0in it\n", ["nul\0in it"]),
        ("\u00fc\u4f60".encode(), ["\u00fc\u4f60"]),
    ],
)
def test_lines(tmp_path: Path, data: bytes, params: list[str]) -> None:
    assert of(tmp_path, data) == params


@pytest.mark.parametrize(
    ("data", "params"),
    [(b"one\0two\0", ["one", "two"]), (b"a\nb\0\0 \0c\r", ["a\nb", "", " ", "c\r"]), (b"", [])],
)
def test_nul(tmp_path: Path, data: bytes, params: list[str]) -> None:
    assert of(tmp_path, data, null=True) == params


def test_odd_bytes_are_those_of_the_argument_again(tmp_path: Path) -> None:
    (param,) = of(tmp_path, b"\x80\xff \xc3\xbc\n")
    assert os.fsencode(param) == b"\x80\xff \xc3\xbc"


def test_json(tmp_path: Path) -> None:
    assert of(tmp_path, b'{"a": [1, null]}\n\n "text"\n7\r\n', decoder="json") == [{"a": [1, None]}, "text", 7]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b'{"half": ', "line 2 of .*params is not JSON: .* at column"),
        (b"not json", "line 2 of .*params is not JSON"),
        (b'"\xff"', "line 2 of .*params is not JSON: .*utf-8"),
        (b"[" * 100_000, "line 2 of .*params is JSON nested too deeply"),
        (b"9" * 5000, "line 2 of .*params is not JSON"),
        (b"x" * 20_001, "line 2 of .*params is longer than 20000 bytes"),
    ],
)
def test_bad_json_is_told_with_its_line(tmp_path: Path, line: bytes, why: str) -> None:
    longest = 20_000 if line.startswith(b"x") else 1_000_000
    good, bad, after = of(tmp_path, b"1\n" + line + b"\n3\n", decoder="json", longest=longest)
    assert (good, after) == (1, 3)
    assert isinstance(bad, Undecodable)
    assert bad.raw == line[: 4096 if longest == 20_000 else None].decode("utf-8", "surrogateescape")
    assert pytest.raises(AssertionError, match=why).matches(AssertionError(bad.why))


def test_ids_are_line_and_content(tmp_path: Path) -> None:
    path = tmp_path / "params"
    path.write_bytes(b"same\n\nsame\n")
    engine = FileEngine(path=str(path))
    engine.open()
    one, two = (delivery.id for delivery in engine.receive(5, 0.0))
    assert (one[:2], two[:2]) == ("1-", "3-")
    assert one[2:] == two[2:]
    assert len(one) == 10
    engine.close()


# What cannot be read.


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"no/such/file: no such file or directory; check FILE_PATH"):
        FileEngine(path=str(tmp_path / "no/such/file")).open()


@pytest.mark.parametrize("path", ["/dev/zero", "/", "a\0b"])
def test_what_is_no_file_is_named(path: str) -> None:
    with pytest.raises(EngineError, match=r"device|directory|null byte"):
        FileEngine(path=path).open()


def test_an_unreadable_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(EngineError, match=r"params: permission denied"):
        FileEngine(path=str(tmp_path / "params")).open()


def test_nothing_is_an_empty_queue() -> None:
    fd = os.open("/dev/null", os.O_RDONLY)
    engine = on(fd)
    with pytest.raises(EndOfQueue):
        engine.receive(1, 0.0)
    os.close(fd)


def test_a_terminal_is_refused_with_an_example() -> None:
    master, slave = os.openpty()
    with pytest.raises(EngineError, match=r"terminal.*seq 10 \| minionize echo hello.*FILE_PATH"):
        on(slave)
    os.close(master)
    os.close(slave)


def test_a_closed_standard_input_is_refused(pipe: tuple[int, int]) -> None:
    os.close(pipe[0])
    with pytest.raises(EngineError, match="standard input is closed"):
        on(pipe[0])


def test_what_took_the_number_of_a_closed_standard_input_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "__stdin__", None)
    with pytest.raises(EngineError, match="standard input is closed"):
        FileEngine().open()


def test_an_input_that_cannot_be_read_is_an_error(pipe: tuple[int, int]) -> None:
    fd = os.open("/dev/null", os.O_WRONLY)
    with pytest.raises(EngineError, match="cannot read params from standard input"):
        on(fd).receive(1, 0.0)
    os.close(fd)


def test_children_do_not_get_the_file(tmp_path: Path) -> None:
    path = tmp_path / "params"
    path.write_text("a\n")
    engine = FileEngine(path=str(path))
    engine.open()
    links = {int(fd): f"/proc/self/fd/{fd}" for fd in os.listdir("/proc/self/fd")}
    (fd,) = (fd for fd, link in links.items() if os.path.exists(link) and os.path.samefile(link, path))
    assert not os.get_inheritable(fd)
    engine.close()
