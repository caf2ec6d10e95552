"""Who may see params and give orders: whoever shows the minion's token."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from hmac import compare_digest
from typing import Any

from fastapi import Request, Response, Security
from fastapi.routing import APIRoute, APIRouter
from fastapi.security import HTTPBearer
from starlette.types import Scope

from minionize.server import models
from minionize.server.problems import Problem

_REMEDY = "the token of a minion is in its announcement in the registry"


class Guarded(APIRoute):
    """A route that asks for the token before it reads anything else of a request."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Put the checks in front of the route's own work."""
        handler = super().get_route_handler()
        reads_json = self.body_field is not None

        async def guarded(request: Request) -> Response:
            require_token(request.scope, request.app.state.served.token)
            if reads_json and body_length(request.scope) != 0:
                require_json(request)
            return await handler(request)

        return guarded


def guarded_router() -> APIRouter:
    """Make a router whose routes all ask for the token, and say so in ``/docs``."""
    shown = HTTPBearer(auto_error=False, description=f"{_REMEDY[0].upper()}{_REMEDY[1:]}.")
    needed: dict[int | str, dict[str, Any]] = {
        401: {"model": models.Problem, "description": "the token is missing or wrong"}
    }
    return APIRouter(route_class=Guarded, dependencies=[Security(shown)], responses=needed)


def require_token(scope: Scope, token: str) -> None:
    """Pass a request that shows the token.

    Raises:
        Problem: It shows none, or another.
    """
    if shows_token(scope, token):
        return
    challenge = 'Bearer realm="minionize"'
    if not _shown(scope):
        raise Problem("unauthorized", f"no bearer token; {_REMEDY}", {"WWW-Authenticate": challenge})
    challenge += ', error="invalid_token"'
    raise Problem("unauthorized", f"not the token of this minion; {_REMEDY}", {"WWW-Authenticate": challenge})


def shows_token(scope: Scope, token: str) -> bool:
    """Tell whether a request shows the token. Without a token nobody may, whatever is shown."""
    shown = _shown(scope)
    scheme, _, given = (shown[0] if len(shown) == 1 else b"").partition(b" ")
    right = compare_digest(given.strip(), token.encode("utf-8", "surrogateescape"))
    return bool(right and token and scheme.lower() == b"bearer")


def _shown(scope: Scope) -> list[bytes]:
    return [value for name, value in scope["headers"] if name == b"authorization"]


def body_length(scope: Scope) -> int | None:
    """Return how long the body says that it is; None where it does not say."""
    headers = dict(scope["headers"])
    length = headers.get(b"content-length")
    if length is not None:
        return int(length)
    return None if b"transfer-encoding" in headers else 0


def require_json(request: Request) -> None:
    """Pass a request that says that it holds JSON.

    Raises:
        Problem: It says something else, or nothing.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise Problem("not-json-type", "send Content-Type: application/json", {"Accept-Post": "application/json"})
