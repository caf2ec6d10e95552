"""What shows params, and so needs the token: /tasks, /failures, /tasks/{id}/output."""

from __future__ import annotations

from fastapi import APIRouter, Response

from minionize.server import models
from minionize.server.answers import Answer
from minionize.server.auth import guarded_router
from minionize.server.border import whole_id
from minionize.server.problems import Problem
from minionize.server.served import Served


def params(served: Served) -> APIRouter:
    """Make the routes."""
    router = guarded_router()

    @router.get("/tasks", summary="The runs under way", response_model=list[models.Task], tags=["params"])
    async def tasks() -> Response:
        """One for each busy slot, by slot."""
        return Answer(served.tasks())

    @router.get("/failures", summary="The last failures", response_model=models.Failures, tags=["params"])
    async def failures() -> Response:
        """The last ones with their evidence, and all of them counted by cause."""
        return Answer(served.failures())

    @router.get(
        "/tasks/{id}/output",
        summary="What a run has written",
        response_model=models.Output,
        responses={404: {"model": models.Problem, "description": "no param of that id is running here"}},
        tags=["params"],
    )
    async def output(id: str) -> Response:
        """The end of its stdout and stderr until now. The id is percent-encoded."""
        found = served.output(whole_id(id))
        if found is None:
            raise not_running(id)
        return Answer(found)

    return router


def not_running(id: str) -> Problem:
    """Make the problem of an id that is not here."""
    return Problem("not-running", f"no param of the id {id[:100]} is running here")
