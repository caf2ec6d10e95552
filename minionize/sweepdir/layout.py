"""Where everything is in a sweep directory."""

from __future__ import annotations

import os

from minionize.sweepdir.fsio import make_folder


class Layout:
    """The paths of one sweep directory.

    Attributes:
        folder: The directory itself.
        sweeps, done, inprogress: The files of ParamSweeper.
        side: The side-car.
        leases, started, returns, dead, ahead, scan: What is in it.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.sweeps = os.path.join(folder, "sweeps")
        self.done = os.path.join(folder, "done")
        self.inprogress = os.path.join(folder, "inprogress")
        self.side = os.path.join(folder, "minionize")
        self.leases = os.path.join(self.side, "leases")
        self.started = os.path.join(self.side, "started")
        self.returns = os.path.join(self.side, "returns.jsonl")
        self.dead = os.path.join(self.side, "dead.jsonl")
        self.ahead = os.path.join(self.side, "inprogress.ahead")
        self.scan = os.path.join(self.side, "scan")

    def make_side(self) -> None:
        """Make the side-car. Its mode is as the umask says: a group may share the directory."""
        for path in (self.side, self.leases, self.started):
            make_folder(path)
