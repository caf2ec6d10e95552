"""``--serve``: the same mtop, in a browser."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any

import click

from minionize.console import say
from mtop.cli.extra import needed

__all__ = ["browser", "words_of"]


def browser(given: dict[str, Any], params: Sequence[click.Parameter]) -> int:
    """Serve the screen until Ctrl-C; return the exit status."""
    if given["filter"]:
        # A mistake is better known here than in each page.
        from mtop.filters import parse

        parse(given["filter"])
    host, port = given["serve"]
    # Without -P a directory called mtop here would be taken for mtop.
    command = [sys.executable, "-P", "-m", "mtop", *words_of({**given, "serve": None}, params)]
    needed("mtop.serve.server").serve(command, host, port, given["readonly"], lambda words: say(words, "mtop"))
    return 0


def words_of(given: dict[str, Any], params: Sequence[click.Parameter]) -> Iterator[str]:
    """Write a command line again, from what was understood of it."""
    for option in params:
        value = given[option.name or ""]
        if not isinstance(option, click.Option) or value in (None, False, ()):
            continue
        flag = option.opts[-1] if option.opts[-1].startswith("--") else option.opts[0]
        if option.is_flag:
            yield flag
        else:
            values = value if option.multiple else [",".join(value) if isinstance(value, tuple) else value]
            yield from (f"{flag}={each}" for each in values)
    yield from ("--", *given["urls"])
