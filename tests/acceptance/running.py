"""Starts minions as real processes, in a directory of their own, and makes sweeps as a user would."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, TypeVar

from minionize.guardian import kill_marked, marked
from minionize.records import read_records

ROOT = Path(__file__).resolve().parents[2]
MINIONIZE = (sys.executable, "-m", "minionize")
_OURS = (
    "MINION", "FILE_", "EXECO_", "GOOGLE_", "PUBSUB_", "PULSAR_", "REDIS_", "RABBITMQ_", "KAFKA_",
    "REPORTER_", "DRY", "OAR_", "XDG_STATE", "PYTHONDONTWRITE",
)  # fmt: skip
_MARK = "MINIONIZE_TEST_PLACE"
T = TypeVar("T")

PATIENCE = 60.0
"""Seconds until what a test waits for must be there, on a machine that has much else to do."""


def until(condition: Callable[[], T], seconds: float = PATIENCE, what: str = "", every: float = 0.005) -> T:
    """Wait until something holds, asked every so many seconds; return it. A bounded poll: the machine may be busy."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what or condition}"
        time.sleep(every)
    return found


def alive(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


class Minion:
    """A running process, its output in files: no pipe of ours can make it wait."""

    def __init__(self, process: subprocess.Popen[bytes], stem: Path) -> None:
        self.process, self._stem = process, stem
        self.pid = process.pid

    @property
    def out(self) -> str:
        return self._stem.with_suffix(".out").read_text(errors="surrogateescape")

    @property
    def err(self) -> str:
        return self._stem.with_suffix(".err").read_text(errors="surrogateescape")

    @property
    def stdin(self) -> IO[bytes]:
        """The end of its pipe that is written to, unbuffered."""
        assert self.process.stdin is not None
        return self.process.stdin

    def send(self, number: int) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL, and wait for the end."""
        self.process.kill()
        self.process.wait(PATIENCE)

    def wait(self, seconds: float = PATIENCE) -> int:
        """Wait for the end; return the exit code."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"minion still runs after {seconds:g} s; it said: {self.err}") from None


class Place:
    """A directory with a sweep, minions and what they leave."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.minions: list[Minion] = []

    def environ(self, **more: str) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
        state = str(self.folder / "state")
        return {**clean, "PYTHONPATH": str(ROOT), "XDG_STATE_HOME": state, _MARK: str(self.folder), **more}

    def start(self, *words: str | bytes, stdin: Any = subprocess.DEVNULL, **environ: str) -> Minion:
        """Start ``minionize WORDS``."""
        return self.start_program(*MINIONIZE, *words, stdin=stdin, **environ)

    def start_program(self, *argv: str | bytes, stdin: Any = subprocess.DEVNULL, **environ: str) -> Minion:
        stem = self.folder / f"minion-{len(self.minions)}"
        with stem.with_suffix(".out").open("wb") as out, stem.with_suffix(".err").open("wb") as err:
            process = subprocess.Popen(
                argv, cwd=self.folder, env=self.environ(**environ), stdin=stdin, stdout=out, stderr=err, bufsize=0
            )
        self.minions.append(Minion(process, stem))
        return self.minions[-1]

    def run(
        self, *words: str | bytes, params: Any = None, out: Any = subprocess.PIPE, **environ: str
    ) -> subprocess.CompletedProcess[bytes]:
        """Run ``minionize WORDS`` to its end; ``params`` come through a pipe."""
        return self.run_program(*MINIONIZE, *words, params=params, out=out, **environ)

    def run_program(
        self, *argv: str | bytes, params: Any = None, out: Any = subprocess.PIPE, **environ: str
    ) -> subprocess.CompletedProcess[bytes]:
        source: dict[str, Any] = {"stdin": subprocess.DEVNULL} if params is None else {"input": params}
        done = subprocess.run(
            argv,
            cwd=self.folder,
            env=self.environ(**environ),
            stdout=out,
            stderr=subprocess.PIPE,
            timeout=120,
            **source,
        )
        assert b"Traceback" not in done.stderr, done.stderr.decode()
        return done

    def sweep(self, params: str, name: str = "sweeps") -> Path:
        """Make a sweep directory, as on the page: ``params`` is a Python expression."""
        line = f"ParamSweeper({name!r}, sweeps={params}, save_sweeps=True)"
        self.python(f"from execo_engine.sweep import ParamSweeper, HashableDict; {line}")
        return self.folder / name

    def python(self, script: str) -> str:
        """Run a script of the user's; return what it prints. What execo itself leaves running is not ours."""
        done = self.run_program(sys.executable, "-c", script, **{_MARK: ""})
        assert done.returncode == 0, done.stderr.decode()
        out: str = done.stdout.decode()
        return out

    def sweeper(self, expression: str, name: str = "sweeps") -> str:
        """Ask a plain ParamSweeper ``s`` something."""
        return self.python(
            f"from execo_engine.sweep import ParamSweeper; s = ParamSweeper({name!r}); s.full_update(); "
            f"print({expression})"
        ).strip()

    def why(self, **environ: str) -> str:
        done = self.run("--why", **environ)
        return (done.stdout or done.stderr).decode().strip()

    def records(self, name: str = "minion-report") -> list[dict[str, Any]]:
        """The records of all minions, or of the files that begin so."""
        place = self.folder / name
        files: Sequence[Path] = [place] if place.is_dir() else sorted(self.folder.glob(f"{name}*"))
        return [record for file in files for record in read_records(file)]

    def lines(self, name: str) -> list[str]:
        """The lines of a file that runs append to; none if it is not there yet."""
        with suppress(FileNotFoundError):
            return (self.folder / name).read_text().splitlines()
        return []

    def charged(self, name: str = "sweeps") -> int:
        """How many runs the leases of a sweep directory say have begun: these count if their minion dies."""
        side, ids = self.folder / name / "minionize", set()
        for lease in (side / "leases").glob("*.json"):
            with suppress(OSError):
                ids |= set(json.loads(lease.read_text())["started"].split())
                ids |= set((side / "started" / lease.stem).read_text().split())
        return len(ids)

    def script(self, name: str, text: str) -> str:
        """Write an executable; return its path."""
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o755)
        return str(path)

    def processes(self) -> list[int]:
        """All processes that were started here and live, the guardians excepted: these have no environment."""
        return [pid for pid in marked(_MARK, str(self.folder)) if alive(pid)]

    def close(self) -> None:
        for minion in self.minions:
            if minion.process.poll() is None:
                with suppress(ProcessLookupError):
                    minion.process.send_signal(signal.SIGCONT)
                minion.kill()
        kill_marked(_MARK, str(self.folder))


@contextmanager
def opened(folder: Path) -> Iterator[Place]:
    """A place that leaves no process behind."""
    place = Place(folder)
    try:
        yield place
    finally:
        place.close()
