"""Values of options: each kind knows what is right, and what a misspelt one was meant to be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    _Kind = click.ParamType[Any]
else:
    # Older versions of click have only this.
    _Kind = click.ParamType

__all__ = ["Address", "Number", "Seconds", "Url", "Word", "Words"]

_PORTS = range(65_536)


class Word(_Kind):
    """One of a few words.

    Args:
        what: What they are, for messages.
        words: Returns them. Called when they are needed: they may stand where it takes a while to look.
    """

    def __init__(self, what: str, words: Callable[[], Sequence[str]]) -> None:
        self.name, self._words = what, words

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Take a word, or say which one comes near."""
        words = self._words()
        if value not in words:
            from minionize.names import did_you_mean

            self.fail(f"no {self.name} {value!r}{did_you_mean(value, words)}", param, ctx)
        return value

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Offer those that begin so."""
        return [CompletionItem(word) for word in self._words() if word.startswith(incomplete)]


class Words(Word):
    """Several of them, with commas in between."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """Take words, each once."""
        words = [word.strip() for word in value.split(",") if word.strip()]
        if not words:
            self.fail(f"no {self.name} is named", param, ctx)
        return tuple(dict.fromkeys(super(Words, self).convert(word, param, ctx) for word in words))

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Complete the last one."""
        before, comma, last = incomplete.rpartition(",")
        return [CompletionItem(before + comma + word) for word in self._words() if word.startswith(last)]


class Seconds(_Kind):
    """A time within bounds."""

    name = "seconds"

    def __init__(self, least: float, most: float) -> None:
        self._least, self._most = least, most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Take a number."""
        try:
            number = float(value)
        except ValueError:
            number = -1.0
        if not self._least <= number <= self._most:
            self.fail(f"{value!r} is no number of seconds from {self._least:g} to {self._most:g}", param, ctx)
        return number


class Number(_Kind):
    """A whole number within bounds."""

    name = "number"

    def __init__(self, least: int, most: int) -> None:
        self._least, self._most = least, most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Take a number."""
        number = int(value) if str(value).isascii() and str(value).isdecimal() else -1
        if not self._least <= number <= self._most:
            self.fail(f"{value!r} is no number from {self._least} to {self._most}", param, ctx)
        return number


class Url(_Kind):
    """Where a minion's stats server is. Without a scheme it is http."""

    name = "url"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Take a URL."""
        from minionize.errors import SettingsError
        from mtop.live.places import place_of

        text = value if "://" in value else f"http://{value}"
        if value[:1] in "/.~" or value.partition(":")[0] in ("dir", "redis", "rediss", "unix"):
            # What stands before an @ may be secret.
            shown = value.rpartition("@")[2]
            self.fail(f"{shown!r} is no URL of a minion; registries go behind -r", param, ctx)
        try:
            place_of(text)
        except SettingsError as error:
            self.fail(str(error), param, ctx)
        return text


class Address(_Kind):
    """Where to listen: ``[HOST:]PORT``."""

    name = "address"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, int]:
        """Take host and port; without a host it is this one only."""
        if isinstance(value, tuple):
            return value
        host, colon, port = value.rpartition(":")
        bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
        if not (port.isascii() and port.isdecimal() and int(port) in _PORTS) or (colon and not bare):
            self.fail(f"{value!r} is no port, nor HOST:PORT", param, ctx)
        return bare or "127.0.0.1", int(port)
