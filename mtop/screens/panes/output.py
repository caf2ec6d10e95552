"""What a run has written until now, as it comes."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.events import Resize

from minionize.stats.wire import OutputWire, TaskWire
from mtop.actions import Action
from mtop.format import duration
from mtop.model.minion import Minion
from mtop.screens.asking import Asking, why_silent
from mtop.screens.lines import Lines
from mtop.screens.panes.inflight import attempt_words, by_age
from mtop.screens.panes.pane import Pane
from mtop.screens.said import Said
from mtop.screens.texts import block, param_words
from mtop.session import Session

__all__ = ["Output"]

_WIDE = 120


class _Stream(Vertical):
    """One of the two streams."""

    DEFAULT_CSS = """
    _Stream { height: 1fr; width: 1fr; }
    _Stream > Said { height: 1; }
    _Stream.-empty { height: 1; }
    _Stream.-empty Lines { display: none; }
    """

    def __init__(self, name: str) -> None:
        super().__init__(id=name)
        self.written: tuple[str | None, str] | None = None

    def compose(self) -> ComposeResult:
        """Make its parts."""
        yield Said()
        yield Lines(follows=True)


class Output(Pane):
    """The end of stdout and stderr of one run.

    Args:
        session: What all screens share.
        tasks: Asks what runs.
    """

    KEYS = (
        Action("next", ("n", "right_square_bracket"), "the next run", "look", "Next"),
        Action("previous", ("p", "left_square_bracket"), "the run before", "look", "Prev"),
    )
    DEFAULT_CSS = """
    Output > .run { height: 1; }
    Output > Container { height: 1fr; layout: vertical; }
    Output.-wide > Container { layout: horizontal; }
    Output.-wide _Stream.-empty { height: 1fr; width: 30; }
    """

    def __init__(self, session: Session, tasks: Asking[list[TaskWire]]) -> None:
        super().__init__(session)
        self._tasks = tasks
        self._run: TaskWire | None = None
        self._asking: Asking[OutputWire] = Asking(self, session, self._told)

    def body(self) -> ComposeResult:
        """Make its parts."""
        yield Said("run")
        with Container():
            yield _Stream("stdout")
            yield _Stream("stderr")

    def on_resize(self, event: Resize) -> None:
        """Put the streams side by side where there is room."""
        self.set_class(event.size.width >= _WIDE, "-wide")

    # Which run.

    def choose(self, id: str) -> None:
        """Show the output of a run."""
        task = next((each for each in self._tasks.answer or () if each["id"] == id), None)
        if task is not None and (self._run is None or self._run["id"] != id):
            self._run = task
            self._asking.drop()
            for name in ("stdout", "stderr"):
                self._write(name, "")
            if self.minion is not None:
                self.look(self.minion)

    def action_next(self) -> None:
        """Go on to the next run."""
        self._step(1)

    def action_previous(self) -> None:
        """Go back to the run before."""
        self._step(-1)

    def _step(self, by: int) -> None:
        ids = [task["id"] for task in by_age(self._tasks.answer)]
        if ids:
            at = ids.index(self._run["id"]) if self._run and self._run["id"] in ids else -by
            self.choose(ids[(at + by) % len(ids)])

    # What it wrote.

    def look(self, minion: Minion) -> None:
        """Bring it up to date, and ask for what is new."""
        task = self._now(by_age(self._tasks.answer))
        if task is not None and why_silent(self.session, minion) is None:
            self._asking.ask(lambda: self.session.feed.output(minion, task["id"]))
        super().look(minion)

    def _now(self, tasks: Sequence[TaskWire]) -> TaskWire | None:
        """Return the run that is shown, if it still runs."""
        return next((each for each in tasks if self._run and each["id"] == self._run["id"]), None)

    def _told(self) -> None:
        """Take the answer."""
        told = self._asking.answer
        if told is not None and self._asking.trouble is None:
            self._write("stdout", told["stdout"])
            self._write("stderr", told["stderr"])
        if self.minion is not None:
            self.draw(self.minion)

    def _write(self, name: str, text: str | None) -> None:
        stream = self.query_one(f"#{name}", _Stream)
        now = (text, self.app.theme)
        if stream.written == now:
            return
        stream.written = now
        words = "it does not come through the minion" if text is None else "" if text else "nothing yet"
        stream.set_class(not text, "-empty")
        stream.query_one(Said).say(self.line((name, "accent"), (f": {words}" if words else "", "dim")))
        lines = block(text or "", self.session.glyphs)
        # What is short leaves its room to the other.
        stream.styles.max_height = len(lines) + 1
        stream.query_one(Lines).show([self.line(words) for words in lines])

    def draw(self, minion: Minion) -> None:
        """Say which run it is, and what cannot be known."""
        tasks = by_age(self._tasks.answer)
        if self._run is None and tasks:
            self.choose(tasks[0]["id"])
            return
        why = why_silent(self.session, minion)
        self._title(tasks)
        if why is not None:
            lost = "nobody runs this param now" if minion.state == "lost" and self._run else "no output can be seen"
            self.notice(f"{lost}: {why}.", "bad" if minion.state == "lost" else "warn")
        elif self._run is None:
            self.notice(self._tasks.notice or "Nothing runs.", "dim")
        elif self._now(tasks) is None:
            self.notice("This run has ended; what stands here is the last that was seen of it. n: the next run.", "dim")
        else:
            self.notice(self._asking.notice)

    def _title(self, tasks: Sequence[TaskWire]) -> None:
        task = self._now(tasks) or self._run
        if task is None:
            self.query_one(".run", Said).say(Text())
            return
        ids = [each["id"] for each in tasks]
        which = f"run {ids.index(task['id']) + 1} of {len(ids)}" if task["id"] in ids else "run that has ended"
        ran = duration(task["age"] + (self._tasks.age if task["id"] in ids else 0.0))
        facts = f"  slot {task['slot']}, attempt {attempt_words(task)}, {ran}"
        param = param_words(task["param"], self.session.glyphs)
        self.query_one(".run", Said).say(self.line((which, "dim"), (facts, "dim"), "  ", (param, "accent")))
