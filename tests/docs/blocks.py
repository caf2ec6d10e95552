"""Reads the code blocks of a page and tries them as a reader would, from top to bottom in one directory.

- A block with a title is a file: ```python title="sweep.py".
- A ``console`` block is a terminal: lines behind "$ " are commands (behind "> " their continuation), the rest is
  what they print. "..." stands for any text, and alone on a line for any lines.
  With ``<!-- any order -->`` above the block, the lines may come in any order. The line with which a minion says
  what it did need not be there.
- Any other block is only shown.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

SUMMARY = re.compile(r"minionize: \d+ done, .* in [\d.]+ s")
FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)(?: title=\"(?P<title>[^\"]+)\")?\s*$")


@dataclass
class Block:
    """One fenced block of a page."""

    language: str
    title: str | None
    line: int
    any_order: bool = False
    lines: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(f"{line}\n" for line in self.lines)


@dataclass
class Command:
    """One command of a console block, and the lines that it prints."""

    line: int
    words: str
    output: list[str] = field(default_factory=list)


def blocks(page: str) -> Iterator[Block]:
    """Every fenced block of a page, in order."""
    block: Block | None = None
    indent, before = "", ""
    for number, line in enumerate(page.splitlines(), 1):
        if block is None:
            if fence := FENCE.match(line):
                indent = fence["indent"]
                block = Block(fence["language"], fence["title"], number, "<!-- any order -->" in before)
        elif line.strip() == "```":
            yield block
            block = None
        else:
            block.lines.append(line.removeprefix(indent))
        before = line if line.strip() else before


def commands(block: Block) -> list[Command]:
    """The commands of a console block."""
    found: list[Command] = []
    for number, line in enumerate(block.lines, block.line + 1):
        if line.startswith("$ "):
            found.append(Command(number, line[2:]))
        elif line.startswith("> ") and found and not found[-1].output:
            found[-1].words += "\n" + line[2:]
        else:
            assert found, f"line {number}: output without a command"
            found[-1].output.append(line)
    return found


def matches(expected: list[str], printed: list[str], any_order: bool = False) -> bool:
    """Whether a command printed what the page says."""
    if any_order:
        expected, printed = sorted(expected), sorted(printed)
    pattern = ""
    for line in expected:
        pattern += r"(?:.*\n)*" if line == "..." else ".*".join(map(re.escape, line.split("..."))) + r"\n"
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in printed)) is not None


def environment(home: Path) -> dict[str, str]:
    """What a reader's terminal holds: this project's programs, and no setting of ours."""
    kept = {
        key: value for key, value in os.environ.items() if not key.startswith(("MINION", "EXECO_", "FILE_", "OAR_"))
    }
    kept.pop("DRY", None)
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', '')}"
    return kept | {"PATH": path, "HOME": str(home), "TERM": "dumb", "LC_ALL": "C.UTF-8", "COLUMNS": "100"}


def try_page(page: str, directory: Path) -> list[str]:
    """Try every block of a page; return what was not as the page says."""
    wrong: list[str] = []
    for block in blocks(page):
        if block.title is not None:
            path = directory / block.title
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text)
            path.chmod(0o755 if block.text.startswith("#!") else 0o644)
        elif block.language == "console":
            wrong += filter(None, (try_command(command, directory, block.any_order) for command in commands(block)))
    return wrong


def try_command(command: Command, directory: Path, any_order: bool) -> str | None:
    """Run one command; return what is wrong with it, if anything."""
    done = subprocess.run(
        ["bash", "-c", command.words],
        cwd=directory,
        env=environment(directory),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
    )
    printed = [line.rstrip() for line in done.stdout.splitlines()]
    if not any("minionize:" in line and " done, " in line for line in command.output):
        printed = [line for line in printed if not SUMMARY.match(line)]
    if matches(command.output, printed, any_order):
        return None
    said, got = "\n".join(command.output), "\n".join(printed)
    return f"line {command.line}: $ {command.words}\n--- the page says\n{said}\n--- it printed\n{got}\n"
