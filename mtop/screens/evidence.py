"""Params that failed, and below them all that is known of the one under the cursor."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical

from minionize.quoting import shell_line
from minionize.stats.wire import FailureWire
from mtop.causes import Sample
from mtop.format import Glyphs, age, duration
from mtop.screens.lines import Lines
from mtop.screens.table import Cell, Head, Table
from mtop.screens.texts import block, clean, date_time, param_words
from mtop.styles import line

__all__ = ["Evidence"]

_LABEL = 10


@dataclass(frozen=True, slots=True)
class _Field:
    """One column: its head, and what stands there."""

    head: Head
    value: Callable[[Sample, Glyphs], str]
    role: str = ""


def ended(failure: FailureWire) -> str:
    """Write how a run ended."""
    if failure["signal"] is not None:
        return f"signal {failure['signal']}"
    return "-" if failure["exit_code"] is None else f"exit {failure['exit_code']}"


def _of(what: Callable[[FailureWire, Glyphs], str]) -> Callable[[Sample, Glyphs], str]:
    return lambda sample, glyphs: "-" if sample.failure is None else what(sample.failure, glyphs)


_PARAM = _Field(
    Head("PARAM", 20, grows=True),
    lambda sample, glyphs: param_words(sample.failure["param"], glyphs) if sample.failure else clean(sample.id, glyphs),
)
_ATTEMPT = _Field(Head("ATT", 3, 3, True), _of(lambda failure, glyphs: str(failure["attempt"] or "-")))
_OUTCOME = _Field(
    Head("OUTCOME", 15, 2), _of(lambda failure, glyphs: clean(failure["outcome"], glyphs).replace("_", " "))
)
_ENDED = _Field(Head("ENDED", 9, 4), _of(lambda failure, glyphs: ended(failure)), "bad")
_CAUSE = _Field(Head("CAUSE", 46, 5), _of(lambda failure, glyphs: clean(failure["cause"], glyphs)))
_HOST = _Field(Head("HOST", 14, 1), lambda sample, glyphs: clean(sample.minion.said["host"], glyphs))
_MINION = _Field(Head("MINION", 24, 5), lambda sample, glyphs: clean(sample.minion.id, glyphs))

ONE_MINION = (_ATTEMPT, _OUTCOME, _ENDED, _PARAM, _CAUSE)
ONE_CAUSE = (_HOST, _MINION, _ATTEMPT, _OUTCOME, _PARAM)


class Evidence(Vertical):
    """A table of samples, and the evidence of one of them.

    Args:
        fields: What the table shows: ONE_MINION or ONE_CAUSE.
        glyphs: What the terminal can draw.
    """

    DEFAULT_CSS = """
    Evidence { height: 1fr; background: $background; }
    Evidence Table { height: 2fr; min-height: 4; }
    Evidence Lines { height: 3fr; border-top: solid $accent; }
    Evidence.-ascii Lines { border-top: ascii $accent; }
    """

    def __init__(self, fields: Sequence[_Field], glyphs: Glyphs) -> None:
        super().__init__(classes="-ascii" if glyphs.ascii else None)
        self._fields, self._glyphs = fields, glyphs
        self._samples: dict[str, Sample] = {}
        self._shown: tuple[str | None, str] = (None, "")

    def compose(self) -> ComposeResult:
        """Make its parts."""
        yield Table((Head("AGO", 6, 0, True), *(field.head for field in self._fields)), self._glyphs)
        yield Lines(hang=_LABEL)

    @property
    def chosen(self) -> Sample | None:
        """The one under the cursor."""
        return self._samples.get(self.query_one(Table).key or "")

    def show(self, samples: Sequence[Sample], since: float) -> None:
        """Show these.

        Args:
            samples: The last one first.
            since: Seconds since their ages were told.
        """
        self._samples = {sample.key: sample for sample in samples}
        shown = self._samples
        self.query_one(Table).show(shown, lambda key: self._cells(shown[key], since))
        self._tell()

    def _cells(self, sample: Sample, since: float) -> tuple[Cell, ...]:
        ago: Cell = ("-" if sample.age is None else age(sample.age + since), "dim")
        return (ago, *((field.value(sample, self._glyphs), field.role) for field in self._fields))

    def on_table_moved(self, event: Table.Moved) -> None:
        """Show the evidence of another one."""
        event.stop()
        self._tell()

    def _tell(self) -> None:
        sample = self.chosen
        now = (sample.key if sample else None, self.app.theme)
        if now != self._shown:
            self._shown = now
            self.query_one(Lines).show([] if sample is None else self._written(sample))

    def _written(self, sample: Sample) -> Iterator[Text]:
        failure = sample.failure
        if failure is None:
            yield self._labelled("param id", sample.id)
            yield self._labelled("", "The minion has no more of it than this: only its last failures are kept whole.")
            return
        yield self._labelled("cause", failure["cause"], "bad")
        yield line(self.app, self._label("param"), param_words(failure["param"], self._glyphs, 4_000))
        yield self._labelled("command", shell_line(failure["argv"]) if failure["argv"] else "-")
        how = f"{failure['outcome'].replace('_', ' ')}, {ended(failure)}; settled: {failure['settled']}"
        yield self._labelled("ended", how)
        if failure["reason"]:
            yield self._labelled("reason", failure["reason"])
        times = f"{date_time(failure['started'])} - {date_time(failure['ended'])}"
        yield self._labelled("ran", f"{duration(failure['ended'] - failure['started'])}: {times}, by its own clock")
        where = f"{failure['host']}, {failure['minion']}, slot {failure['slot']}, attempt {failure['attempt'] or '-'}"
        yield self._labelled("where", where)
        yield line(self.app, self._label("stderr"), *([] if failure["stderr"] else [("(nothing)", "dim")]))
        for words in block(failure["stderr"], self._glyphs):
            yield line(self.app, f"  {words}")

    def _label(self, name: str) -> tuple[str, str]:
        return f"{name:<{_LABEL}}", "accent"

    def _labelled(self, name: str, words: str, role: str = "") -> Text:
        return line(self.app, self._label(name), (clean(words, self._glyphs, 4_000), role))
