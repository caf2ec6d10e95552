"""How a fleet is polled: one thread, one connection for each minion, no waiting for any of them."""

from __future__ import annotations

from mtop.poll.heard import Heard
from mtop.poll.once import poll_once
from mtop.poll.poller import Cost, Poller

__all__ = ["Cost", "Heard", "Poller", "poll_once"]
