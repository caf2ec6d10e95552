"""The reporter contract as a test suite."""

from __future__ import annotations

import json
import os
import resource
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest

from minionize.errors import ReporterError
from minionize.records import read_records
from minionize.reporter import Reporter
from minionize.task import RECORD_FIELDS, Outcome, OutcomeKind, Param, Record, Task

__all__ = ["ReporterContract", "full_disk", "make_record"]

AWKWARD: tuple[Any, ...] = (
    "text",
    "",
    "two\nlines\r\n",
    "\x1b[31mred\x07\x00\x7f",
    "odd bytes \udcff",
    "\u00fc \U0001f600 \u2028",
    'quotes "and", commas; \\',
    "x" * 300_000,
    {"arg1": 1, "nested": {"list": [1, [2, None]]}},
    [1, 2.5, True, None, "a"],
    7,
    None,
    float("nan"),
    [float("inf"), -float("inf")],
    {1: "a", (1, 2): "b"},
    {"a set"},
    b"bytes \xff",
    10**5000,
)


def make_record(id: str = "1", param: Param = "p", *, result: Any = None, minion: str = "m", **changes: Any) -> Record:
    """Make a record with a value in every field; ``changes`` are those of the outcome."""
    outcome: dict[str, Any] = {
        "kind": OutcomeKind.FAILED,
        "started": 1000.0,
        "ended": 1001.5,
        "exit_code": 3,
        "reason": "exit code 3",
        "result": result,
        "pid": 42,
        "stdout": "out\n",
        "stderr": "err\n",
        "stdout_bytes": 4,
        "stderr_bytes": 4,
    }
    task = Task(param=param, id=id, attempt=1, redelivered=False, slot=1, seq=1, minion=minion)
    return Record(task, Outcome(**{**outcome, **changes}), "dead", "host")


@contextmanager
def full_disk(*paths: Path, left: int = 20) -> Iterator[None]:
    """Let no file of this process grow more than ``left`` bytes beyond the largest of ``paths``."""
    with room(max((path.stat().st_size for path in paths if path.exists()), default=0) + left):
        yield


