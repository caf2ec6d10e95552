"""Runs a program in a real terminal, a tmux of its own, as a user does who looks at it and presses keys."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 60.0
"""Seconds until what a test waits for must be there, on a machine that has much else to do."""

_ENDED = "exit status"
# What runs in the pane: so that there is a terminal to look at when the program has ended.
_AROUND = f'"$@"; echo "{_ENDED} $?"; stty -a; exec sleep 600'


class Terminal:
    """One terminal.

    Args:
        folder: Where the program works, and where all that it writes is kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # Not in ``folder``: the path of a socket may not be long.
        self._server = tempfile.mkdtemp(prefix="tmux-")
        self._log = folder / f"terminal-{os.path.basename(self._server)}"

    def start(self, argv: Sequence[str], environ: Mapping[str, str], size: tuple[int, int] = (120, 30)) -> None:
        """Start a program; return at once."""
        said = [f"{name}={value}" for name, value in environ.items()]
        width, height = map(str, size)
        self._tmux(
            "new-session", "-d", "-x", width, "-y", height, "-c", str(self._folder), "-s", "it",
            "env", "-i", *said, "sh", "-c", _AROUND, "sh", *argv, ";",
            "set-option", "-g", "status", "off", ";",
            "resize-window", "-x", width, "-y", height, ";",
            "pipe-pane", f"exec cat > {shlex.quote(str(self._log))}",
        )  # fmt: skip

    # What is done to it.

    def keys(self, *keys: str) -> None:
        """Press keys, by tmux's names: F1, Enter, C-c; a letter is itself."""
        self._tmux("send-keys", *keys)

    def type(self, text: str) -> None:
        """Type a text."""
        self._tmux("send-keys", "-l", "--", text)

    def click(self, column: int, row: int) -> None:
        """Click, as a terminal tells it to a program that follows the mouse; both from 0."""
        at = f"{column + 1};{row + 1}"
        self.type(f"\x1b[<0;{at}M\x1b[<0;{at}m")

    def resize(self, width: int, height: int) -> None:
        """Make the window so large."""
        self._tmux("resize-window", "-x", str(width), "-y", str(height))

    # What is seen.

    def text(self, styles: bool = False) -> str:
        """Return what is on the screen; ``styles`` as escape sequences."""
        return self._tmux("capture-pane", "-p", *["-e"] * styles)

    def lines(self, words: str) -> list[str]:
        """Return the lines in which these words are."""
        return [line for line in self.text().splitlines() if words in line]

    def until(self, condition: Callable[[str], T], what: str = "", seconds: float = PATIENCE) -> T:
        """Wait until something holds of the text on the screen; return it.

        A text counts that was there twice: one look alone may find a line of which half has been drawn.
        """
        deadline = time.monotonic() + seconds
        before, text = "", self.text()
        while text != before or not (found := condition(text)):
            assert time.monotonic() < deadline, f"not within {seconds:g} s: {what or condition}; it shows:\n{text}"
            time.sleep(0.03)
            before, text = text, self.text()
        return found

    def sees(self, *words: str, seconds: float = PATIENCE) -> str:
        """Wait until all these words are on the screen; return its text."""
        return self.until(lambda text: text if all(each in text for each in words) else "", f"{words}", seconds)

    def misses(self, *words: str) -> str:
        """Wait until none of these words is on the screen; return its text."""
        return self.until(lambda text: "" if any(each in text for each in words) else text, f"none of {words}")

    def matches(self, pattern: str) -> re.Match[str]:
        """Wait until a pattern is found on the screen."""
        found = self.until(lambda text: re.search(pattern, text), f"/{pattern}/")
        assert found is not None
        return found

    def writes(self, *sequences: bytes) -> None:
        """Wait until all these have been written to it: what keeps them comes a moment after the screen."""
        self.until(lambda _: all(each in self.written for each in sequences), f"{sequences} are written")

    def has_flags(self, **wanted: int) -> None:
        """Wait until tmux knows this of the terminal."""
        said = {name: str(value) for name, value in wanted.items()}
        self.until(lambda _: {name: self.flag(name) for name in said} == said, f"{said}")

    def flag(self, name: str) -> str:
        """Return what tmux knows of the terminal: alternate_on, mouse_any_flag, cursor_flag, pane_title, ..."""
        return self._tmux("display-message", "-p", f"#{{{name}}}").strip()

    @property
    def written(self) -> bytes:
        """All bytes that were written to it."""
        return self._log.read_bytes() if self._log.exists() else b""

    # How it ends.

    @property
    def process(self) -> Path:
        """The program's directory under /proc; it is there for as long as the program."""
        shell = self.flag("pane_pid")
        deadline = time.monotonic() + PATIENCE
        while not (children := Path(f"/proc/{shell}/task/{shell}/children").read_text().split()):
            assert time.monotonic() < deadline, "nothing has been started"
            time.sleep(0.01)
        return Path("/proc", children[0])

    def send(self, number: int) -> None:
        """Send the program a signal."""
        os.kill(int(self.process.name), number)

    def ended(self) -> int:
        """Wait until the program has ended; return its exit status."""
        return int(self.matches(rf"{_ENDED} (\d+)")[1])

    def close(self) -> None:
        """End all that runs in it."""
        subprocess.run(["tmux", "-S", f"{self._server}/s", "kill-server"], capture_output=True, timeout=20, check=False)
        shutil.rmtree(self._server, ignore_errors=True)

    def _tmux(self, *words: str) -> str:
        # Its own environment would be that of its panes, and ours may be in another tmux.
        environ = {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", "TERM": "xterm-256color"}
        command = ["tmux", "-u", "-S", f"{self._server}/s", "-f", os.devnull, *words]
        done = subprocess.run(command, env=environ, capture_output=True, timeout=PATIENCE, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()
