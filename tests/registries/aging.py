"""Time in a directory: passes at no cost."""

from __future__ import annotations

import os
from pathlib import Path


def age(folder: Path, seconds: float) -> None:
    """Make every file of a directory so much older."""
    for path in folder.iterdir():
        status = path.lstat()
        times = (status.st_atime_ns, status.st_mtime_ns - int(seconds * 1e9))
        os.utime(path, ns=times, follow_symlinks=False)
