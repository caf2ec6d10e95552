"""What the REST interface of a server tells of a topic."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any
from urllib.parse import quote

from minionize.engine import Backlog, Holder
from minionize.notice import notice
from minionize.pulsarclient.knock import trust
from minionize.pulsarclient.link import Access
from minionize.urls import shown

__all__ = ["Admin", "full_name"]

_PATIENCE = 2.0
_MISSING = 404


def full_name(topic: str) -> str:
    """Write a topic as Pulsar does: persistent://TENANT/NAMESPACE/NAME."""
    if "://" in topic:
        return topic
    return f"persistent://{topic}" if topic.count("/") == 2 else f"persistent://public/default/{topic}"


class Admin:
    """Asks it; nothing is told where it cannot be reached, for the work does not depend on it.

    Args:
        url: Where it is; "" for nowhere.
        access: How it lets us in.
    """

    def __init__(self, url: str, access: Access) -> None:
        self._url, self._access = url.rstrip("/"), access
        self._has_warned = False

    def knows_subscription(self, topic: str, subscription: str) -> bool | None:
        """Tell whether a topic has a subscription; None where that cannot be told."""
        stats = self._stats(topic)
        return None if stats is None else subscription in stats

    def backlog(self, topic: str, subscription: str, dead: str) -> Backlog | None:
        """Count what a subscription holds, and what is dead."""
        all, graves = self._stats(topic), self._stats(dead)
        if all is None or graves is None:
            return None
        mine = all.get(subscription, {})
        held = int(mine.get("unackedMessages", 0))
        ready = max(0, int(mine.get("msgBacklog", 0)) - held)
        buried = int(graves.get(subscription, {}).get("msgBacklog", 0))
        delayed = min(ready, int(mine.get("msgDelayed", 0)))
        return Backlog(ready, held, buried, exact=False, as_of=time.time(), delayed=delayed)

    def holders(self, topic: str, subscription: str) -> list[Holder] | None:
        """Tell which consumers hold what."""
        stats = self._stats(topic)
        if stats is None:
            return None
        held: Counter[str] = Counter()
        for consumer in stats.get(subscription, {}).get("consumers", ()):
            held[str(consumer.get("consumerName", ""))] += int(consumer.get("unackedMessages", 0))
        return [Holder(minion, count) for minion, count in held.items()]

    def _stats(self, topic: str) -> dict[str, Any] | None:
        """Return the numbers of all subscriptions of a topic; None where they cannot be had."""
        if not self._url:
            return None
        kind, _, name = full_name(topic).partition("://")
        place = f"{self._url}/admin/v2/{kind}/{quote(name)}"
        try:
            found = self._get(f"{place}/stats?getPreciseBacklog=true")
            if found is None:
                found = self._get(f"{place}/partitioned-stats?perPartition=false&getPreciseBacklog=true")
        except (OSError, ValueError, HTTPException, RecursionError) as error:
            self._warn(str(getattr(error, "reason", error)))
            return None
        subscriptions = found.get("subscriptions") if isinstance(found, Mapping) else None
        return dict(subscriptions) if isinstance(subscriptions, Mapping) else {}

    def _get(self, url: str) -> Any:
        """Ask; None where there is no such thing."""
        token = self._access.token()
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"} if token else {})
        context = trust(self._access.ca) if url.startswith("https:") else None
        try:
            with urllib.request.urlopen(request, timeout=_PATIENCE, context=context) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                if error.code == _MISSING:
                    return None
                raise

    def _warn(self, why: str) -> None:
        if not self._has_warned:
            self._has_warned = True
            notice(
                "pulsar",
                "%s tells no backlog: %s; check PULSAR_ADMIN (and PULSAR_TOKEN, PULSAR_CA)",
                shown(self._url),
                why,
            )
