"""Colours by what they mean. The app knows them; here they are only asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from rich.style import Style
    from rich.text import Text
    from textual.app import App

__all__ = ["line", "role_style"]


def role_style(app: App[Any], role: str) -> Style:
    """Return the style of a role of the theme; a plain one for "", and where the app has no themes."""
    from rich.style import Style

    ask = cast("Callable[[str], Style] | None", getattr(app, "role_style", None))
    return ask(role) if ask is not None and role else Style()


def line(app: App[Any], *parts: str | tuple[str, str]) -> Text:
    """Write one line of several parts, each plain or with its role. Nothing in it is taken for markup."""
    from rich.text import Text

    text = Text(no_wrap=True, end="")
    for part in parts:
        words, role = (part, "") if isinstance(part, str) else part
        text.append(words, role_style(app, role))
    return text
