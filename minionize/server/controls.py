"""What a minion can be told, by whoever has its token."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from typing import Any

from fastapi import APIRouter, Response

from minionize.server import models
from minionize.server.answers import Answer
from minionize.server.auth import guarded_router
from minionize.server.border import whole_id
from minionize.server.params import not_running
from minionize.server.served import Refused, Served

PATIENCE = 20.0
"""Seconds that the queue may take for what a client waits for; less than the client may take for a request."""

_REFUSED: dict[int | str, dict[str, Any]] = {
    409: {"model": models.Problem, "description": "the minion cannot do that now"}
}
_UNREADABLE: dict[int | str, dict[str, Any]] = {
    400: {"model": models.Problem, "description": "the body is not JSON"},
    413: {"model": models.Problem, "description": "the body has more than 64 KiB"},
    415: {"model": models.Problem, "description": "the body does not say that it is JSON"},
}
_NOT_RUNNING: dict[int | str, dict[str, Any]] = {
    404: {"model": models.Problem, "description": "no param of that id is running here"}
}


def controls(served: Served) -> APIRouter:
    """Make the routes."""
    router = guarded_router()
    options: dict[str, Any] = {"response_model": models.Control, "tags": ["controls"]}

    @router.post("/pause", summary="Take no more params for now", responses=_REFUSED, **options)
    async def pause() -> Response:
        """What runs goes on. Until `/resume`."""
        served.pause()
        return Answer(served.control())

    @router.post("/resume", summary="Go on after a pause", responses=_REFUSED, **options)
    async def resume() -> Response:
        """Does nothing to a minion that is not paused."""
        served.resume()
        return Answer(served.control())

    @router.post("/drain", summary="Finish what runs, take no more, and leave", responses=_REFUSED, **options)
    async def drain() -> Response:
        """Cannot be taken back."""
        served.drain()
        return Answer(served.control())

    @router.post("/slots", summary="Change the number of slots", responses=_REFUSED | _UNREADABLE, **options)
    async def slots(body: models.Slots) -> Response:
        """What runs in a slot that is taken away finishes first."""
        served.resize(body.slots)
        return Answer(served.control())

    @router.post("/tasks/{id}/kill", summary="End a run, as a failure", responses=_NOT_RUNNING, **options)
    async def kill(id: str) -> Response:
        """The id is percent-encoded."""
        if not served.kill(whole_id(id)):
            raise not_running(id)
        return Answer(served.control())

    @router.post("/tasks/{id}/requeue", summary="End a run and give its param back", responses=_NOT_RUNNING, **options)
    async def requeue(id: str) -> Response:
        """Not charged as an attempt. The id is percent-encoded."""
        if not served.requeue(whole_id(id)):
            raise not_running(id)
        return Answer(served.control())

    @router.post(
        "/dead/requeue",
        summary="Make dead params ready again",
        responses=_REFUSED | _UNREADABLE,
        response_model=models.Requeued,
        tags=["controls"],
    )
    async def requeue_dead(body: models.Requeue | None = None) -> Response:
        """Those of `ids`; without a body all dead params of the queue. Answered when it is done, within 20 s."""
        count = await _done(served.requeue_dead(None if body is None else body.ids))
        return Answer({**served.control(), "requeued": count})

    return router


async def _done(asked: Future[int]) -> int:
    """Wait until it is done; what takes too long is called off.

    Raises:
        Refused: It takes too long.
        MinionizeError: It could not be done.
    """
    try:
        return await asyncio.wait_for(asyncio.wrap_future(asked), PATIENCE)
    except TimeoutError:
        raise Refused(
            f"not done within {PATIENCE:g} s, the queue is slow: what is ready again stays so; ask again for the rest"
        ) from None
