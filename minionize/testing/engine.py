"""The engine contract as a test suite. Which cases apply follows from the engine's features alone."""

from __future__ import annotations

from minionize.testing.rules.backlog import BacklogRules
from minionize.testing.rules.care import CareRules
from minionize.testing.rules.dead import DeadRules
from minionize.testing.rules.delivery import DeliveryRules
from minionize.testing.rules.lease import LeaseRules
from minionize.testing.rules.params import ParamRules
from minionize.testing.rules.settle import SettleRules

__all__ = ["EngineContract"]


class EngineContract(DeliveryRules, SettleRules, LeaseRules, DeadRules, BacklogRules, CareRules, ParamRules):
    """Every rule that an engine must keep. Subclass it as ``Test...`` and write ``make_engine``.

    The hooks (``advance``, ``kill``, ``corrupt`` and a few times) are described in ``EngineHooks``.
    """
