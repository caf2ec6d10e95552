"""Errors as ``application/problem+json`` (RFC 9457): every answer that is no success."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.types import Scope

from minionize.errors import MinionizeError
from minionize.server.answers import Answer
from minionize.server.served import Refused

MEDIA_TYPE = "application/problem+json"
_LONGEST = 300


class Kind(NamedTuple):
    """One kind of problem: the status that it is answered with, and what it means."""

    status: int
    title: str
    meaning: str


KINDS = {
    "not-http": Kind(400, "Not HTTP", "the request is not HTTP, or its head is too long"),
    "not-json": Kind(400, "Not JSON", "the body is not valid JSON"),
    "unauthorized": Kind(401, "Token needed", "the bearer token is missing or wrong"),
    "not-found": Kind(404, "Nothing there", "there is no such path"),
    "not-running": Kind(404, "No such run", "no param of that id is running here"),
    "method-not-allowed": Kind(405, "Method not allowed", "the path is there, but not for this method: see `Allow`"),
    "refused": Kind(409, "Refused", "the minion cannot do that now; `detail` says why"),
    "too-large": Kind(413, "Body too large", "the body has more than 64 KiB"),
    "not-json-type": Kind(415, "Not JSON", "the body is not declared as `application/json`"),
    "invalid": Kind(422, "Invalid", "a parameter or the body is wrong: `errors` says where"),
    "unknown-field": Kind(422, "Unknown field", "`fields` names something that is not there"),
    "internal": Kind(500, "Internal error", "a fault of the server; the minion goes on"),
    "stopped": Kind(503, "Stopped", "the minion has stopped, or does not answer any more"),
    "busy": Kind(503, "Busy", "too many connections at once"),
    "http": Kind(0, "", "anything else, by its status"),
}
"""Every problem by its name. Scripts depend on the names: add, never rename."""

_BY_STATUS = {
    400: "not-json",
    401: "unauthorized",
    404: "not-found",
    405: "method-not-allowed",
    413: "too-large",
    415: "not-json-type",
}


class Problem(Exception):  # noqa: N818 - the name of the thing that is answered
    """Ends a request with a problem.

    Attributes:
        name: One of KINDS.
        detail: What is wrong with this request, in words.
        headers: More headers of the answer.
        errors: What is wrong where.
    """

    def __init__(
        self,
        name: str,
        detail: str,
        headers: Mapping[str, str] | None = None,
        errors: list[dict[str, str]] | None = None,
    ) -> None:
        super().__init__(detail)
        self.name, self.detail, self.headers, self.errors = name, detail, headers, errors

    def answer(self, scope: Scope) -> Answer:
        """Make the answer to a request."""
        kind = KINDS[self.name]
        return problem(scope, self.name, kind.status, kind.title, self.detail, self.headers, self.errors)


def problem(
    scope: Scope,
    name: str,
    status: int,
    title: str,
    detail: str,
    headers: Mapping[str, str] | None = None,
    errors: list[dict[str, str]] | None = None,
) -> Answer:
    """Write one problem."""
    raw = scope.get("raw_path") or b""
    value: dict[str, Any] = {
        "type": f"urn:minionize:problem:{name}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": raw.decode("latin-1")[:_LONGEST],
    }
    if errors is not None:
        value["errors"] = errors
    answer = Answer(value, status, headers)
    answer.headers["content-type"] = MEDIA_TYPE
    return answer


def add_handlers(app: FastAPI) -> None:
    """Answer every error of an app by a problem."""
    app.add_exception_handler(Problem, _of_problem)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(RequestValidationError, _of_validation)
    app.add_exception_handler(Refused, _of_refusal)
    app.add_exception_handler(MinionizeError, _of_refusal)


def with_problems(document: dict[str, Any]) -> dict[str, Any]:
    """Say in an OpenAPI document that errors are problems; FastAPI takes them for plain JSON."""
    schemas = document["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for operations in document["paths"].values():
        for operation in operations.values():
            for status, answer in operation["responses"].items():
                if int(status) >= 400:
                    problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
                    answer["content"] = {MEDIA_TYPE: problem}
                if status == "422":
                    answer["description"] = "a parameter or the body is wrong"
    return document


async def _of_problem(request: Request, error: Exception) -> Answer:
    assert isinstance(error, Problem)
    return error.answer(request.scope)


async def _of_refusal(request: Request, error: Exception) -> Answer:
    return Problem("refused", str(error)).answer(request.scope)


async def _of_http(request: Request, error: Exception) -> Answer:
    assert isinstance(error, HTTPException)
    name = _BY_STATUS.get(error.status_code, "http")
    headers = dict(error.headers or {})
    if "GET" in headers.get("Allow", ""):
        headers["Allow"] = "GET, HEAD"
    title = KINDS[name].title or HTTPStatus(error.status_code).phrase
    return problem(request.scope, name, error.status_code, title, _detail(request, name, error), headers)


def _detail(request: Request, name: str, error: HTTPException) -> str:
    if name == "not-found":
        return "there is no such path; /docs shows those that are"
    if name == "method-not-allowed":
        return f"{request.method[:20]} is not for this path"
    return str(error.detail)


async def _of_validation(request: Request, error: Exception) -> Answer:
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    if any(each.get("type") == "json_invalid" for each in found):
        return Problem("not-json", "the body is not JSON").answer(request.scope)
    # Neither what was sent nor how it was checked is said: only where and what is wrong.
    errors = [{"where": ".".join(map(str, each["loc"]))[:_LONGEST], "detail": str(each["msg"])} for each in found]
    words = "; ".join(f"{each['where']}: {each['detail']}" for each in errors)
    return Problem("invalid", words[:_LONGEST], errors=errors).answer(request.scope)
