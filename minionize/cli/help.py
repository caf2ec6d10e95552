"""What ``minionize --help`` prints."""

from __future__ import annotations

from collections.abc import Iterator

from minionize.cli.options import GROUPED, Entry
from minionize.errors import ExitCode

__all__ = ["USAGE", "help_text"]

USAGE = "minionize [OPTIONS] COMMAND [ARG]..."

_INTRODUCTION = """\
Run COMMAND once for each param of a queue, as xargs does for the lines of its input. Any number of minions on any
number of machines may share the queue; a param is done when its run has succeeded.

From COMMAND on everything goes to the program as it is, but for placeholders: {} the param, {name} {a.b} fields
of a mapping, {/} {//} {.} {/.} parts of a path, {%} the slot, {#} the number of the run. Without a placeholder
the param is appended. Every option can also be set by its variable, by .env, or by its name in .minionize.yml."""

_EXAMPLES = (
    ("seq 10 | minionize echo hello", "one run per line"),
    ("minionize -j4 --retries 2 convert {} {.}.png < files.txt", "four at a time"),
    ("minionize -e execo ./a.out --size {size}", "a shared sweep directory"),
    ("minionize --shell 'gzip -c {} > {/}.gz' < files.txt", "a shell line"),
    ("minionize --function module:f < params.txt", "a Python function"),
    ("minionize --dry-run ./a.out {} < params.txt", "only show what would run"),
)

_INDENT = 32


def help_text(width: int) -> str:
    """Write the help.

    Args:
        width: Columns of the terminal.
    """
    width = max(60, min(width, 118))
    return "\n".join(_lines(width)) + "\n"


def _lines(width: int) -> Iterator[str]:
    yield f"Usage: {USAGE}"
    for paragraph in _INTRODUCTION.split("\n\n"):
        yield ""
        yield from _wrap(paragraph.replace("\n", " "), width)
    for title, entries in GROUPED:
        yield from ("", f"{title}:")
        for entry in entries:
            yield from _entry(entry, width)
    yield from ("", "Exit codes:")
    for code in ExitCode:
        number = "128+N" if code is ExitCode.SIGNAL else str(int(code))
        meaning = code.meaning.removeprefix("128+N: ")
        first, *rest = _wrap(meaning, width - 9)
        yield f"  {number:<5}  {first}"
        yield from (f"{'':9}{line}" for line in rest)
    yield from ("", "Examples:")
    longest = max(len(line) for line, _ in _EXAMPLES)
    for line, what in _EXAMPLES:
        yield f"  {line:<{longest}}  # {what}" if longest + len(what) + 6 <= width else f"  {line}"


def _entry(entry: Entry, width: int) -> Iterator[str]:
    names = ", ".join(entry.flags)
    left = f"  {names} {entry.metavar}".rstrip() if entry.flags[0][1] != "-" else f"      {names} {entry.metavar}"
    notes = [note for note in (entry.variable, f"default {entry.default}" if entry.default else "") if note]
    text = f"{entry.help} [{', '.join(notes)}]" if notes else entry.help
    lines = _wrap(text, width - _INDENT)
    if len(left.rstrip()) > _INDENT - 2:
        yield left.rstrip()
    else:
        yield f"{left:<{_INDENT}}{lines.pop(0)}"
    yield from (f"{'':{_INDENT}}{line}" for line in lines)


def _wrap(text: str, width: int) -> list[str]:
    from textwrap import wrap

    return wrap(text, width, break_on_hyphens=False, break_long_words=False)
