"""Minions and scripts with a plain ParamSweeper work in one directory at the same time."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from minionize.engine import EndOfQueue
from minionize.sweepdir import HashableDict
from tests.sweepdir.helpers import contents, engine_on, make_sweep, opened
from tests.sweepdir.plain import plain


def test_a_script_made_the_queue(tmp_path: Path) -> None:
    """A minion drains what ParamSweeper wrote, in the order of the set, and a script sees it done."""
    folder = tmp_path / "sweeps"
    with plain(folder, list(range(10))) as script:
        engine = opened(folder)
        taken = engine.receive(4, 0.0)
        assert [delivery.param for delivery in taken] == [0, 1, 2, 3]
        assert script.call("get_next") not in [0, 1, 2, 3]
        engine.ack(taken)
        script.call("update")
        assert script.call("get_done") == [0, 1, 2, 3]


def test_a_minion_made_the_queue(tmp_path: Path) -> None:
    """A script drains what a minion put, and the minion sees the end."""
    folder = tmp_path / "sweeps"
    engine = opened(make_sweep(folder, set()))
    engine.put([{"arg1": n, "arg2": "x"} for n in range(3)])
    with plain(folder) as script:
        got = script.call("get_next_batch", 5)
        assert sorted(each["arg1"] for each in got) == [0, 1, 2]
        assert engine.receive(1, 0.0) == []
        for each in got:
            script.call("done", each)
    with pytest.raises(EndOfQueue):
        engine.receive(1, 0.1)
    backlog = engine.backlog()
    assert (backlog.ready, backlog.in_flight, backlog.done) == (0, 0, 3)


def test_mappings_are_written_as_execo_does(tmp_path: Path) -> None:
    """A mapping's pickle is that of execo's HashableDict, byte for byte, so that nobody can tell who wrote it."""
    folder = tmp_path / "sweeps"
    with plain(folder, {"arg1": [1, 2], "arg2": ["a"]}) as script:
        script.call("done", {"arg1": 1, "arg2": "a"})
        theirs = (folder / "done").read_bytes()
        engine = opened(folder)
        (taken,) = engine.receive(5, 0.0)
        assert taken.param == {"arg1": 2, "arg2": "a"}
        assert isinstance(taken.param, HashableDict)
        engine.ack([taken])
        ours = (folder / "done").read_bytes()[len(theirs) :]
        assert ours == theirs.replace(b"K\x01", b"K\x02")


def test_what_a_script_cancels_comes(tmp_path: Path) -> None:
    """ParamSweeper writes no log, so the minion finds it by the counts."""
    folder = tmp_path / "sweeps"
    with plain(folder, [0, 1]) as script:
        mine = script.call("get_next")
        engine = opened(folder)
        taken = engine.receive(2, 0.0)
        assert len(taken) == 1
        script.call("cancel", mine)
        again = engine.receive(2, 0.5)
        assert [delivery.param for delivery in again] == [mine]
        engine.ack([*taken, *again])
        with pytest.raises(EndOfQueue):
            engine.receive(1, 0.0)


def test_a_dead_param_is_done_for_scripts(tmp_path: Path) -> None:
    """Plain users pass over what was given up."""
    folder = tmp_path / "sweeps"
    with plain(folder, [0, 1]) as script:
        engine = opened(folder)
        taken = engine.receive(1, 0.0)
        engine.dead_letter(taken, "failed", [{"exit_code": 3}])
        assert script.call("get_next_batch", 5) == [1]
        assert script.call("get_done") == [taken[0].param]


def test_requeue_is_seen_by_scripts_started_later(tmp_path: Path) -> None:
    """A running ParamSweeper goes on unharmed; a later one has it to do again; the file keeps its length."""
    folder = tmp_path / "sweeps"
    with plain(folder, list(range(5))) as early:
        engine = opened(folder)
        dead, done, *rest = engine.receive(5, 0.0)
        engine.dead_letter([dead], "failed", [{}])
        engine.ack([done])
        early.call("update")
        size = (folder / "done").stat().st_size
        assert engine.requeue([dead.id]) == 1
        assert (folder / "done").stat().st_size == size
        engine.ack(rest)
        early.call("update")
        assert early.call("get_done") == list(range(5))
        with plain(folder) as late:
            assert late.call("get_remaining") == [dead.param]
            assert late.call("get_done") == sorted([done.param, *[delivery.param for delivery in rest]])
        (again,) = engine.receive(5, 0.0)
        engine.ack([again])
        early.call("full_update")
        assert early.call("get_done") == list(range(5))


def test_execo_is_not_imported(tmp_path: Path) -> None:
    """Importing execo starts a thread and a process and takes the wake-up descriptor of the signals."""
    folder = tmp_path / "sweeps"
    with plain(folder, {"arg1": [1, 2]}):
        pass
    code = (
        "import sys; from minionize.engines.execo import ExecoEngine as Engine;"
        "engine = Engine(persistence_dir=sys.argv[1]); engine.open();"
        "engine.ack(engine.receive(1, 0.0)); engine.put([{'arg1': 3}]); engine.close();"
        "print([name for name in sys.modules if name.startswith('execo')])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_old_directories_work(tmp_path: Path, protocol: int) -> None:
    """Directories of other versions hold pickles of other protocols, and no side-car."""
    folder = make_sweep(tmp_path / "old", set())
    (folder / "sweeps").write_bytes(pickle.dumps(set(range(6)), protocol))
    (folder / "done").write_bytes(pickle.dumps(0, protocol) + pickle.dumps(1, protocol))
    (folder / "inprogress").write_bytes(pickle.dumps({2}, protocol))
    engine = opened(folder)
    assert [delivery.param for delivery in engine.receive(9, 0.0)] == [3, 4, 5]
    assert 2 in pickle.loads((folder / "inprogress").read_bytes())


def test_looking_changes_nothing(tmp_path: Path) -> None:
    """Peek, backlog and the dead list neither write nor make anything."""
    folder = make_sweep(tmp_path / "sweeps", set(range(6)))
    (folder / "done").write_bytes(pickle.dumps(0))
    before = contents(folder)
    engine = engine_on(folder)
    assert list(engine.peek(3)) == [1, 2, 3]
    assert list(engine.peek()) == [1, 2, 3, 4, 5]
    assert engine.backlog().done == 1
    assert list(engine.dead()) == []
    assert contents(folder) == before
    assert sorted(os.listdir(folder)) == ["done", "sweeps"]
