"""What the shell scripts for all schedulers have in common. They are for bash, and hold no line break of the user's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from minionize.launch.variables import Variable
from minionize.quoting import shell_line, shell_word, without_secrets

__all__ = ["command_line", "exports", "made_by", "script"]

FIRST = "#!/usr/bin/env bash"


def made_by(line: Iterable[str], names: Sequence[str] = ()) -> str:
    """Return the comment that tells how a script was made; by it ``minion-launch`` knows its own scripts.

    Args:
        line: The command line of ``minion-launch``.
        names: Options that look as if a secret came behind them, while it is the name of one.
    """
    words = list(line)
    end = words.index("--") if "--" in words else len(words)
    shown = without_secrets(words)
    for at, word in enumerate(words[:end]):
        if words[at - 1] in names or word.partition("=")[0] in names:
            shown[at] = word
    return f"# {shell_line(shown)}"


def script(line: Iterable[str], *parts: Sequence[str]) -> str:
    """Put a script together: parts with an empty line between them."""
    blocks = [[FIRST, made_by(line)], *filter(None, parts)]
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def exports(variables: Iterable[Variable]) -> list[str]:
    """Write the variables; of a secret only a look whether it is there where the minions run."""
    lines = []
    for each in variables:
        if each.value is not None:
            lines += [*_as_they_are([each.value]), f"export {each.name}={shell_word(each.value)}"]
        else:
            lines += [
                f"# {each.name} is not written here: it comes from the environment, or from .env in this directory.",
                f"if [ -z \"${{{each.name}:-}}\" ] && ! grep -qsE '^ *(export +)?{each.name}=' .env; then",
                f'    echo "{each.name} is set neither in the environment nor in $PWD/.env" >&2',
                "    exit 2",
                "fi",
            ]
    return lines


def command_line(words: Sequence[str], before: str = "", after: str = "") -> list[str]:
    """Write the command of a minion, every word as it was given."""
    return [*_as_they_are(words), f"{before}{shell_line(words)}{after}"]


def _as_they_are(words: Iterable[str]) -> list[str]:
    """Tell shellcheck that what looks like an expansion in quotes is none."""
    return ["# shellcheck disable=SC2016"] if any("$" in word or "`" in word for word in words) else []
