"""The engine fails: what can be retried is, and no run is repeated for it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from minionize.engines.memory import MemoryQueue
from minionize.errors import EngineError, NotConnected, NotNow
from minionize.worker import pump as pump_module
from minionize.worker.pump import Pump
from tests.worker.faulty import Faulty, times
from tests.worker.running import adds_up, make, run, running, shell, until, words


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pump_module, "START_PATIENCE", 0.3)
    monkeypatch.setattr(pump_module, "STOP_PATIENCE", 0.3)


@pytest.mark.parametrize("method", ["ack", "receive", "nack", "dead_letter"])
def test_a_lost_connection_is_made_anew_and_no_run_repeated(
    method: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "log"
    engine = Faulty([0, 1, 75], times(2, method, NotConnected("the queue is away")))
    ran = run(
        shell(f'echo run >> {log}; [ "$MINION_ATTEMPT" = 2 ] && exit 0; exit $1'),
        engine=engine,
        retries=1,
        retry_delay=0.0,
        exit_dead="1",
    )
    assert (ran.code, ran.left) == (1, (2, 1, 0, 0))
    assert log.read_text().count("run") == 4
    assert adds_up(ran.minion.stats.snapshot())
    err = capfd.readouterr().err
    assert err.count("the queue is away; trying again") >= 1
    assert "is back" in err
    assert engine.calls.count("open") > 1


@pytest.mark.parametrize("method", ["nack", "dead_letter"])
def test_a_queue_that_takes_nothing_in_keeps_its_connection(method: str, capfd: pytest.CaptureFixture[str]) -> None:
    engine = Faulty([1, 75], times(2, method, NotNow("the queue is full")))
    ran = run(
        shell('[ "$MINION_ATTEMPT" = 2 ] && exit 0; exit $1'), engine=engine, retries=1, retry_delay=0.0, exit_dead="1"
    )
    assert (ran.code, ran.left) == (1, (1, 1, 0, 0))
    assert adds_up(ran.minion.stats.snapshot())
    assert "the queue is full; trying again" in capfd.readouterr().err
    assert engine.calls.count("open") == engine.calls.count("close") == 1


def test_a_queue_that_is_full_and_then_away(capfd: pytest.CaptureFixture[str]) -> None:
    faults = iter([NotNow("the queue is full"), NotConnected("the queue is away"), None])

    def fault(name: str) -> None:
        if name == "dead_letter" and (error := next(faults)):
            raise error

    engine = Faulty([1], fault)
    assert run(words("false"), engine=engine).left == (0, 1, 0, 0)
    assert engine.calls.count("open") == 2


def test_a_queue_that_is_away_at_the_start_is_waited_for() -> None:
    engine = Faulty(["p"], times(2, "open", NotConnected("not yet")))
    ran = run(words("true"), engine=engine)
    assert (ran.code, ran.left) == (0, (1, 0, 0, 0))


@pytest.mark.usefixtures("impatient")
def test_the_wait_at_the_start_is_bounded() -> None:
    engine = Faulty(["p"], times(10**6, "open", NotConnected("never")))
    with pytest.raises(NotConnected, match="never"):
        run(words("true"), engine=engine)
    assert engine.calls[-1] == "close"


def test_a_stop_ends_the_wait_at_the_start() -> None:
    engine = Faulty(["p"], times(10**6, "open", NotConnected("never")))
    minion, _ = make(words("true"), engine)
    with running(minion) as ends:
        assert minion.loop is not None
        until(lambda: "open" in engine.calls)
        minion.loop.stop(15)
        until(lambda: ends, 8.0)
    assert ends == [128 + 15]


def test_an_engine_error_at_the_start_is_raised() -> None:
    with pytest.raises(EngineError, match="no such queue"):
        run(words("true"), engine=Faulty(["p"], times(1, "open", EngineError("no such queue"))))


@pytest.mark.parametrize("method", ["receive", "ack", "extend"])
@pytest.mark.parametrize(
    "error", [EngineError("it is gone"), ZeroDivisionError("it is gone"), SystemExit("it is gone")]
)
def test_an_engine_that_breaks_ends_the_minion(method: str, error: BaseException, tmp_path: Path) -> None:
    armed = threading.Event()

    def fault(name: str) -> None:
        if name == method and armed.is_set():
            raise error

    engine = Faulty(range(50), fault, lease=0.3)
    # Those behind it take some time, or many would have begun where the engine thread has to wait for a processor.
    script = f"[ $1 = 5 ] && {{ touch {tmp_path}/five; exec sleep 10; }}; [ $1 -lt 5 ] || exec sleep 0.1"
    minion, kept = make(shell(script), engine, grace=0.1)
    with running(minion) as ends:
        until((tmp_path / "five").exists)
        armed.set()
        if method != "extend":
            assert minion.loop is not None
            minion.loop.resize(2)
        until(lambda: ends, 8.0)
    (end,) = ends
    assert isinstance(end, EngineError)
    assert "it is gone" in str(end)
    assert end.exit_code == 3
    assert isinstance(error, EngineError) or end.__cause__ is error
    assert adds_up(minion.stats.snapshot())
    five = [record for record in kept.records if record.task.param == 5]
    assert [record.outcome.kind for record in five] == ["preempted"]
    if method != "ack":
        assert max(int(record.task.param) for record in kept.records) < 12, "what is at hand is not begun any more"


@pytest.mark.usefixtures("impatient")
def test_what_cannot_be_settled_at_a_stop_is_said() -> None:
    engine = Faulty(["p"], times(10**6, "ack", NotConnected("the queue is away")))
    minion, _ = make(words("true"), engine)
    with running(minion) as ends:
        until(lambda: engine.calls.count("ack") > 1)
        assert minion.loop is not None
        minion.loop.stop(15)
        until(lambda: ends)
    assert str(ends[0]) == "the queue is away"
    assert engine.queue.backlog().in_flight == 1
    assert adds_up(minion.stats.snapshot())


def test_a_stop_waits_for_no_queue_where_nothing_is_to_be_settled() -> None:
    engine = Faulty(["p"], times(10**6, "receive", NotConnected("the queue is away")))
    minion, _ = make(words("true"), engine)
    with running(minion) as ends:
        until(lambda: engine.calls.count("receive") > 0)
        assert minion.loop is not None
        minion.loop.stop(15)
        until(lambda: ends, 8.0)
    assert ends == [128 + 15]


@pytest.mark.usefixtures("impatient")
def test_an_engine_that_hangs_does_not_hold_a_minion_told_twice_to_leave() -> None:
    hang = threading.Event()

    def fault(name: str) -> None:
        if name == "ack":
            hang.wait(20)

    engine = Faulty(["p"], fault)
    minion, _ = make(words("true"), engine)
    try:
        with running(minion) as ends:
            loop = minion.loop
            assert loop is not None
            until(lambda: "ack" in engine.calls)
            loop.stop(15)
            loop.stop(15)
            until(lambda: ends)
        assert isinstance(ends[0], NotConnected)
        assert "does not answer" in str(ends[0])
    finally:
        hang.set()


def test_an_engine_that_cannot_close_is_only_named(capfd: pytest.CaptureFixture[str]) -> None:
    ran = run(words("true"), engine=Faulty(["p"], times(1, "close", OSError("no close"))))
    assert ran.code == 0
    assert "did not close: no close" in capfd.readouterr().err


def test_it_lingers_from_the_end_of_the_last_run() -> None:
    """The time of a long run is no time in which the queue was empty."""
    queue = MemoryQueue(["p"])
    other = Faulty(queue)
    other.open()
    (held,) = other.receive(1, 0.0)
    queue.put(["mine"])
    minion, _ = make(shell("sleep 1.1"), Faulty(queue), exit_when_empty=1.0)
    with running(minion) as ends:
        until(lambda: minion.stats.snapshot()["succeeded"] == 1)
        other.nack([held])
        queue.put(["late"])
        until(lambda: queue.backlog().done == 3 or ends)
    assert queue.backlog().done == 3


@pytest.mark.parametrize(("method", "longest"), [("ack", 1.0), ("open", 30.0)])
def test_a_queue_that_is_reached_is_tried_soon_again(
    method: str, longest: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Minions of a Kafka group settle only while all of them listen: in long pauses they would miss each other."""
    pauses: list[float] = []
    monkeypatch.setattr(Pump, "_sleep", lambda _self, seconds: pauses.append(seconds))
    left = 12

    def fault(name: str) -> None:
        nonlocal left
        # The first opening is the start; it is away from the first ack on.
        if left and (name == "ack" or (name == method and left < 12)):
            left -= 1
            raise NotConnected("the queue is away")

    ran = run(words("true"), ["p"], engine=Faulty(["p"], fault))
    assert (ran.code, ran.left) == (0, (1, 0, 0, 0))
    assert longest / 2 <= max(pauses) <= 1.5 * longest
