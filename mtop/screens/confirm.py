"""Ask before minions are told something: who is meant, and who is not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.events import Key, Resize
from textual.widgets import Button, Input, Static

from mtop.model.minion import Minion
from mtop.screens.dialog import Dialog
from mtop.screens.texts import clean, plural
from mtop.session import Session
from mtop.styles import line

__all__ = ["ConfirmScreen"]

_TYPED = 10
"""How many may be meant without their number being typed."""

_NAMED = 4


class ConfirmScreen(Dialog[bool]):
    """A question; the answer is True, or something else.

    Args:
        session: What all screens share.
        words: What will be done, as an order: "Drain".
        minions: Who is meant.
        detail: What else must be known.
        why_not: Says why one of them is left out; by default because it cannot be controlled.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "yes", "yes", show=False),
        Binding("n", "cancel", "no", show=False),
        Binding("left,up", "app.focus_previous", "the button before", show=False),
        Binding("right,down", "app.focus_next", "the next button", show=False),
    ]
    DEFAULT_CSS = """
    ConfirmScreen VerticalScroll { height: auto; scrollbar-size-vertical: 1; }
    ConfirmScreen VerticalScroll > Static { height: auto; }
    ConfirmScreen .count { height: 1; margin-top: 1; }
    ConfirmScreen .count Static { width: auto; }
    ConfirmScreen .count Input { width: 12; }
    ConfirmScreen .buttons { height: 1; margin-top: 1; align-horizontal: right; }
    ConfirmScreen Button {
        width: auto; min-width: 6; margin-left: 2; background: $background !important; color: $foreground;
    }
    ConfirmScreen Button:focus { text-style: bold reverse; }
    """

    def __init__(
        self,
        session: Session,
        words: str,
        minions: Sequence[Minion],
        detail: str = "",
        why_not: Callable[[Minion], str | None] | None = None,
    ) -> None:
        super().__init__(session.glyphs)
        self._words, self._detail = words, detail
        ask = why_not or session.fleet.why_not
        judged = [(minion, ask(minion)) for minion in minions]
        self.meant = [minion for minion, why in judged if why is None]
        self._left_out = Counter(why for _, why in judged if why is not None)

    @property
    def _needs_count(self) -> bool:
        return len(self.meant) > _TYPED

    def compose(self) -> ComposeResult:
        """Make its parts."""
        with Vertical(classes="box"):
            with VerticalScroll(can_focus=False):
                yield Static(classes="words", markup=False)
            if self._needs_count:
                with Horizontal(classes="count"):
                    yield Static(classes="ask", markup=False)
                    typed = Input(compact=True, restrict=r"[0-9]*", max_length=9, select_on_focus=False)
                    typed.cursor_blink = False
                    yield typed
            with Horizontal(classes="buttons"):
                yield Button(Content("[ Cancel ]" if self.meant else "[ Back ]"), id="cancel", compact=True)
                if self.meant:
                    yield Button(Content("[ OK ]"), id="ok", compact=True, disabled=self._needs_count)

    def on_resize(self, event: Resize) -> None:
        """Leave room for the buttons, whatever there is to say."""
        below = 6 if self._needs_count else 4
        self.query_one(VerticalScroll).styles.max_height = max(1, event.size.height - below)

    def on_mount(self) -> None:
        """Ask; Enter at once cancels."""
        text = Text("\n", end="").join(self._lines())
        text.no_wrap = False
        self.query_one(".words", Static).update(text)
        if self._needs_count:
            ask = line(self.app, "Type ", (str(len(self.meant)), "warn"), " to do so: ")
            self.query_one(".ask", Static).update(ask)
        self.query_one("#cancel", Button).focus()

    def _lines(self) -> Iterator[Text]:
        count = len(self.meant)
        hosts = len({minion.said["host"] for minion in self.meant})
        if count:
            where = f" on {plural(hosts, 'host')}" if count > 1 else ""
            yield line(self.app, (f"{self._words}: {plural(count, 'minion')}{where}?", "accent"))
        else:
            yield line(self.app, (f"{self._words}: there is nobody to tell.", "warn"))
        if self._detail:
            yield line(self.app, clean(self._detail, self.glyphs))
        yield line(self.app, "")
        for minion in self.meant[:_NAMED]:
            id, host = clean(minion.id, self.glyphs), clean(minion.said["host"], self.glyphs)
            yield line(self.app, f"  {id}", (f"  {host}, {minion.state}", "dim"))
        if count > _NAMED:
            yield line(self.app, (f"  and {count - _NAMED} more", "dim"))
        for why, number in self._left_out.most_common():
            yield line(self.app, (f"Left out: {number}, {clean(why, self.glyphs)}", "warn"))

    def on_key(self, event: Key) -> None:
        """Take the number also where nobody has gone to its place first."""
        if self._needs_count and event.character and event.character.isdecimal():
            typed = self.query_one(Input)
            typed.focus()
            typed.insert_text_at_cursor(event.character)
            event.stop()

    def on_input_changed(self, event: Input.Changed) -> None:
        """OK can be pressed when the number is right."""
        self.query_one("#ok", Button).disabled = event.value != str(len(self.meant))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go on to OK, if the number is right; it is another key that says yes."""
        if not self.query_one("#ok", Button).disabled:
            self.query_one("#ok", Button).focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer."""
        self.dismiss(event.button.id == "ok")

    def action_yes(self) -> None:
        """Say yes, where that is enough."""
        if self.meant and not self._needs_count:
            self.dismiss(True)

    def action_cancel(self) -> None:
        """Say no."""
        self.dismiss(False)