@contextmanager
def room(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


class ReporterContract(ABC):
    """Every rule that a reporter must keep. Subclass it as ``Test...``.

    Attributes:
        keeps: Records can be read back; False for a reporter that keeps nothing.
        lines: What is written is JSON Lines, strict and safe on a terminal.
    """

    keeps: ClassVar[bool] = True
    lines: ClassVar[bool] = True

    @abstractmethod
    def make_reporter(self) -> Reporter:
        """Make a NEW reporter, not opened, on the SAME place at each call."""

    def make_hopeless(self) -> Reporter:
        """Make a reporter whose place cannot be written, which ``open`` must find out."""
        raise NotImplementedError

    def files(self) -> list[Path]:
        """Return the files that hold the records; none where they do not go to files."""
        return []

    def records(self) -> list[dict[str, Any]]:
        """Read back all records, in order."""
        return [record for path in self.files() for record in read_records(path)]

    def raw(self) -> bytes:
        """Return all bytes that were written."""
        return b"".join(path.read_bytes() for path in self.files())

    def full(self) -> AbstractContextManager[None]:
        """Let writing fail for a while, in the middle of a record."""
        return full_disk(*self.files())

    # The moves.

    @pytest.fixture(autouse=True)
    def _reporters_are_closed(self) -> Iterator[None]:
        yield
        self.close_all()

    def close_all(self) -> None:
        """Close every reporter of this case."""
        for reporter in self.__dict__.pop("made", []):
            reporter.close()

    def fresh(self, minion: str = "") -> Reporter:
        """Make a reporter that will be closed at the end of the case, for a minion of its own or the one named."""
        made: list[Reporter] = self.__dict__.setdefault("made", [])
        reporter = self.make_reporter()
        reporter.minion = minion or f"minion-{len(made) + 1}"
        made.append(reporter)
        return reporter

    def opened(self, minion: str = "") -> Reporter:
        """Make a reporter and open it."""
        reporter = self.fresh(minion)
        reporter.open()
        return reporter

    def need_kept(self) -> None:
        """Skip the case where nothing is kept."""
        if not self.keeps:
            pytest.skip("the reporter keeps nothing")

    def ids(self) -> list[str]:
        """Return the ids of the records kept."""
        return [str(record["id"]) for record in self.records()]

    # The rules.

    def test_each_report_is_one_record(self) -> None:
        """As many records as reports, in their order, each there as soon as ``report`` returns."""
        self.need_kept()
        reporter = self.opened()
        for number in range(1, 6):
            reporter.report(make_record(f"id{number}"))
            assert self.ids() == [f"id{each}" for each in range(1, number + 1)]

    def test_a_record_has_all_fields(self) -> None:
        """Exactly the names of RECORD_FIELDS, with their values."""
        self.need_kept()
        record = make_record("id", {"arg1": 1}, result={"loss": 0.5})
        self.opened().report(record)
        (kept,) = self.records()
        assert tuple(kept) == RECORD_FIELDS
        assert kept == record.fields()

    def test_every_outcome_is_told(self) -> None:
        """All kinds of outcome, and fields without a value."""
        self.need_kept()
        reporter = self.opened()
        empty: dict[str, Any] = {"exit_code": None, "reason": None, "pid": None, "stdout": None, "stderr": None}
        for kind in OutcomeKind:
            reporter.report(make_record(kind.value, kind=kind, **empty))
        kept = self.records()
        assert [record["outcome"] for record in kept] == [kind.value for kind in OutcomeKind]
        assert {record["exit_code"] for record in kept} == {None}

    def test_any_value_makes_one_record(self) -> None:
        """Whatever param or result there is: nothing raises, and every record can be read."""
        reporter = self.opened()
        for number, value in enumerate(AWKWARD):
            reporter.report(make_record(f"id{number}", value, result=value))
        if self.keeps:
            assert self.ids() == [f"id{number}" for number in range(len(AWKWARD))]

    def test_what_json_can_say_is_kept(self) -> None:
        """Texts of any kind and JSON values come back as they were."""
        self.need_kept()
        reporter = self.opened()
        exact = AWKWARD[:12]
        for value in exact:
            reporter.report(make_record(param=value, result=value))
        kept = self.records()
        assert [record["param"] for record in kept] == list(exact)
        assert [record["result"] for record in kept] == list(exact)

    def test_lines_are_strict_and_safe(self) -> None:
        """Each line is strict JSON, without NaN and without a control character for the terminal."""
        if not self.lines:
            pytest.skip("the reporter writes no JSON Lines")
        reporter = self.opened()
        for value in AWKWARD:
            reporter.report(make_record(param=value, result=value))
        raw = self.raw()
        assert raw.endswith(b"\n")
        assert set(raw) - {10} <= set(range(32, 128)), "ASCII only"
        for line in raw.splitlines():
            json.loads(line, parse_constant=_refuse)

    def test_records_are_added(self) -> None:
        """A second reporter of the same minion, after the first was closed, adds to what is there."""
        self.need_kept()
        for id in ("first", "second"):
            reporter = self.opened("same")
            reporter.report(make_record(id))
            reporter.close()
        assert sorted(self.ids()) == ["first", "second"]

    def test_minions_do_not_mix(self) -> None:
        """Several minions report to the same place at once, and nothing is lost or torn."""
        self.need_kept()
        one, two = self.opened(), self.opened()
        for number in range(10):
            one.report(make_record(f"one{number}"))
            two.report(make_record(f"two{number}"))
        assert sorted(self.ids()) == sorted([f"{name}{number}" for number in range(10) for name in ("one", "two")])

    def test_what_was_written_is_not_touched(self) -> None:
        """Each record only adds: files grow at their end, and none goes away."""
        reporter = self.opened()
        before: dict[Path, bytes] = {}
        for number in range(5):
            reporter.report(make_record(f"id{number}"))
            now = {path: path.read_bytes() for path in self.files()}
            assert all(now.get(path, b"").startswith(content) for path, content in before.items())
            before = now

    def test_a_record_costs_the_same_at_any_time(self) -> None:
        """The bytes written for a record do not grow with the number of records before it."""
        reporter = self.opened()
        costs = []
        for _ in range(4):
            begin = _bytes_moved()
            for number in range(50):
                reporter.report(make_record(f"id{number:04}"))
            costs.append(_bytes_moved() - begin)
        assert costs[-1] < 2 * costs[0] + 5_000

    def test_a_failure_is_a_reporter_error(self) -> None:
        """What cannot be written raises ReporterError; earlier and later records stay readable."""
        self.need_kept()
        reporter = self.opened()
        reporter.report(make_record("before"))
        with self.full():
            for _ in range(3):
                with pytest.raises(ReporterError):
                    reporter.report(make_record("lost"))
            assert self.ids() == ["before"]
        reporter.report(make_record("after"))
        assert self.ids() == ["before", "after"]

    def test_a_torn_record_harms_no_other(self) -> None:
        """A file whose last record was torn by a crash is gone on with, and only that record is missing."""
        self.need_kept()
        first = self.opened("same")
        first.report(make_record("before"))
        first.report(make_record("torn", "a, b \n c"))
        first.close()
        for path in self.files():
            content = path.read_bytes()
            path.write_bytes(content[: content.rindex(b"torn") + 9])
        if not self.files():
            pytest.skip("the reporter writes no files")
        second = self.opened("same")
        second.report(make_record("after"))
        assert [id for id in self.ids() if id != "torn"] == ["before", "after"]

    def test_a_hopeless_place_is_found_at_the_start(self) -> None:
        """``open`` raises ReporterError with a message where nothing could be written."""
        self.need_kept()
        reporter = self.make_hopeless()
        with pytest.raises(ReporterError, match=r"\w+ \w+"):
            reporter.open()
        reporter.close()

    def test_close_is_idempotent(self) -> None:
        """``close`` may come twice, and without ``open``; it leaves no descriptor open."""
        never = self.fresh()
        never.close()
        count = len(os.listdir("/proc/self/fd"))
        reporter = self.opened()
        reporter.report(make_record())
        reporter.close()
        reporter.close()
        assert len(os.listdir("/proc/self/fd")) == count

    def test_an_unknown_setting_is_refused(self) -> None:
        """A misspelt setting is an error that names it."""
        with pytest.raises(Exception, match="no_such_setting"):
            type(self.fresh())(no_such_setting=1)

    def test_settings_are_declared(self) -> None:
        """The reporter has a name, and each setting its help; all values are in ``config``."""
        reporter = self.fresh()
        assert reporter.name
        assert set(reporter.config) == {setting.key for setting in reporter.settings}
        assert all(setting.help for setting in reporter.settings)


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is not JSON")


def _bytes_moved() -> int:
    """Return how many bytes this process has read and written."""
    words = Path("/proc/self/io").read_text().split()
    return int(words[1]) + int(words[3])
