"""The dead list: what was given up, with its evidence, durable before the param leaves the queue."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from minionize.engine import DeadLetter
from minionize.sweepdir.jsonlog import JsonLog
from minionize.sweepdir.pickles import Damage, from_text, to_text
from minionize.task import to_json


class Dead:
    """What the file tells, as far as it was read.

    Attributes:
        letters: The dead params by id.
    """

    def __init__(self, path: str) -> None:
        self._log = JsonLog(path)
        self.letters: dict[str, DeadLetter] = {}
        self._writers: dict[str, str] = {}

    def refresh(self) -> None:
        """Read what is new."""
        anew, lines = self._log.news()
        if anew:
            self.letters.clear()
        for line in lines:
            self._apply(line)

    def written_by(self, id: str) -> str | None:
        """Return which minion gave a param up; None if it is not dead."""
        return self._writers.get(id) if id in self.letters else None

    def _apply(self, line: dict[str, Any]) -> None:
        id = line["id"]
        if line.get("requeued"):
            self.letters.pop(id, None)
            return
        evidence, at = line.get("evidence"), line.get("at")
        try:
            param = from_text(line["pickle"], self._log.path)
        except (Damage, ValueError, KeyError, TypeError):
            return  # without its param an entry is of no use: it cannot be found in ``done``
        self._writers[id] = str(line.get("by", ""))
        self.letters[id] = DeadLetter(
            id=id,
            param=param,
            reason=str(line.get("reason", "")),
            evidence=evidence if isinstance(evidence, dict) else {},
            at=float(at) if isinstance(at, (int, float)) else 0.0,
        )

    def add(
        self, params: Iterable[tuple[str, Any]], reason: str, evidence: Iterable[Mapping[str, Any]], at: float, by: str
    ) -> None:
        """Write down that params are dead, durably.

        Args:
            params: Their ids and values.
            reason: Why, in words.
            evidence: What is known of the last run of each.
            at: When, Unix seconds.
            by: The minion that says so.

        Raises:
            OSError: It could not be written; nothing was.
        """
        lines: list[dict[str, Any]] = [
            {
                "id": id,
                "param": json.loads(to_json(param)),
                "pickle": to_text(param),
                "reason": reason,
                "evidence": json.loads(to_json(dict(known))),
                "at": at,
                "by": by,
            }
            for (id, param), known in zip(params, evidence, strict=True)
        ]
        self._write(lines)

    def cancel(self, ids: Iterable[str], at: float, by: str) -> None:
        """Write down that params are dead no longer, durably.

        Raises:
            OSError: It could not be written; nothing was.
        """
        self._write([{"id": id, "requeued": True, "at": at, "by": by} for id in ids])

    def _write(self, lines: list[dict[str, Any]]) -> None:
        if lines:
            self.refresh()
            self._log.add(lines, sync=True)
            for line in lines:
                self._apply(line)
