"""What anybody may ask: /healthz, /stats, /metrics. Nothing in them shows a param."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from minionize.server import models
from minionize.server.answers import Answer
from minionize.server.polls import Polls
from minionize.server.problems import Problem
from minionize.server.served import Served
from minionize.stats.rates import LONGEST

Window = Annotated[
    float, Query(ge=1, le=LONGEST, allow_inf_nan=False, description="seconds over which rates are taken")
]
Fields = Annotated[
    str | None,
    Query(
        description="only these, separated by commas; `schema` and `id` are always there", examples=["counters,rates"]
    ),
]


def numbers(served: Served, polls: Polls) -> APIRouter:
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
        return polls.first(request.scope, window, fields)

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
