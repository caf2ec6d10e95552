"""The summary as a table: one row for each minion. Pure."""

from __future__ import annotations

import csv
import io

from minionize.status.run import OUTCOMES
from minionize.status.wire import Status

__all__ = ["COLUMNS", "table_of_minions"]

COLUMNS = ("minion", "host", "job", "slots", "first", "last", "lifetime", "records", *OUTCOMES, "seconds", "wasted")
"""Names of the columns. Scripts depend on them: add at the end, never rename."""


def table_of_minions(status: Status) -> str:
    """Write it as CSV: a heading, and the minions in the order of their start. Nothing stands for an unknown job."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for each in status["minions"]:
        counts = [each["outcomes"].get(name, 0) for name in OUTCOMES]
        lifetime = each["last"] - each["first"]
        times = [f"{value:.6f}" for value in (each["first"], each["last"], lifetime)]
        spent = [f"{each['seconds']:.6f}", f"{each['wasted']:.6f}"]
        names = [each["minion"], each["host"], each["job"] or ""]
        writer.writerow([*names, each["slots"], *times, each["records"], *counts, *spent])
    return text.getvalue()
