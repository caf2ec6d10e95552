"""Where the summary goes: to standard output in one form or another, or into a page."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from minionize.console import write
from minionize.errors import SettingsError
from minionize.status.answer import STEPS
from minionize.status.readers.places import NoRecordsError
from minionize.status.wire import Status

__all__ = ["Form", "show", "show_again"]

_PLOTTED = 100  # steps of a plot in a terminal
_HOME, _REST_OF_LINE, _REST_OF_SCREEN = "\x1b[H", "\x1b[K", "\x1b[J"


class Form(NamedTuple):
    """What the summary is written as; text by default.

    Attributes:
        json, csv: So, to standard output.
        html: As a page, into this file.
    """

    json: bool = False
    csv: bool = False
    html: str | None = None


def show(status: Callable[[int], Status], form: Form, say: Callable[[str], None]) -> None:
    """Write the summary.

    Args:
        status: Makes it, with a timeline of so many steps.
        form: As what.
        say: Told where a page is.

    Raises:
        SettingsError: There is nothing to sum up, or the page cannot be written.
    """
    if form.html is not None:
        _write_page(status, form.html)
        say(f"wrote {form.html}")
    elif form.json:
        write(_line(status))
    elif form.csv:
        from minionize.status.rows import table_of_minions

        write(table_of_minions(status(STEPS)))
    else:
        write(_text(status, on_screen=False))


def show_again(status: Callable[[int], Status], form: Form, every: float) -> None:
    """Write the summary every few seconds, until Ctrl-C; then once more, whole.

    Raises:
        SettingsError: The page cannot be written.
    """
    from minionize.status.watching import interrupted, watched

    def once(final: bool) -> None:
        if form.html is not None or form.json:
            with suppress(NoRecordsError):
                _write_page(status, form.html) if form.html is not None else write(_line(status))
        elif sys.stdout is not None and sys.stdout.isatty():
            lines = _text_so_far(status, every, on_screen=not final).split("\n")
            write(_HOME + f"{_REST_OF_LINE}\n".join(lines) + _REST_OF_SCREEN)
        elif not final:
            write(f"{_text_so_far(status, every, on_screen=False)}\n")

    # What there is already may take a while to read, and Ctrl-C then simply ends it.
    if form == Form() and sys.stdout is not None and sys.stdout.isatty():
        write(_HOME + _REST_OF_SCREEN)
    once(False)
    with interrupted() as ended:
        watched(once, ended, every)


def _line(status: Callable[[int], Status]) -> str:
    return json.dumps(status(STEPS), separators=(",", ":")) + "\n"


def _text(status: Callable[[int], Status], *, on_screen: bool) -> str:
    from minionize.status.terminal.canvas import canvas_of
    from minionize.status.terminal.text import text

    found = status(_PLOTTED)
    canvas = canvas_of(sys.stdout, os.environ)
    if on_screen:
        canvas = canvas._replace(height=_screen() - 2)
    return text(found, canvas)


def _text_so_far(status: Callable[[int], Status], every: float, *, on_screen: bool) -> str:
    """As ``_text``; where there is no record yet, that is the state."""
    now = time.strftime("%H:%M:%S")
    try:
        body = _text(status, on_screen=on_screen)
    except NoRecordsError as error:
        from minionize.console import printable

        body = f"{printable(str(error))}\n"
    return f"{now}, every {every:g} s; Ctrl-C ends\n{body}" if on_screen else body


def _screen() -> int:
    from shutil import get_terminal_size

    return get_terminal_size((80, 24)).lines


def _write_page(status: Callable[[int], Status], path: str) -> None:
    from minionize.status.page import page

    text = page(status(STEPS))
    draft = f"{path}.{os.getpid()}.draft"
    try:
        if os.path.exists(path) and not os.path.isfile(path):
            # Such as /dev/stdout: nothing that could be put aside.
            draft = path
        with open(draft, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
        if draft != path:
            os.replace(draft, path)
    except OSError as error:
        raise SettingsError(f"--html {path}: {error.strerror or error}") from None
