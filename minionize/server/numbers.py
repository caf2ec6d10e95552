"""What anybody may ask: /healthz, /stats, /metrics. Nothing in them shows a param."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from minionize.server import models
from minionize.server.answers import Answer, encode
from minionize.server.problems import Problem
from minionize.server.served import Served
from minionize.stats.rates import LONGEST
from minionize.stats.wire import StatsWire

ALWAYS = ("schema", "id")
"""Fields of /stats that are there whatever is asked for."""

FIELDS = tuple(StatsWire.__annotations__)
"""The fields that can be asked for."""

_UNTAGGED = frozenset({"uptime", "resources"})

Window = Annotated[
    float, Query(ge=1, le=LONGEST, allow_inf_nan=False, description="seconds over which rates are taken")
]
Fields = Annotated[
    str | None,
    Query(
        description="only these, separated by commas; `schema` and `id` are always there", examples=["counters,rates"]
    ),
]


def numbers(served: Served) -> APIRouter:
    """Make the routes."""
    router = APIRouter(tags=["numbers"])

    @router.get(
        "/stats",
        summary="All numbers of the minion",
        response_model=models.Stats,
        responses={304: {"description": "nothing has changed since the answer of that ETag"}},
    )
    async def stats(request: Request, window: Window = 10.0, fields: Fields = None) -> Response:
        """Counters, state, rates, durations, backlog, resources.

        The `ETag` stays the same as long as nothing changes but uptime, ages and resources, so `If-None-Match` is
        answered by 304 where nothing happens. If `fields` are given, all of them count.
        """
        asked = _asked(fields)
        value: Mapping[str, Any] = served.stats(window)
        if asked:
            value = {name: value[name] for name in FIELDS if name in asked}
        etag = _tag(value if asked else _what_matters(value))
        headers = {"etag": etag, "cache-control": "no-cache"}
        if _is_known(etag, request):
            return Response(status_code=304, headers=headers)
        return Answer(value, headers=headers)

    @router.get(
        "/healthz",
        summary="Whether the minion works",
        response_model=models.Health,
        responses={503: {"model": models.Problem, "description": "it has stopped"}},
    )
    async def healthz() -> Response:
        """200 from the start of the minion until it has stopped, whether it runs, is idle, paused or draining."""
        now = served.control()
        if now["state"] == "stopped":
            raise Problem("stopped", "the minion has stopped")
        return Answer({"status": "ok", "id": now["id"], "state": now["state"]})

    @router.get(
        "/metrics",
        summary="The numbers for Prometheus",
        response_class=Response,
        responses={200: {"content": {"text/plain": {}, "application/openmetrics-text": {}}}},
    )
    async def metrics(request: Request) -> Response:
        """Text format, or OpenMetrics where it is accepted. Prometheus makes rates and quantiles of them."""
        from minionize.server.metrics import exposition

        body, kind = exposition(served.stats(), request.headers.get("accept", ""))
        return Response(body, headers={"content-type": kind, "cache-control": "no-store"})

    return router


def _asked(fields: str | None) -> frozenset[str]:
    """Return the names that are asked for; none for all of them."""
    names = frozenset(name.strip() for name in (fields or "").split(",")) - {""}
    if unknown := sorted(names.difference(FIELDS)):
        raise Problem("unknown-field", f"no field {unknown[0][:100]!r}; there are {', '.join(FIELDS)}")
    return names.union(ALWAYS) if names else names


def _what_matters(stats: Mapping[str, Any]) -> dict[str, Any]:
    """Return what changes only when something happens."""
    matters = {name: value for name, value in stats.items() if name not in _UNTAGGED}
    matters["in_flight"] = stats["in_flight"]["count"]
    if stats["backlog"] is not None:
        matters["backlog"] = {name: value for name, value in stats["backlog"].items() if name != "as_of"}
    return matters


def _tag(value: object) -> str:
    return f'W/"{blake2b(encode(value), digest_size=9).hexdigest()}"'


def _is_known(etag: str, request: Request) -> bool:
    given = request.headers.get("if-none-match")
    if given is None:
        return False
    return any(each.strip().removeprefix("W/") in (etag.removeprefix("W/"), "*") for each in given.split(","))
