"""Whether locks in a directory are seen by other hosts, by what is mounted there."""

from __future__ import annotations

import os


def doubtful_locks(folder: str, mounts: str = "/proc/self/mountinfo") -> str | None:
    """Tell why locks in a directory would be seen on this host only; None if there is no reason to think so.

    Args:
        folder: The directory.
        mounts: The table of mounts of this process.
    """
    try:
        device = os.stat(folder).st_dev
        with open(mounts, encoding="utf-8", errors="replace") as file:
            lines = file.readlines()
    except OSError:
        return None
    number = f"{os.major(device)}:{os.minor(device)}"
    for line in lines:
        fields, _, rest = line.partition(" - ")
        parts, words = fields.split(), rest.split()
        if len(parts) < 5 or len(words) < 3 or parts[2] != number or not words[0].startswith("nfs"):
            continue
        options = set(words[2].split(",")) | set(parts[5].split(",") if len(parts) > 5 else ())
        found = options & {"nolock", "local_lock=all", "local_lock=posix"}
        if found:
            return f"{parts[4]} is mounted with {', '.join(sorted(found))}"
    return None
