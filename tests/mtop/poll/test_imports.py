"""What polling imports, as ``mtop --once`` starts in a moment."""

from __future__ import annotations

import subprocess
import sys

STRANGE = ("asyncio", "concurrent", "ssl", "http", "textual", "httpx", "aiohttp", "rich", "random", "mtop.model")


def test_polls_import_little() -> None:
    code = "import sys, mtop.poll; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert "mtop.poll.poller" in loaded
    assert [name for name in loaded for each in STRANGE if f"{name}.".startswith(f"{each}.")] == []
