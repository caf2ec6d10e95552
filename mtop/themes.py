"""Themes: what each role looks like. Roles say what a thing means; no other file names a colour."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mtop.config import THEMES

if TYPE_CHECKING:
    from rich.style import Style
    from textual.theme import Theme

__all__ = ["ROLES", "Palette", "textual_themes"]

ROLES = (
    "good", "bad", "warn", "dim", "title", "accent", "key", "tagged", "cursor", "match", "head", "sorted", "group",
    "state-starting", "state-running", "state-idle", "state-paused", "state-draining", "state-stopped", "state-stale",
    "state-lost", "state-unknown",
)  # fmt: skip

_DARK = {
    "good": "#5fd75f", "bad": "bold #ff5f5f", "warn": "#ffd75f", "dim": "#808080", "title": "bold #5fd7d7",
    "accent": "#5fd7d7", "key": "#d0d0d0 on #121212", "tagged": "bold #ffd75f", "cursor": "#000000 on #00afaf",
    "match": "#000000 on #d7af00", "head": "#000000 on #00af5f", "sorted": "bold #000000 on #00afaf",
    "group": "bold #87afff", "state-starting": "#87afff", "state-running": "#5fd75f", "state-idle": "#d0d0d0",
    "state-paused": "#d787ff", "state-draining": "#d7af5f", "state-stopped": "#808080", "state-stale": "bold #ffd75f",
    "state-lost": "bold #ff5f5f", "state-unknown": "#808080",
}  # fmt: skip
_LIGHT = {
    "good": "#007a00", "bad": "bold #c00000", "warn": "#8a5a00", "dim": "#8a8a8a", "title": "bold #005f87",
    "accent": "#005f87", "key": "#303030 on #ffffff", "tagged": "bold #8a5a00", "cursor": "#000000 on #87d7ff",
    "match": "#000000 on #ffd75f", "head": "#ffffff on #005f5f", "sorted": "bold #000000 on #87d7ff",
    "group": "bold #00008a", "state-starting": "#00008a", "state-running": "#007a00", "state-idle": "#303030",
    "state-paused": "#87008a", "state-draining": "#8a5a00", "state-stopped": "#8a8a8a", "state-stale": "bold #8a5a00",
    "state-lost": "bold #c00000", "state-unknown": "#8a8a8a",
}  # fmt: skip
# Blue and orange only, as all kinds of colour blindness tell them apart (Okabe and Ito, 2008).
_COLOUR_BLIND = {
    "good": "#56b4e9", "bad": "bold #ff9500", "warn": "#f0e442", "dim": "#808080", "title": "bold #d0d0d0",
    "accent": "#56b4e9", "key": "#d0d0d0 on #121212", "tagged": "bold #f0e442", "cursor": "#000000 on #56b4e9",
    "match": "#000000 on #f0e442", "head": "#ffffff on #0072b2", "sorted": "bold #000000 on #56b4e9",
    "group": "bold #d0d0d0", "state-starting": "#d0d0d0", "state-running": "#56b4e9", "state-idle": "#d0d0d0",
    "state-paused": "#f0e442", "state-draining": "#f0e442", "state-stopped": "#808080", "state-stale": "bold #f0e442",
    "state-lost": "bold reverse #ff9500", "state-unknown": "#808080",
}  # fmt: skip
_MONOCHROME = {
    "good": "", "bad": "bold", "warn": "bold", "dim": "dim", "title": "bold", "accent": "", "key": "bold",
    "tagged": "bold", "cursor": "reverse", "match": "underline", "head": "reverse", "sorted": "reverse bold underline",
    "group": "bold", "state-starting": "", "state-running": "", "state-idle": "dim", "state-paused": "italic",
    "state-draining": "italic", "state-stopped": "dim", "state-stale": "bold", "state-lost": "bold reverse",
    "state-unknown": "dim",
}  # fmt: skip
_STYLES: Mapping[str, Mapping[str, str]] = dict(zip(THEMES, (_DARK, _LIGHT, _COLOUR_BLIND, _MONOCHROME), strict=True))

# Ground, its surface, its text, its first colour, and whether it is dark.
_GROUNDS = {
    "htop": ("#121212", "#1e1e1e", "#d0d0d0", "#00afaf", True),
    "light": ("#ffffff", "#eeeeee", "#303030", "#005f87", False),
    "colour-blind": ("#121212", "#1e1e1e", "#d0d0d0", "#56b4e9", True),
    "monochrome": ("#000000", "#000000", "#ffffff", "#ffffff", True),
}


class Palette:
    """The styles of one theme.

    Args:
        name: One of ``config.THEMES``.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._styles: dict[str, Style] = {}

    def __call__(self, role: str) -> Style:
        """Return the style of a role; a plain one for "", and for what is no role."""
        from rich.style import Style

        found = self._styles.get(role)
        if found is None:
            found = self._styles[role] = Style.parse(_STYLES[self.name].get(role) or "none")
        return found


def textual_themes() -> list[Theme]:
    """Make the themes of everything that Textual draws."""
    from textual.theme import Theme

    themes = []
    for name, (ground, surface, text, first, dark) in _GROUNDS.items():
        styles, plain = _STYLES[name], name == "monochrome"
        good, bad, warn = (text if plain else styles[role].split()[-1] for role in ("good", "bad", "warn"))
        themes.append(
            Theme(
                name=f"mtop-{name}", primary=first, secondary=first, accent=first, foreground=text, background=ground,
                surface=surface, panel=surface, boost=surface, dark=dark,
                success=good, error=bad, warning=warn,
            )
        )  # fmt: skip
    return themes
