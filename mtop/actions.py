"""Keys: ONE entry in ACTIONS adds a key to the grid, its place in the key bar, and its line of the help."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["ACTIONS", "REPLAY", "Action", "Where", "replaying", "shown_key"]

Where = Literal["move", "look", "choose", "order", "order minions", "other", "replay"]
"""Under which heading the help lists it, in this order."""


@dataclass(frozen=True, slots=True)
class Action:
    """Something a user can do in the grid.

    Attributes:
        name: The method ``action_NAME`` of the app does it.
        keys: Its keys, by Textual's names; the first one is shown.
        help: What it does, in one line.
        where: The heading in the help.
        bar: What the key bar says; "" to leave it out.
        controls: Whether it changes minions: not with --readonly.
    """

    name: str
    keys: tuple[str, ...]
    help: str
    where: Where
    bar: str = ""
    controls: bool = False


ACTIONS: tuple[Action, ...] = (
    Action("help", ("f1", "question_mark", "h"), "this help", "other", "Help"),
    Action("setup", ("f2", "S"), "columns, meters, theme, delay", "other", "Setup"),
    Action("search", ("f3", "slash"), "search; again: the next one", "choose", "Search"),
    Action("filter", ("f4", "backslash"), "show only some: text, !text, a|b, failed>0 and host=nancy*", "choose",
           "Filter"),
    Action("tree", ("f5", "t"), "flat, or grouped by host, job, queue", "look", "Tree"),
    Action("sort", ("f6", "full_stop"), "choose the column to sort by", "look", "SortBy"),
    Action("fewer_slots", ("f7", "left_square_bracket"), "one slot less", "order minions", "Slots-", True),
    Action("more_slots", ("f8", "right_square_bracket"), "one slot more", "order minions", "Slots+", True),
    Action("order", ("f9", "k"), "choose what to tell minions: pause, drain, slots, requeue dead ...", "order minions",
           "Order", True),
    Action("quit", ("f10", "q", "ctrl+c"), "leave mtop; minions go on", "other", "Quit"),
    Action("up", ("up",), "line up", "move"),
    Action("down", ("down",), "line down", "move"),
    Action("page_up", ("pageup",), "page up", "move"),
    Action("page_down", ("pagedown",), "page down", "move"),
    Action("top", ("home",), "first line", "move"),
    Action("bottom", ("end",), "last line", "move"),
    Action("left", ("left",), "columns to the left", "move"),
    Action("right", ("right",), "columns to the right", "move"),
    Action("open", ("enter",), "look into a minion, or open a group; Esc leads back", "look"),
    Action("failures", ("g",), "failures of the whole fleet, by cause", "look"),
    Action("log", ("l",), "what has happened", "look"),
    Action("sort_left", ("less_than_sign",), "sort by the column to the left", "look"),
    Action("sort_right", ("greater_than_sign",), "sort by the column to the right", "look"),
    Action("invert", ("I",), "turn the order round", "look"),
    Action("freeze", ("Z",), "keep the order, while data stay live", "look"),
    Action("follow", ("F",), "keep the cursor on this minion", "move"),
    Action("expand", ("plus",), "open the group", "look"),
    Action("collapse", ("minus",), "shut the group", "look"),
    Action("expand_all", ("asterisk",), "open or shut all groups", "look"),
    Action("tag", ("space",), "tag a minion, or all of a group", "choose"),
    Action("tag_group", ("c",), "tag all of the group, or of the host", "choose"),
    Action("tag_all", ("T",), "tag all that are shown", "choose"),
    Action("untag", ("U",), "tag none", "choose"),
    Action("pause", ("p",), "pause: take no more params for now", "order minions", "", True),
    Action("resume", ("r",), "resume after a pause", "order minions", "", True),
    Action("drain", ("d",), "drain: finish what runs, and leave", "order minions", "", True),
    Action("requeue_dead", ("D",), "requeue the dead params of the queue", "order minions", "", True),
    Action("purge", ("X",), "remove those shown that are lost or stopped", "order minions", "", True),
    Action("copy", ("y",), "copy the line (OSC 52)", "other"),
    Action("save", ("ctrl+s",), "save the screen as SVG", "other"),
    Action("palette", ("ctrl+p",), "search all commands", "other"),
    Action("redraw", ("ctrl+l",), "draw all anew", "other"),
    Action("stop", ("ctrl+z",), "stop mtop for now; the shell's fg brings it back", "other"),
)  # fmt: skip
"""All keys of the grid. Keys that mean something only inside a dialog or a drill-down stand in its own file."""

REPLAY: tuple[Action, ...] = (
    Action("play", ("space",), "stop, or go on", "replay", "Play"),
    Action("rewind", ("left",), "10 seconds back", "replay", "-10s"),
    Action("wind", ("right",), "10 seconds on", "replay", "+10s"),
    Action("rewind_far", ("shift+left",), "a minute back", "replay"),
    Action("wind_far", ("shift+right",), "a minute on", "replay"),
    Action("slower", ("left_curly_bracket", "f7"), "half the speed", "replay", "Slower"),
    Action("faster", ("right_curly_bracket", "f8"), "twice the speed", "replay", "Faster"),
)
"""Keys while a recording is shown; they take the place of what gives orders, and of their own keys' other meanings."""


def replaying() -> tuple[Action, ...]:
    """Return the keys of the grid while a recording is shown: nobody takes orders."""
    taken = {key for action in REPLAY for key in action.keys}
    looks = (action for action in ACTIONS if not action.controls and not taken.intersection(action.keys))
    return (*REPLAY, *(action for action in looks if not action.name.startswith(("tag", "untag"))))


_NAMES = {
    "question_mark": "?", "slash": "/", "backslash": "\\", "full_stop": ".", "left_square_bracket": "[",
    "right_square_bracket": "]", "less_than_sign": "<", "greater_than_sign": ">", "plus": "+", "minus": "-",
    "asterisk": "*", "pageup": "PgUp", "pagedown": "PgDn", "up": "Up", "down": "Down", "left": "Left", "right": "Right",
    "home": "Home", "end": "End", "enter": "Enter", "space": "Space", "escape": "Esc", "tab": "Tab",
    "left_curly_bracket": "{", "right_curly_bracket": "}",
}  # fmt: skip


def shown_key(key: str) -> str:
    """Write a key as people know it."""
    if key in _NAMES:
        return _NAMES[key]
    if key.startswith("shift+"):
        return f"Shift-{shown_key(key[6:])}"
    if key.startswith("ctrl+"):
        return f"^{key[5:].upper()}"
    return key.upper() if key[0] == "f" and key[1:].isdigit() else key
