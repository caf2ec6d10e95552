from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from minionize.engine import EngineError
from minionize.linefile.write import append
from minionize.testing.reporter import room


@pytest.mark.parametrize("begin", ["", "a\n", "torn"])
def test_without_room_whole_lines_stay_and_are_counted(tmp_path: Path, begin: str) -> None:
    path = tmp_path / "params"
    path.write_text(begin)
    with room(1003), pytest.raises(EngineError, match=r"File too large \((\d+) were put\)") as raised:
        append(str(path), (b"line %03d" % number for number in range(200)), b"\n")
    lines = path.read_text().splitlines(keepends=True)
    assert all(line.endswith("\n") for line in lines)
    put = len(lines) - bool(begin)
    assert f"({put} were put)" in str(raised.value)
    assert lines[-put:] == [f"line {number:03}\n" for number in range(put)]
    assert 100 < put < 112


def test_what_came_before_a_refused_param_is_there(tmp_path: Path) -> None:
    def lines() -> Iterator[bytes]:
        yield b"a"
        raise EngineError("no line")

    with pytest.raises(EngineError, match=r"no line \(1 params were put before it\)"):
        append(str(tmp_path / "params"), lines(), b"\n")
    assert (tmp_path / "params").read_bytes() == b"a\n"


def test_two_writers_take_turns(tmp_path: Path) -> None:
    path = tmp_path / "params"
    line = b"x" * 1000
    writers = [threading.Thread(target=append, args=(str(path), [line] * 2000, b"\n")) for _ in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert path.read_bytes() == (line + b"\n") * 4000


def test_memory_does_not_grow_with_the_lines(tmp_path: Path) -> None:
    import tracemalloc

    tracemalloc.start()
    try:
        assert append(str(tmp_path / "params"), (b"%d" % number for number in range(100_000)), b"\n") == 100_000
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()
