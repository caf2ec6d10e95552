"""What runs in a minion."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.message import Message

from minionize.stats.wire import TaskWire
from mtop.actions import Action
from mtop.acts import Answer, give
from mtop.format import duration, rate, size
from mtop.model.events import Event, Severity
from mtop.model.minion import Minion
from mtop.orders import Order, kill, requeue
from mtop.screens.asking import Asking, why_silent
from mtop.screens.confirm import ConfirmScreen
from mtop.screens.panes.pane import Pane
from mtop.screens.table import Cell, Head, Table
from mtop.screens.texts import param_words, plural
from mtop.session import Session

__all__ = ["InFlight", "by_age"]

_HEADS = (
    Head("SLOT", 4, 3, True),
    Head("PID", 7, 6, True),
    Head("ATT", 3, 4, True),
    Head("AGE", 6, 1, True),
    Head("STATE", 9, 1),
    Head("CPU", 5, 5, True),
    Head("MEM", 5, 5, True),
    Head("PARAM", 20, grows=True),
)


def by_age(tasks: list[TaskWire] | None) -> list[TaskWire]:
    """Order runs: the oldest first."""
    return sorted(tasks or (), key=lambda task: (-task["age"], task["id"]))


def attempt_words(task: TaskWire) -> str:
    """Write which attempt it is, as far as the queue can tell."""
    if task["attempt"] is not None:
        return str(task["attempt"])
    return ">1" if task["redelivered"] else "-"


class InFlight(Pane):
    """Runs under way, the oldest first.

    Args:
        session: What all screens share.
        tasks: Asks for them.
    """

    KEYS = (
        Action("output", ("enter", "o"), "what the run has written", "look", "Output"),
        Action("kill", ("K", "f9"), "kill the run: it counts as failed", "order", "Kill", True),
        Action("requeue", ("R",), "end the run, and give its param back", "order", "Requeue", True),
    )

    class OutputWanted(Message):
        """The user wants to see what a run writes.

        Attributes:
            task: Its id.
        """

        def __init__(self, task: str) -> None:
            super().__init__()
            self.task = task

    def __init__(self, session: Session, tasks: Asking[list[TaskWire]]) -> None:
        super().__init__(session)
        self._tasks = tasks

    def body(self) -> ComposeResult:
        """Make its parts."""
        yield Table(_HEADS, self.session.glyphs)

    def draw(self, minion: Minion) -> None:
        """Show what is known now."""
        tasks = [] if minion.state == "stopped" and self.session.feed.live else by_age(self._tasks.answer)
        self._say(minion, len(tasks))
        shown = {task["id"]: task for task in tasks}
        self.query_one(Table).show(shown, lambda id: self._cells(minion, shown[id]))

    def _say(self, minion: Minion, known: int) -> None:
        why = why_silent(self.session, minion)
        held = plural(minion.said["in_flight"]["count"], "param")
        if minion.state == "lost":
            self.notice(f"The minion is lost: {held} in flight there are lost too; nobody runs them now.", "bad")
        elif minion.state == "stopped":
            self.notice("The minion has stopped: nothing runs.", "dim")
        elif why is not None:
            self.notice(f"{held} in flight; which ones is not known: {why}.")
        elif self._tasks.notice:
            self.notice(f"{held} in flight; {self._tasks.notice}")
        else:
            self.notice("" if known else "Nothing runs.", "dim")

    def _cells(self, minion: Minion, task: TaskWire) -> tuple[Cell, ...]:
        age = task["age"] + (0.0 if minion.ended else self._tasks.age)
        limit = minion.patience
        straggles = limit is not None and task["age"] > limit
        state: Cell = ("running", "state-running")
        if minion.ended:
            state = ("lost", "state-lost")
        elif straggles:
            state = ("straggler", "bad")
        used = not minion.ended
        return (
            (str(task["slot"]), ""),
            (str(task["pid"] or "-"), "dim"),
            (attempt_words(task), "warn" if task["redelivered"] else ""),
            (duration(age), "bad" if straggles else ""),
            state,
            (rate(task["cpu"]) if used else "-", ""),
            (size(task["rss"]) if used else "-", ""),
            (param_words(task["param"], self.session.glyphs), "dim" if minion.ended else ""),
        )

    # Keys.

    def on_table_opened(self, event: Table.Opened) -> None:
        """Show the output of the run."""
        event.stop()
        self.action_output()

    def action_output(self) -> None:
        """Show the output of the run under the cursor."""
        if (task := self.query_one(Table).key) is not None:
            self.post_message(self.OutputWanted(task))

    def action_kill(self) -> None:
        """Kill the run under the cursor."""
        self._end("kill", kill)

    def action_requeue(self) -> None:
        """Give the param under the cursor back."""
        self._end("requeue", requeue)

    def _end(self, words: str, order: Callable[[str], Order]) -> None:
        """Ask, then have the minion do it."""
        id = self.query_one(Table).key
        task = next((each for each in self._tasks.answer or () if each["id"] == id), None)
        minion = self.minion
        if task is None or minion is None:
            return
        if self.session.readonly or not self.session.feed.live:
            why = "this mtop is read-only" if self.session.feed.live else "a recording takes no orders"
            self.app.notify(why, severity="warning", markup=False)
            return
        param = param_words(task["param"], self.session.glyphs)

        def answered(yes: bool | None) -> None:
            if yes:
                self.run_worker(self._give(f"{words} {param}", order(task["id"]), minion))

        words_for = {"kill": "Kill the run of this param", "requeue": "Give this param back"}[words]
        self.app.push_screen(ConfirmScreen(self.session, words_for, [minion], param), answered)

    async def _give(self, words: str, order: Order, minion: Minion) -> None:
        session = self.session

        def answered(answer: Answer) -> None:
            said = f"{words}: {answer.verdict}, {answer.words}"
            severity: Severity = "information" if answer.verdict == "done" else "warning"
            session.fleet.events.note(Event(session.feed.wall(), f"{minion.id}: {said}", severity, minion=minion.key))
            self.app.notify(self.words(said), severity=severity, markup=False)

        await give(session.feed, session.fleet, order, [minion], answered)
