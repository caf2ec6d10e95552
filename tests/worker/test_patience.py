from __future__ import annotations

from dataclasses import replace

import pytest

from minionize.engine import Backlog
from minionize.engines.memory import MemoryEngine
from minionize.worker.patience import Patience


class Told(MemoryEngine):
    """Of an endless shared queue it tells what it was told."""

    features = replace(MemoryEngine.features, finite=False, shared=True)
    said: Backlog | None = None

    def backlog(self) -> Backlog | None:
        return self.said


@pytest.mark.parametrize(
    ("said", "leaves"),
    [
        (None, True),
        (Backlog(0, 0, 0, exact=True, as_of=0.0), True),
        (Backlog(1, 0, 0, exact=True, as_of=0.0), False),
        # Of others who were quicker, perhaps: an estimate may never say 0.
        (Backlog(1, 0, 0, exact=False, as_of=0.0), True),
        # A retry will come in its time.
        (Backlog(1, 0, 0, exact=False, as_of=0.0, delayed=1), False),
    ],
)
def test_who_leaves_an_empty_queue(said: Backlog | None, leaves: bool) -> None:
    now = 0.0
    engine = Told([])
    engine.said = said
    patience = Patience(engine, 10.0, lambda: now)
    now = 9.0
    patience.hears(False)
    assert not patience.is_over()
    now = 10.0
    patience.hears(False)
    assert patience.is_over() is leaves
