"""What is damaged is refused and stays as it is; what only a kill can have left is repaired."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from minionize.engine import EndOfQueue
from minionize.errors import EngineError, NotConnected
from minionize.sweepdir import HashableDict
from tests.sweepdir.helpers import contents, engine_on, make_sweep, opened

INTS = set(range(20))


def _refused(folder: Path, *words: str) -> None:
    """Open, and expect an error that names these; nothing but the side-car may have come."""

    def files() -> dict[str, bytes]:
        # Opening may make the side-car, and the files to lock.
        return {name: data for name, data in contents(folder).items() if data and not name.startswith("minionize/")}

    before = files()
    engine = engine_on(folder)
    with pytest.raises(EngineError) as caught:
        engine.open()
    engine.close()
    assert not isinstance(caught.value, NotConnected)
    for word in words:
        assert word in str(caught.value)
    assert files() == before


def test_no_directory(tmp_path: Path) -> None:
    """The error says how to make one, and none is made."""
    with pytest.raises(EngineError, match=r"there is no sweep directory .*ParamSweeper\("):
        engine_on(tmp_path / "none").open()
    assert not (tmp_path / "none").exists()


def test_no_sweeps(tmp_path: Path) -> None:
    """A directory without ``sweeps`` is no queue, and does not become one."""
    _refused(tmp_path, str(tmp_path), "no file 'sweeps'", "save_sweeps=True")
    assert list(tmp_path.iterdir()) == []


def test_empty_sweeps_file(tmp_path: Path) -> None:
    """What a ParamSweeper that failed leaves behind."""
    (tmp_path / "sweeps").write_bytes(b"")
    _refused(tmp_path, "empty file 'sweeps'", "save_sweeps=True")


@pytest.mark.parametrize("cut", [1, 10, 50])
def test_truncated_sweeps(tmp_path: Path, cut: int) -> None:
    """Half a set is none."""
    make_sweep(tmp_path, INTS)
    (tmp_path / "sweeps").write_bytes((tmp_path / "sweeps").read_bytes()[:-cut])
    _refused(tmp_path, str(tmp_path / "sweeps"), "damaged", "Nothing was changed")


@pytest.mark.parametrize("value", [7, "text", None])
def test_sweeps_of_something_else(tmp_path: Path, value: object) -> None:
    """One value is no collection of params."""
    make_sweep(tmp_path, value)
    _refused(tmp_path, type(value).__name__, "collection of params")


@pytest.mark.parametrize("value", [list(range(5)), range(5), (0, 1, 2, 3, 4), dict.fromkeys(range(5))])
def test_any_collection_will_do(tmp_path: Path, value: object) -> None:
    """Users pickle lists too."""
    engine = opened(make_sweep(tmp_path, value))
    assert sorted(delivery.param for delivery in engine.receive(9, 0.0)) == [0, 1, 2, 3, 4]


def test_unhashable_params(tmp_path: Path) -> None:
    """The error names what to make of mappings."""
    make_sweep(tmp_path, [{"arg1": 1}])
    _refused(tmp_path, "hashable", "HashableDict")


def test_class_that_is_not_here(tmp_path: Path) -> None:
    """A missing module is no damage."""
    (tmp_path / "sweeps").write_bytes(b"\x80\x04\x8c\x0bno_such_mod\x94\x8c\x05Param\x94\x93\x94)\x81\x94.")
    _refused(tmp_path, "no_such_mod", "PYTHONPATH")
    (tmp_path / "sweeps").write_bytes(b"\x80\x04\x8c\x04json\x94\x8c\x05Param\x94\x93\x94)\x81\x94.")
    _refused(tmp_path, "Param", "cannot be found")


def test_empty_queue_ends_at_once(tmp_path: Path) -> None:
    """No params, nothing to do."""
    engine = opened(make_sweep(tmp_path, set()))
    with pytest.raises(EndOfQueue):
        engine.receive(1, 0.0)


def test_damaged_done(tmp_path: Path) -> None:
    """In the middle or at the end: file, byte and number of good entries are named."""
    make_sweep(tmp_path, INTS)
    good = b"".join(pickle.dumps(n) for n in range(3))
    for bad in (b"garbage", b"\x00" * 10, b"\x80\x04\xff." + good, b"\x80\x04\x8c\xff" + good):
        (tmp_path / "done").write_bytes(good + bad)
        _refused(tmp_path, str(tmp_path / "done"), "after 3 good entries", f"byte {len(good)}", "truncate -s")


def test_damaged_while_running(tmp_path: Path) -> None:
    """It is refused as soon as it is seen, and the ack is not written."""
    engine = opened(make_sweep(tmp_path, INTS))
    taken = engine.receive(2, 0.0)
    with (tmp_path / "done").open("ab") as file:
        file.write(b"garbage")
    with pytest.raises(EngineError, match="after 0 good entries"):
        engine.ack(taken)
    assert (tmp_path / "done").read_bytes() == b"garbage"


def test_torn_record_is_cut(tmp_path: Path) -> None:
    """The beginning of a record of a param in progress: a killed minion left it."""
    params = {HashableDict(arg1=n, arg2="a" * 20) for n in range(3)}
    make_sweep(tmp_path, params)
    first = opened(tmp_path)
    done, torn, _ = first.receive(3, 0.0)
    first.ack([done])
    good = (tmp_path / "done").read_bytes()
    first.ack([torn])
    whole = (tmp_path / "done").read_bytes()
    # As if it had been killed while writing the second record.
    second = opened(make_sweep(tmp_path / "copy", params), "m2")
    assert len(second.receive(3, 0.0)) == 3
    for length in (len(good) + 1, len(good) + 20, len(whole) - 1):
        (tmp_path / "copy" / "done").write_bytes(whole[:length])
        third = opened(tmp_path / "copy", "m3")
        assert (tmp_path / "copy" / "done").read_bytes() == good
        assert third.backlog().done == 1
        third.close()


def test_torn_record_of_somebody_else_is_refused(tmp_path: Path) -> None:
    """Nobody can say what was lost."""
    make_sweep(tmp_path, INTS)
    (tmp_path / "done").write_bytes(pickle.dumps(0) + pickle.dumps("something long")[:-3])
    _refused(tmp_path, "after 1 good entries")


def test_damaged_inprogress(tmp_path: Path) -> None:
    """The error says what removing it means."""
    make_sweep(tmp_path, INTS)
    for bad in (b"garbage", pickle.dumps({1, 2, 3})[:-2], pickle.dumps([1]), b"\0" * 100):
        (tmp_path / "inprogress").write_bytes(bad)
        _refused(tmp_path, str(tmp_path / "inprogress"), "Nothing was changed", "remove this file")


@pytest.mark.parametrize("empty", [True, False])
def test_empty_or_missing_inprogress(tmp_path: Path, empty: bool) -> None:
    """What a ParamSweeper leaves that dies while writing, or a user who resets."""
    make_sweep(tmp_path, {1, 2})
    if empty:
        (tmp_path / "inprogress").write_bytes(b"")
    assert len(opened(tmp_path).receive(5, 0.0)) == 2


def _torn(folder: Path) -> tuple[bytes, bytes]:
    """Make a long ``inprogress`` that was torn after a page, with its copy; return before and after."""
    make_sweep(folder, {f"param {n} of a long sweep" for n in range(1000)})
    engine = opened(folder)
    engine.receive(300, 0.0)
    before = (folder / "inprogress").read_bytes()
    engine.receive(300, 0.0)
    after = (folder / "inprogress").read_bytes()
    assert len(after) > len(before) > 8192
    (folder / "inprogress").write_bytes(after[:4096] + before[4096:])
    return before, after


def test_torn_inprogress_is_repaired(tmp_path: Path) -> None:
    """The copy in the side-car has the whole of it."""
    _, after = _torn(tmp_path)
    (tmp_path / "minionize" / "inprogress.ahead").write_bytes(after)
    other = opened(tmp_path, "m2")
    assert (tmp_path / "inprogress").read_bytes() == after
    assert other.backlog().in_flight == 600
    assert not (tmp_path / "minionize" / "inprogress.ahead").exists() or other.receive(1, 0.0)


def test_copy_of_something_else_is_not_taken(tmp_path: Path) -> None:
    """An old copy does not repair what ParamSweeper left."""
    before, after = _torn(tmp_path)
    (tmp_path / "minionize" / "inprogress.ahead").write_bytes(before[:100] + b"x" + after[101:])
    _refused(tmp_path, str(tmp_path / "inprogress"))


def test_no_copy_is_left(tmp_path: Path) -> None:
    """After a write that went well there is none."""
    _torn(tmp_path)
    assert not (tmp_path / "minionize" / "inprogress.ahead").exists()
