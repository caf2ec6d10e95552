"""All that a minion says of itself, and how that came."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text
from textual.app import ComposeResult

from mtop.format import age, count, duration, rate, size
from mtop.model.minion import Minion
from mtop.screens.lines import Lines
from mtop.screens.panes.pane import Pane
from mtop.screens.texts import date_time, without_userinfo

__all__ = ["Info"]

_LABEL = 18
_ROLES = {"failed": "bad", "timed_out": "bad", "could_not_start": "bad", "dead": "bad", "crashed": "bad",
          "lease_lost": "warn", "retried": "warn", "preempted": "warn", "redelivered": "warn",
          "succeeded": "good"}  # fmt: skip
_VIA = {
    "http": "its stats server answers",
    "heartbeat": "by its heartbeats only, from the registry",
    "final": "its final numbers, left in the registry",
    "nothing": "it has said nothing yet",
}


class Info(Pane):
    """Labelled facts."""

    def body(self) -> ComposeResult:
        """Make its parts."""
        yield Lines(hang=_LABEL)

    def draw(self, minion: Minion) -> None:
        """Show them."""
        self.query_one(Lines).show(self._lines(minion))

    def _lines(self, minion: Minion) -> Iterator[Text]:
        for title, facts in (
            ("Minion", self._self(minion)),
            ("Work", self._work(minion)),
            ("How this is known", self._known(minion)),
            ("Counted since its start", self._counters(minion)),
            ("Per second", self._rates(minion)),
            ("Backlog of its queue", self._backlog(minion)),
            ("Uses", self._uses(minion)),
        ):
            yield self.line((title, "title"))
            for name, words, role in facts:
                label = f"  {self.words(name, _LABEL - 4)}"
                yield self.line((f"{label:<{_LABEL}}", "accent"), (self.words(words, 4_000), role))
            yield self.line("")

    def _self(self, minion: Minion) -> Iterator[tuple[str, str, str]]:
        said = minion.said
        yield "id", said["id"], ""
        yield "state", minion.state + (f": {said['why']}" if said["why"] else ""), f"state-{minion.state}"
        if minion.state != said["state"]:
            yield "said last", said["state"], "dim"
        yield "host", said["host"], ""
        yield "user", said["user"] or "-", ""
        yield "pid", str(said["pid"]), ""
        yield "version", said["version"] or "-", ""
        yield "started", f"{date_time(said['started'])}, by its own clock", ""
        yield "uptime", age(minion.uptime), ""
        if minion.suspect:
            yield "black hole?", minion.suspect, "bad"
        if minion.straggles and minion.patience is not None:
            yield "straggler", f"a run is older than {duration(minion.patience)}, three times p95", "bad"

    def _work(self, minion: Minion) -> Iterator[tuple[str, str, str]]:
        said = minion.said
        yield "command", said["command"] or "-", ""
        yield "engine", said["engine"] or "-", ""
        yield "queue", said["queue"] or "-", ""
        yield "slots", f"{0 if minion.ended else said['busy']} busy of {said['slots']}", ""
        held = said["in_flight"]["count"]
        if minion.state == "lost" and held:
            yield "lost", f"{held} params were in flight", "bad"
        elif held and not minion.ended:
            yield "in flight", f"{held}, the oldest for {duration(minion.oldest)}", ""
        for name, value in said["labels"].items():
            yield f"label {name}", str(value), ""

    def _known(self, minion: Minion) -> Iterator[tuple[str, str, str]]:
        yield "numbers", _VIA[minion.via], "warn" if minion.via == "heartbeat" and minion.trouble else ""
        yield "sign of life", f"{age(minion.age)} ago" if minion.age is not None else "none", ""
        if minion.beat is not None:
            yield "heartbeat", f"{age(minion.beat)} ago, one every {duration(minion.every)}", ""
        place = minion.place
        yield "found in", without_userinfo(place) if "://" in place else place or "-", ""
        yield "server", without_userinfo(minion.url) if minion.url else "none", ""
        if minion.took is not None:
            yield "answers in", duration(minion.took), ""
        if minion.trouble:
            yield "trouble", minion.trouble, "bad"
        why = self.session.fleet.why_not(minion)
        yield "orders", f"cannot be given: {why}" if why else "can be given", "dim" if why else ""

    def _counters(self, minion: Minion) -> Iterator[tuple[str, str, str]]:
        for name, number in minion.said["counters"].items():
            yield name.replace("_", " "), str(number), _ROLES.get(name, "") if number else "dim"

    def _rates(self, minion: Minion) -> Iterator[tuple[str, str, str]]:
        yield "done", rate(minion.rate), ""
        yield "failed", rate(minion.failed_rate), "bad" if minion.failed_rate else "dim"
        yield "redelivered", rate(minion.redelivered_rate), "warn" if minion.redelivered_rate else "dim"

    def _backlog(self, minion: Minion) -> Iterator[tuple[str, str, str]]:
        backlog = minion.said["backlog"]
        if backlog is None:
            yield "", "the queue cannot tell", "dim"
            return
        about = "" if backlog["exact"] else "about "
        for name in ("ready", "in_flight", "dead"):
            number = backlog[name]
            yield name.replace("_", " "), f"{about}{count(number)}" if number is not None else "?", ""

    def _uses(self, minion: Minion) -> Iterator[tuple[str, str, str]]:
        if minion.ended:
            yield "", f"nothing: it is {minion.state}", "dim"
            return
        used = minion.said["resources"]
        yield "its runs", f"{rate(used['children_cpu'])} cores, {size(used['children_rss'])}", ""
        yield "itself", f"{rate(used['cpu'])} cores, {size(used['rss'])}", ""
