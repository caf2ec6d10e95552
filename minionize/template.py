"""A param and a command line with placeholders -> argv. Pure.

    {}      the whole param                      {name}  a field of it; {a.b} goes deeper, {a.0} into a list
    {/}     without its directories              {//}    its directory
    {.}     without its extension                {/.}    without directories and extension
    {%}     the slot                             {#}     the number of the run in this minion

Without a placeholder the param is appended, as if ``{}`` stood at the end. Nothing else in braces is a
placeholder, nor is ``{name}`` where the param is no mapping, nor ``${name}``. A word is cut into its
pieces once, when the template is made; filling it for a param is a join.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

from minionize.task import Param, param_text, to_json

__all__ = ["LONGEST_ARGUMENT", "Template", "argument", "arguments"]

PLACEHOLDER = r"\{(//?|/?\.|%|)\}|(?<!\$)\{(\#|[^\W\d]\w*(?:\.\w+)*)\}"
"""``${name}`` and ``${#}`` are the shell's; ``${}`` is nobody's, so it is a price. Compiled when first needed."""

LONGEST_ARGUMENT = 131_071
"""Bytes that Linux takes in one argument (MAX_ARG_STRLEN, less the NUL at the end)."""

_SURE = 40_000
"""A text of so few characters fits into an argument, however it is encoded."""


class Template:
    """A command line, ready to be filled with params.

    Args:
        words: Program and arguments.
        literal: Nothing is a placeholder; the param is appended.
        shell: The words are one line for ``/bin/sh``, and whatever is filled in is quoted for it.
        append: Whether the param is appended where no placeholder stands.

    Raises:
        ValueError: In a shell line a placeholder stands where nothing can be quoted safely.
    """

    __slots__ = ("_append", "_for_mappings", "_for_others", "_refusal", "_shell", "_words")

    def __init__(
        self, words: Sequence[str], *, literal: bool = False, shell: bool = False, append: bool = True
    ) -> None:
        self._shell = shell
        self._append = append
        self._words = (" ".join(words).rstrip(),) if shell else tuple(words)
        self._refusal = ""
        cut: list[list[_Piece]] = [[word] if literal else _cut(word) for word in self._words]
        self._for_mappings = self._plan(cut)
        try:
            self._for_others = self._plan([_without_fields(pieces) for pieces in cut])
        except ValueError as error:
            # The line is good for mappings, so only another param, if ever one comes, is at fault.
            self._for_others = None
            self._refusal = str(error)

    def render(self, param: Param, *, slot: int = 1, seq: int = 1) -> tuple[str, ...]:
        """Fill in a param.

        Args:
            param: The param.
            slot: What ``{%}`` stands for.
            seq: What ``{#}`` stands for.

        Raises:
            ValueError: This param cannot be filled in; the message says why, for its dead letter.
        """
        # The exact type first: asking an abstract class costs more than all the rest.
        is_mapping = type(param) is not str and isinstance(param, Mapping)
        plan = self._for_mappings if is_mapping else self._for_others
        if plan is None:
            if self._refusal:
                raise ValueError(self._refusal)
            return (*self._words, *arguments(param)) if self._append else self._words
        words: list[str] = []
        for pieces in plan:
            if isinstance(pieces, str):
                words.append(pieces)
            elif pieces[0] is _WHOLE and len(pieces) == 1:
                words.extend(arguments(param))
            else:
                word = "".join([p if isinstance(p, str) else p.value(param, slot, seq) for p in pieces])
                words.append(_checked(word))
        return tuple(words)

    @property
    def program_varies(self) -> bool:
        """Whether the program itself depends on the param: then not finding it is the param's fault."""
        return not self._shell and self._for_mappings is not None and not isinstance(self._for_mappings[0], str)

    def _plan(self, cut: list[list[_Piece]]) -> _Plan:
        if self._shell:
            line = cut[0]
            if self._append and not any(isinstance(piece, _Hole) for piece in line):
                from minionize.shellline import check_append

                check_append(self._words[0])
                line = [*line, " ", _WHOLE]
            return ["/bin/sh", "-c", _quoting(line)]
        if not any(isinstance(piece, _Hole) for pieces in cut for piece in pieces):
            return None
        return [word if len(word) != 1 or not isinstance(word[0], str) else word[0] for word in map(_joined, cut)]


class _Hole:
    """A placeholder. In a shell line it quotes, and knows the line's quotes around it."""

    __slots__ = ("form", "path", "quote", "wrap")

    def __init__(self, form: str, path: tuple[str, ...] = (), wrap: str | None = None) -> None:
        self.form = form
        self.path = path
        self.wrap = wrap
        if wrap is not None:
            from minionize.shellline import quote

            self.quote = quote

    def value(self, param: Param, slot: int, seq: int) -> str:
        """Make the text that goes here."""
        if self.wrap is None:
            return self.text(param, slot, seq)
        if self.wrap == "" and self.form == "" and not self.path:
            return " ".join(map(self.quote, arguments(param)))
        return f"{self.wrap}{self.quote(self.text(param, slot, seq))}{self.wrap}"

    def text(self, param: Param, slot: int, seq: int) -> str:
        """Make the text, not yet quoted."""
        if self.path:
            return _field(param, self.path)
        if self.form == "%":
            return str(slot)
        if self.form == "#":
            return str(seq)
        text = argument(param)
        if self.form == "":
            return text
        if self.form == "//":
            return _directory(text)
        head, slash, base = text.rpartition("/")
        if self.form == "/":
            return base
        stem = base.rpartition(".")[0] if "." in base else base
        return stem if self.form == "/." else head + slash + stem


_Piece = str | _Hole
_Plan = list[str | list[_Piece]] | None
"""The words: each one text, or cut at its placeholders. None where no word has any."""

_WHOLE = _Hole("")


def argument(param: Param) -> str:
    """Make one argument of a value: a text as it is, a number as Python writes it, all else as JSON.

    Raises:
        ValueError: No argument can hold it.
    """
    if isinstance(param, str):
        return _checked(param)
    if isinstance(param, bytes):
        return _checked(os.fsdecode(param))
    if param is None or isinstance(param, (bool, Mapping, list, tuple, set, frozenset)):
        return _checked(to_json(param))
    return _checked(str(param))


def arguments(param: Param) -> tuple[str, ...]:
    """Make the arguments of a param: a list is several, anything else is one.

    Raises:
        ValueError: No argument can hold it.
    """
    if type(param) is not str and isinstance(param, (list, tuple)):
        return tuple(map(argument, param))
    return (argument(param),)


def _checked(text: str) -> str:
    if "\0" in text:
        raise ValueError("the param holds a NUL, which no argument can; use --stdin")
    if len(text) > _SURE or not text.isascii():
        try:
            size = len(os.fsencode(text))
        except UnicodeEncodeError as error:
            raise ValueError(f"the param holds text that no argument can ({error.reason}); use --stdin") from None
        if size > LONGEST_ARGUMENT:
            raise ValueError(f"the param has {size} bytes, an argument at most {LONGEST_ARGUMENT}; use --stdin")
    return text


def _field(param: Any, path: tuple[str, ...]) -> str:
    value = param
    for depth, name in enumerate(path):
        if isinstance(value, Mapping) and name in value:
            value = value[name]
        elif isinstance(value, (list, tuple)) and name.isdecimal() and int(name) < len(value):
            value = value[int(name)]
        else:
            raise ValueError(_no_field(value, path, depth))
    return argument(value)


def _no_field(value: Any, path: tuple[str, ...], depth: int) -> str:
    where = f"{'.'.join(path[:depth])} of the param" if depth else "the param"
    if isinstance(value, Mapping):
        there = ", ".join(sorted(map(str, value))[:20]) or "none"
        what = f"it has the fields {there}" if value else "it has no fields"
    elif isinstance(value, (list, tuple)):
        what = f"it is a list of {len(value)}"
    else:
        what = f"it is {param_text(value)[:40]!r}"
    return f"no field {path[depth]!r} in {where} for {{{'.'.join(path)}}}: {what}"


def _directory(path: str) -> str:
    # As dirname(1) and GNU parallel: a slash at the end names no file below the directory.
    head, slash, _ = (path.rstrip("/") or "/").rpartition("/")
    return head.rstrip("/") or slash or "."


def _cut(word: str) -> list[_Piece]:
    pieces: list[_Piece] = []
    end = 0
    if "{" not in word:
        return [word]
    for found in re.finditer(PLACEHOLDER, word):
        if found.start() > end:
            pieces.append(word[end : found.start()])
        pieces.append(_hole(found[1] or "", found[2] or ""))
        end = found.end()
    if end < len(word) or not pieces:
        pieces.append(word[end:])
    return pieces


def _hole(form: str, name: str) -> _Hole:
    if name == "#":
        return _Hole("#")
    if name:
        return _Hole("", tuple(name.split(".")))
    return _Hole(form) if form else _WHOLE


def _without_fields(pieces: list[_Piece]) -> list[_Piece]:
    return [f"{{{'.'.join(piece.path)}}}" if isinstance(piece, _Hole) and piece.path else piece for piece in pieces]


def _joined(pieces: list[_Piece]) -> list[_Piece]:
    """Join the texts that stand side by side."""
    joined: list[_Piece] = []
    for piece in pieces:
        if joined and isinstance(piece, str) and isinstance(joined[-1], str):
            joined[-1] += piece
        else:
            joined.append(piece)
    return joined


def _quoting(line: list[_Piece]) -> list[_Piece]:
    """Make the holes of a shell line quote what they are filled with."""
    from minionize.shellline import wraps

    texts = [""]
    for piece in line:
        if isinstance(piece, str):
            texts[-1] += piece
        else:
            texts.append("")
    around = iter(wraps(texts))
    return [p if isinstance(p, str) else _Hole(p.form, p.path, next(around)) for p in line]
