"""What the page of minionize 0.3.4 shows, typed as it stands there."""

from __future__ import annotations

import os
import shlex
import sys
from subprocess import CompletedProcess

import pytest

from tests.acceptance.running import MINIONIZE, Place

pytestmark = pytest.mark.acceptance

FILL = """\
python -c "from execo_engine.sweep import ParamSweeper; ParamSweeper('sweeps', sweeps=range(10), save_sweeps=True)"
"""
OAR = """\
#!/usr/bin/env bash

#OAR -n kpd
#OAR -l nodes=1,walltime=1:0:0
#OAR -t besteffort
#OAR -t idempotent

# oarsub --array 10 -S ./oar.sh

set -eux

minionize echo "hello from $OAR_JOB_ID"
"""
PROCESS = """\
from minionize import ProcessCallback, minionizer
from minionize.task import Param

class MyProcessCallBack(ProcessCallback):
    def to_cmd({arguments}):
        return f"a.out --arg1 {{param['arg1']}} {{param['arg2']}}"

m = minionizer(MyProcessCallBack())
m.run()
"""
FUNCTION = """\
from minionize import FuncCallback, minionizer
from minionize.task import Param

def myfunc(arg1, arg2):
    print("called", arg1, arg2)

def _myfunc(param: Param):
    # this is the wrapper which invokes myfunc based on the params
    return myfunc(param["arg1"], param["arg2"])

m = minionizer(FuncCallback(_myfunc))
m.run()
"""
MAPPINGS = "[HashableDict({'arg1': n, 'arg2': 'v%d' % n}) for n in range(6)]"


def shell(place: Place, line: str, **environ: str) -> CompletedProcess[bytes]:
    """Type a line into a shell that finds python, minionize and a.out."""
    folder = place.folder / "bin"
    folder.mkdir(exist_ok=True)
    for name, words in (("python", (sys.executable,)), ("minionize", MINIONIZE)):
        place.script(f"bin/{name}", f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
    place.script("bin/a.out", '#!/bin/sh\necho "a.out $# $*"\n')
    return place.run_program("bash", "-c", line, PATH=f"{folder}:{os.environ['PATH']}", **environ)


def test_simplest_use_case(place: Place) -> None:
    assert shell(place, FILL).returncode == 0
    done = shell(place, "MINION_ENGINE=execo minionize echo hello")
    assert (done.returncode, sorted(done.stdout.splitlines())) == (0, [b"hello %d" % n for n in range(10)])


def test_record_some_stats(place: Place) -> None:
    assert shell(place, FILL.replace("range(10)", "(0.01, 0.02, 0.03)")).returncode == 0
    done = shell(place, "MINION_ENGINE=execo MINION_REPORTER=json minionize sleep")
    assert (done.returncode, done.stdout) == (0, b"")
    records = place.records("minion-report")
    assert sorted(record["param"] for record in records) == [0.01, 0.02, 0.03]
    assert all(record["duration"] >= record["param"] for record in records)


def test_oar_cluster(place: Place) -> None:
    assert shell(place, FILL.replace("range(10)", "range(100)")).returncode == 0
    shell(place, 'echo "MINION_ENGINE=execo" > .env')
    place.script("oar.sh", OAR)
    done = shell(place, "OAR_JOB_ID=1 ./oar.sh > OAR.1.stdout & OAR_JOB_ID=2 ./oar.sh > OAR.2.stdout; wait $!")
    assert done.returncode == 0, done.stderr.decode()
    said = [line.split() for job in (1, 2) for line in place.lines(f"OAR.{job}.stdout")]
    assert sorted(int(words[3]) for words in said) == list(range(100))
    assert all(words[:2] == ["hello", "from"] and words[2] in "12" for words in said)


@pytest.mark.parametrize("arguments", ["self, param", "param: Param"])
def test_process_callback(place: Place, arguments: str) -> None:
    place.sweep(MAPPINGS)
    place.script("callback.py", PROCESS.format(arguments=arguments))
    done = shell(place, "python callback.py", MINION_ENGINE="execo")
    assert done.returncode == 0, done.stderr.decode()
    assert sorted(done.stdout.decode().splitlines()) == [f"a.out 3 --arg1 {n} v{n}" for n in range(6)]


@pytest.mark.parametrize("slots", ["1", "2"])
def test_func_callback(place: Place, slots: str) -> None:
    place.sweep(MAPPINGS)
    place.script("callback.py", FUNCTION)
    done = shell(place, "python callback.py", MINION_ENGINE="execo", MINION_SLOTS=slots)
    assert done.returncode == 0, done.stderr.decode()
    assert sorted(done.stdout.decode().splitlines()) == [f"called {n} v{n}" for n in range(6)]


def test_file_engine_and_json_directory(place: Place) -> None:
    place.script("params", '{"a": 1}\n[2, 3]\n"four"\n')
    line = "MINION_ENGINE=file FILE_PATH=params FILE_DECODER=json MINION_REPORTER=json REPORTER_JSON_DIRECTORY=r/s"
    done = shell(place, f"{line} minionize echo")
    assert (done.returncode, done.stdout) == (0, b'{"a":1}\n2 3\nfour\n'), done.stderr
    assert [record["param"] for record in place.records("r/s")] == [{"a": 1}, [2, 3], "four"]
    assert not (place.folder / "minion-report").exists()


def test_dry(place: Place) -> None:
    assert shell(place, FILL).returncode == 0
    done = shell(place, "MINION_ENGINE=execo DRY=1 minionize touch file{}")
    assert sorted(done.stdout.decode().splitlines()) == [f"touch file{n}" for n in range(10)]
    assert not list(place.folder.glob("file*"))
    assert place.sweeper("len(s.get_remaining())") == "10"


def test_stdout_reporter(place: Place) -> None:
    done = shell(place, "seq 2 | MINION_ENGINE=file MINION_REPORTER=stdout minionize true")
    assert done.returncode == 0
    lines = done.stdout.decode().splitlines()
    assert len(lines) == 2
    assert all("succeeded" in line or "ack" in line for line in lines)
