r"""Where in a shell line something can be filled in, and how it must be quoted there. Pure.

A value in single quotes is data to the shell only where single quotes quote. Inside the line's own quotes
they do not: ``echo "{}"`` would run what stands in ``$( )`` of a param. So the line is read as the shell
reads it, as far as needed to know which quotes each hole stands in; the hole then closes them, puts the
value in quotes of its own and opens them again. Where that cannot be known or done the line is refused,
before any param is taken.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["check_append", "quote", "wraps"]

# What is read over whole: an escaped character, and expansions too simple to hold quotes or holes.
_OVER = r"""\\[\s\S] | \$\{[^{}"'`$\\]*\} | \$\(\([^()"'`$\\]*\)\) | `[^`"'$\\]*`"""

_TOKENS = {
    "code": re.compile(
        rf"""(?P<unsure>\\\n\#|<<|[()]\#|\$'|\\\Z|\$\Z|\bcase\b) | (?P<over>{_OVER})
        | (?P<doubt>`|\$\{{|\$?\(\() | (?P<comment>(?:\A|[ \t\n;&|<>])\#)
        | (?P<code>\$?\() | (?P<close>\)) | (?P<double>") | (?P<single>')""",
        re.VERBOSE,
    ),
    "double": re.compile(
        rf"""(?P<over>{_OVER}) | (?P<unsure>`|\$\{{|\$\(\(|\\\Z) | (?P<code>\$\() | (?P<close>")""", re.VERBOSE
    ),
    "single": re.compile(r"(?P<close>')"),
    "comment": re.compile(r"(?P<close>(?=\n))"),
}
r"""For each state what changes it, or makes it unsure. ``\Z`` is where a hole follows."""

_WRAP = {"code": "", "double": '"', "single": "'"}

_NO_ARGUMENT_BEHIND = re.compile(r"(?:[;&|()]|(?:^|[\s;])(?:[{}]|done|fi|esac))\s*\Z")


def quote(text: str) -> str:
    """Quote a text for the shell; always, for in ``echo 2>out`` a bare 2 would not be data."""
    return "'" + text.replace("'", "'\"'\"'") + "'"


def wraps(texts: Sequence[str]) -> list[str]:
    """Tell for each hole of a shell line which quote it must close before itself and open again after.

    Args:
        texts: The line, cut at its holes: one text more than there are holes.

    Raises:
        ValueError: A hole stands where no value can be quoted safely; the message shows the place.
    """
    stack = ["code"]
    found: list[str] = []
    for number, text in enumerate(texts[:-1]):
        # Behind a hole the text goes on inside a word, where # begins no comment.
        doubt = _read(f"x{text}" if number else text, stack)
        if doubt or stack[-1] == "comment":
            before = "".join(f"{part}{{}}" for part in texts[: number + 1])
            why = "in a comment" if stack[-1] == "comment" else f"after {doubt}"
            raise ValueError(
                f"shell line `{before}`: the last placeholder stands {why}, where a param cannot be quoted "
                'safely; use "$MINION_PARAM" there, or --stdin'
            )
        found.append(_WRAP[stack[-1]])
    return found


def check_append(line: str) -> None:
    """Refuse a line behind which no argument can stand.

    Raises:
        ValueError: The line ends with a separator, a bracket or the end of a loop.
    """
    if _NO_ARGUMENT_BEHIND.search(line):
        raise ValueError(f"shell line `{line}`: nothing can be appended to it; put {{}} where the param goes")


def _read(text: str, stack: list[str]) -> str:
    """Follow the quotes through a text; return what makes all after it doubtful, or nothing."""
    position = 0
    while token := _TOKENS[stack[-1]].search(text, position):
        kind = token.lastgroup or ""
        position = token.end()
        if kind in ("unsure", "doubt") and not (token[0] == "case" and len(stack) == 1):
            return {"\\": "a backslash", "$": "a $"}.get(token[0], token[0])
        if kind == "close" and len(stack) > 1:
            stack.pop()
        elif kind in _TOKENS:
            stack.append(kind)
    return ""
