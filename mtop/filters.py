"""Filters: what F4, ``-F`` and F3 understand. Pure: a text becomes a question that is asked of each minion.

Without an expression in it, a filter is text that is looked for: ``nancy``, ``!lost``, ``grisou|parasilo``; blanks
belong to it. With a comparison, or with the words *and*, *or*, *not*, it is an expression:
``failed>0 and host=nancy*``.
"""

from __future__ import annotations

import re

from minionize.errors import SettingsError
from minionize.names import did_you_mean
from mtop.columns import COLUMNS
from mtop.comparing import SIGNS, Keep, compare
from mtop.model.minion import Minion

__all__ = ["FilterError", "Keep", "matches", "parse"]

_LONGEST = 1_000
_DEEPEST = 50

_QUOTED = re.compile(r'"[^"]*"|' + r"'[^']*'")
_COMPARISON = re.compile(rf"([A-Za-z_][\w/]*)\s*({'|'.join(SIGNS)})\s*")
_IS_EXPRESSION = re.compile(rf"(?:^|[\s(|!])(?:{_COMPARISON.pattern}|(?:and|or|not)[\s(])", re.IGNORECASE)
_WORD = re.compile(r"""[^\s()|"']+""")
_UP_TO_BAR = re.compile(r"[^|]+")


class FilterError(SettingsError):
    """A filter cannot be understood.

    Attributes:
        position: At which of its characters, counted from 0.
    """

    def __init__(self, position: int, message: str) -> None:
        super().__init__(f"filter, character {position + 1}: {message}")
        self.position = position


def parse(text: str) -> Keep:
    """Make a filter of what a user has typed.

    Args:
        text: Text to look for, or an expression; blank: everything is kept.

    Raises:
        FilterError: It cannot be understood; the message says where, and what would be right.
    """
    if len(text) > _LONGEST:
        raise FilterError(_LONGEST, f"it is too long; {_LONGEST} characters are the most")
    if _IS_EXPRESSION.search(_QUOTED.sub('""', text)):
        return _Expression(text).whole()
    return _Plain(text).whole()


def matches(text: str) -> Keep:
    """Make a search: text that stands anywhere in what ``parse`` looks at; blank finds nothing."""
    return _contains(text.strip()) if text.strip() else lambda minion: False


def _contains(text: str) -> Keep:
    lower = text.lower()
    return lambda minion: lower in _texts(minion)


def _texts(minion: Minion) -> str:
    said = minion.said
    job = said["labels"].get("job", "")
    texts = (said["id"], said["host"], job, said["user"], minion.state, said["queue"], said["command"])
    return "\n".join(texts).lower()


def _holds(minion: Minion, looked_for: list[tuple[str, bool]]) -> bool:
    texts = _texts(minion)
    return any((text in texts) is wanted for text, wanted in looked_for)


def _any(kept: list[Keep]) -> Keep:
    return kept[0] if len(kept) == 1 else lambda minion: any(keep(minion) for keep in kept)


def _all(kept: list[Keep]) -> Keep:
    return kept[0] if len(kept) == 1 else lambda minion: all(keep(minion) for keep in kept)


class _Reader:
    """Goes through a text from the left to the right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def _rest(self) -> str:
        """Return what is left, without blanks at its beginning."""
        rest = self._text[self._at :].lstrip()
        self._at = len(self._text) - len(rest)
        return rest

    def _takes(self, sign: str) -> bool:
        taken = self._rest().startswith(sign)
        self._at += len(sign) * taken
        return taken

    def _match(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        self._at = found.end() if found else self._at
        return found[0] if found else ""


class _Plain(_Reader):
    """Text to look for, or several with a bar between them."""

    def whole(self) -> Keep:
        """Read all of it."""
        looked_for: list[tuple[str, bool]] = []
        while self._rest():
            if self._takes("|"):
                continue
            wanted = not self._takes("!")
            text = self._quoted() or self._match(_UP_TO_BAR).strip()
            # Half of a filter, as it is while somebody types, hides nothing.
            if text:
                looked_for.append((text.lower(), wanted))
        return (lambda minion: _holds(minion, looked_for)) if looked_for else lambda minion: True

    def _quoted(self) -> str:
        """Take what stands in quotes, if nothing else does up to the next bar."""
        quoted = _QUOTED.match(self._rest())
        if quoted is None or self._rest()[quoted.end() :].lstrip()[:1] not in ("", "|"):
            return ""
        self._at += quoted.end()
        return quoted[0][1:-1]


class _Expression(_Reader):
    """Comparisons and texts, joined by *and*, *or*, *not* and parentheses."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0
        # What stands above a column is a name of it too.
        self._columns = {column.title.lower(): column for column in COLUMNS} | {each.key: each for each in COLUMNS}

    def whole(self) -> Keep:
        """Read all of it."""
        keep = self._either()
        if rest := self._rest():
            raise FilterError(self._at, f"{rest[0]!r} closes nothing (text with such signs goes in quotes)")
        return keep

    def _either(self) -> Keep:
        kept = [self._both()]
        while self._takes("|") or self._says("or"):
            kept.append(self._both())
        return _any(kept)

    def _both(self) -> Keep:
        kept = [self._one()]
        while self._says("and") or not self._is_over():
            kept.append(self._one())
        return _all(kept)

    def _one(self) -> Keep:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise FilterError(self._at, "it is nested too deeply")
        try:
            if self._takes("!") or self._says("not"):
                keep = self._one()
                return lambda minion: not keep(minion)
            return self._group() or self._comparison() or _contains(self._value("something"))
        finally:
            self._depth -= 1

    def _group(self) -> Keep | None:
        opened = self._at
        if not self._takes("("):
            return None
        keep = self._either()
        if not self._takes(")"):
            raise FilterError(opened, "this parenthesis is not closed")
        return keep

    def _comparison(self) -> Keep | None:
        found = _COMPARISON.match(self._rest())
        if found is None:
            return None
        start, name = self._at, found[1]
        column = self._columns.get(name.lower())
        if column is None:
            meant = did_you_mean(name, [each.key for each in COLUMNS])
            raise FilterError(start, f"no column {name!r} (text with such signs goes in quotes){meant}")
        self._at += found.end()
        at, word = self._at, self._value(f"a value after {found[2]}")
        try:
            return compare(column, found[2], word)
        except ValueError as error:
            raise FilterError(at, str(error)) from None

    def _value(self, what: str) -> str:
        rest = self._rest()
        if rest[:1] in ("'", '"'):
            if not (quoted := self._match(_QUOTED)):
                raise FilterError(self._at, "this quote is not closed")
            return quoted[1:-1]
        if rest[:1] in "()|" or self._word("and|or"):
            raise FilterError(self._at, f"{what} is missing here")
        return self._match(_WORD)

    def _is_over(self) -> bool:
        """Tell whether nothing can follow that belongs to what was read last."""
        return self._rest()[:1] in "|)" or self._word("or") is not None

    def _says(self, word: str) -> bool:
        found = self._word(word)
        self._at += len(word) if found else 0
        return found is not None

    def _word(self, word: str) -> re.Match[str] | None:
        return re.match(rf"(?:{word})(?![^\s()])", self._rest(), re.IGNORECASE)
