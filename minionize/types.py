"""Where minionize 0.3.4 had ``Param``: ``from minionize.types import Param`` keeps working."""

from minionize.task import Param

__all__ = ["Param"]
