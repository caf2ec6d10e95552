"""The summary as one page that needs nothing else: data, styles and scripts are in it."""

from __future__ import annotations

import json
from html import escape
from importlib.resources import files
from typing import Any

from minionize.status.wire import Status
from minionize.status.words import date
from minionize.version import __version__

__all__ = ["page"]

_SCRIPTS = ("words.js", "drawing.js", "plots.js", "page.js")
_MOST = {"minions": 400, "hosts": 200, "jobs": 200, "failures": 200}


def page(status: Status) -> str:
    """Write the page. Of long lists it holds the beginning, and says so.

    Args:
        status: What to show.
    """
    assets = files("minionize.status") / "assets"
    if not status["records"]:
        return _empty(status)
    parts = {
        "title": escape(", ".join(status["places"])),
        "footer": escape(f"As of {date(status['as_of'])}, by minion-status of minionize {__version__}."),
        "style": (assets / "page.css").read_text("utf-8"),
        "script": "\n".join((assets / name).read_text("utf-8") for name in _SCRIPTS),
        "data": _data(status),
    }
    # Cut first: what is put in is never looked through again.
    first, *rest = (assets / "page.html").read_text("utf-8").split("{{")
    pieces = [first]
    for piece in rest:
        name, _, text = piece.partition("}}")
        pieces += [parts[name], text]
    return "".join(pieces)


def _data(status: Status) -> str:
    """Write the data so that nothing in it ends the script element or begins another one."""
    shown: dict[str, Any] = {**status}
    shown["all"] = {name: len(shown[name]) for name in _MOST}
    for name, most in _MOST.items():
        shown[name] = shown[name][:most]
    text = json.dumps(shown, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _empty(status: Status) -> str:
    words = f"No records: {status['left_out']} were left out by the filters."
    title = escape(", ".join(status["places"]))
    return f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>{title}</title><p>{words}</p></html>\n'
