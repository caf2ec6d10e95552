"""The last failures of a minion, with their evidence."""

from __future__ import annotations

from textual.app import ComposeResult

from minionize.stats.wire import FailuresWire
from mtop.causes import Sample, own_time
from mtop.columns import by_key
from mtop.format import count
from mtop.model.minion import Minion
from mtop.screens.asking import Asking, why_silent
from mtop.screens.evidence import ONE_MINION, Evidence
from mtop.screens.lines import Lines
from mtop.screens.panes.pane import Pane
from mtop.screens.texts import plural
from mtop.session import Session

__all__ = ["Failed"]


class Failed(Pane):
    """What failed in a minion.

    Args:
        session: What all screens share.
    """

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._asking: Asking[FailuresWire] = Asking(self, session, self._told)

    def body(self) -> ComposeResult:
        """Make its parts."""
        yield Evidence(ONE_MINION, self.session.glyphs)

    def sought_in(self) -> Lines | None:
        """Return in what is searched."""
        return self.query_one(Lines)

    def look(self, minion: Minion) -> None:
        """Bring it up to date, and ask for what is new."""
        if why_silent(self.session, minion) is None and self._failed(minion):
            self._asking.ask(lambda: self.session.feed.failures(minion))
        super().look(minion)

    def _told(self) -> None:
        """Take the answer."""
        minion, told = self.minion, self._asking.answer
        if minion is not None and told is not None and self._asking.trouble is None:
            now = own_time(minion)
            samples = [Sample(minion, each["id"], max(0.0, now - each["at"]), each) for each in told["failures"]]
            self.query_one(Evidence).show(samples, 0.0)
        if minion is not None:
            self.draw(minion)

    def draw(self, minion: Minion) -> None:
        """Say what cannot be known."""
        failed, told = self._failed(minion), self._asking.answer
        runs = f"{plural(failed, 'run')} did not succeed"
        why = why_silent(self.session, minion)
        if not failed:
            self.notice("No run has failed.", "dim")
        elif why is not None and told is None:
            self.notice(f"{runs}; why is not known: {why}.")
        elif self._asking.notice:
            self.notice(f"{runs}; {self._asking.notice}")
        elif told is not None:
            kept, causes = len(told["failures"]), plural(len(told["causes"]), "cause")
            self.notice(f"{count(told['total'])} failures of {causes}; the last {kept} are shown.", "dim")

    def _failed(self, minion: Minion) -> int:
        value = by_key()["failed"].value(minion)
        return value if isinstance(value, int) else 0
