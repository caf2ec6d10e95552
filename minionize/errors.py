"""Every error that minionize raises, and the exit code that each one ends with.

    MinionizeError                  exit code
    ├── SettingsError               2   a setting, an option or .minionize.yml is wrong
    ├── EngineError                 3   the queue cannot be used
    │   ├── NotConnected            3   ... for now: the worker reconnects and tries again
    │   │   └── NotNow              3   ... but it is connected: the worker only tries again
    │   └── LeaseLost               -   some deliveries are no longer ours; carries them
    ├── CallbackError               4   the program, function or image cannot be used at all
    ├── ReporterError               2   no record can be written at the start; later it is said once, and stops nothing
    └── RegistryError               2   no minion can be announced or found; a minion says it once, and it stops nothing

Errors are plain: the message names the thing and the remedy, and is printed without a traceback.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from minionize.engine import Delivery


class ExitCode(IntEnum):
    """What the exit status of ``minionize`` means."""

    OK = 0
    DEAD = 1
    USAGE = 2
    ENGINE = 3
    CALLBACK = 4
    RESUBMIT = 99
    SIGNAL = 128

    @property
    def meaning(self) -> str:
        """One line for ``--help`` and the reference."""
        return _MEANINGS[self]


_MEANINGS = {
    ExitCode.OK: "every param that this minion took succeeded",
    ExitCode.DEAD: "some params were dead-lettered",
    ExitCode.USAGE: "the command line or a setting is wrong",
    ExitCode.ENGINE: "the queue cannot be used",
    ExitCode.CALLBACK: "the program, function or image cannot be used; the param went back",
    ExitCode.RESUBMIT: "work is left, and the time of this job or minion ends: submit it again",
    ExitCode.SIGNAL: "128+N: stopped by signal N",
}


class MinionizeError(Exception):
    """The root of all errors of minionize."""

    exit_code: ExitCode = ExitCode.DEAD


class SettingsError(MinionizeError):
    """A setting is missing, misspelt or has a value that cannot be used."""

    exit_code = ExitCode.USAGE


class EngineError(MinionizeError):
    """The queue cannot be used; trying again would not help."""

    exit_code = ExitCode.ENGINE


class NotConnected(EngineError):
    """The queue cannot be reached now; trying again may help."""


class NotNow(NotConnected):
    """The queue is connected, but does not take what we put into it now; what is held stays ours."""


class LeaseLost(EngineError):
    """Some deliveries are no longer ours, so they were not settled.

    Attributes:
        lost: The deliveries that were lost. All others of the call were settled.
    """

    def __init__(self, lost: Sequence[Delivery]) -> None:
        self.lost = tuple(lost)
        ids = ", ".join(delivery.id for delivery in self.lost[:5])
        more = ", ..." if len(self.lost) > 5 else ""
        super().__init__(f"{len(self.lost)} deliveries are no longer ours: {ids}{more}")


class CallbackError(MinionizeError):
    """The callback cannot run any param here: a worker fault, no fault of the param."""

    exit_code = ExitCode.CALLBACK


class ReporterError(MinionizeError):
    """A record could not be written."""

    exit_code = ExitCode.USAGE


class RegistryError(MinionizeError):
    """A registry cannot be written or read now; trying again may help."""

    exit_code = ExitCode.USAGE
