"""What minions are told from the main screen: those that are tagged, else the one under the cursor."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mtop.acts import Orders, change_slots
from mtop.model.minion import Minion
from mtop.orders import DRAIN, PAUSE, REQUEUE_DEAD, RESUME
from mtop.screens.answers import AnswersScreen
from mtop.screens.choose import ChooseScreen
from mtop.screens.confirm import ConfirmScreen
from mtop.screens.fleet import FleetScreen

__all__ = ["Ordering"]

_ORDERS = (
    ("pause", "Pause      take no more params for now"),
    ("resume", "Resume     go on after a pause"),
    ("drain", "Drain      finish what runs, and leave"),
    ("more_slots", "Slots +1"),
    ("fewer_slots", "Slots -1"),
    ("requeue_dead", "Requeue    the dead params of the queue"),
    ("purge", "Purge      minions that are lost or stopped"),
)


class Ordering(FleetScreen):
    """A part of the main screen."""

    def action_order(self) -> None:
        """Choose what to tell."""

        def chosen(name: str | None) -> None:
            if name:
                self.call_later(getattr(self, f"action_{name}"))

        self.app.push_screen(ChooseScreen("Tell minions", _ORDERS, None, self.session.glyphs), chosen)

    def action_pause(self) -> None:
        """Have them take no more for now."""
        self._tell("Pause", PAUSE)

    def action_resume(self) -> None:
        """Have them go on."""
        self._tell("Resume", RESUME)

    def action_drain(self) -> None:
        """Have them finish, and leave."""
        self._tell("Drain", DRAIN, "They finish what runs, take no more, and leave. This cannot be taken back.")

    def action_more_slots(self) -> None:
        """Give each one slot more."""
        self._tell("Slots +1", change_slots(1))

    def action_fewer_slots(self) -> None:
        """Take one slot from each."""
        self._tell("Slots -1", change_slots(-1))

    def action_requeue_dead(self) -> None:
        """Have dead params tried again: one minion of each queue is enough."""
        chosen: dict[tuple[str, str], Minion] = {}
        for minion in self._meant():
            if self.session.fleet.mine(minion):
                chosen.setdefault((minion.said["engine"], minion.said["queue"]), minion)
        detail = "All dead params of their queues are made ready again. One minion of each queue is asked."
        self._tell("Requeue dead params", REQUEUE_DEAD, detail, list(chosen.values()) or None)

    def action_purge(self) -> None:
        """Remove what is no more."""
        tagged, keep = self.session.tagged, self.session.view.keep
        meant = [minion for minion in self.session.fleet if not tagged or minion.key in tagged]
        # What a filter hides is not meant, unless it is tagged.
        ended = [minion for minion in meant if minion.ended and (tagged or keep is None or keep(minion))]
        if not ended:
            self.app.notify("no minion is lost or stopped", markup=False)
            return
        if not self._may():
            return

        def answered(yes: bool | None) -> None:
            if yes:
                still = [minion for minion in ended if minion.ended]
                self.session.feed.purge(still)
                self.session.fleet.forget([minion.key for minion in still], self.session.fleet.now)
                self.session.tagged -= {minion.key for minion in still}
                self.tick()

        detail = "They leave the registry. No param is touched."
        self.app.push_screen(ConfirmScreen(self.session, "Purge", ended, detail, _ended), answered)

    def _meant(self) -> Sequence[Minion]:
        """Return who is meant: the tagged ones, else what the cursor is on."""
        fleet, tagged = self.session.fleet, self.session.tagged
        chosen = [minion for minion in fleet if minion.key in tagged]
        current = self.grid.current
        return chosen or (list(current.minions) if current is not None else [])

    def _may(self) -> bool:
        if self.session.readonly or not self.session.feed.live:
            why = "this mtop is read-only" if self.session.feed.live else "a recording takes no orders"
            self.app.notify(why, severity="warning", markup=False)
            return False
        return True

    def _tell(self, words: str, orders: Orders, detail: str = "", minions: Sequence[Minion] | None = None) -> None:
        meant = self._meant() if minions is None else minions
        if not self._may() or not meant:
            return
        self.app.push_screen(ConfirmScreen(self.session, words, meant, detail), self._when_sure(words, orders, meant))

    def _when_sure(self, words: str, orders: Orders, meant: Sequence[Minion]) -> Callable[[bool | None], None]:
        def answered(yes: bool | None) -> None:
            if yes:
                allowed = [minion for minion in meant if self.session.fleet.mine(minion)]
                self.app.push_screen(AnswersScreen(self.session, words.lower(), orders, allowed))

        return answered


def _ended(minion: Minion) -> str | None:
    return None if minion.ended else f"it is {minion.state}"
