"""The numbers of a minion: what it counts, how fast, how long its runs took; and how they are sent (``wire``).

Standard library only: whoever shows a fleet imports this and nothing else of a minion.
"""

from minionize.stats.counters import COUNTERS, Stats
from minionize.stats.histogram import Histogram
from minionize.stats.rates import Rates

__all__ = ["COUNTERS", "Histogram", "Rates", "Stats"]
