"""``/docs``: the reference of this API as a page to try it on. Nothing in it is loaded from elsewhere.

The page is Swagger UI, whose files come with the package ``fastapi_offline``; only they are used, nothing is imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from fastapi import FastAPI, Response
from starlette.responses import HTMLResponse, RedirectResponse
from starlette.types import Receive, Scope, Send

from minionize.server.answers import PIECE
from minionize.server.problems import Problem

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_FILES = {
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "swagger-ui.css": "text/css; charset=utf-8",
}
_START = """\
SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#page",
  deepLinking: true,
  displayRequestDuration: true,
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis],
});
"""
_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>minionize</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="page"><noscript>This page needs JavaScript; <a href="/openapi.json">openapi.json</a> does not.</noscript></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""


class File(Response):
    """A file, read piece by piece as it is sent."""

    def __init__(self, path: Path, headers: Mapping[str, str]) -> None:
        self._path = path
        super().__init__(None, 200, {**headers, "content-length": str(path.stat().st_size)})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, no faster than it is read."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        with self._path.open("rb") as stream:
            while piece := stream.read(PIECE):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def add_pages(app: FastAPI) -> None:
    """Add the pages to an app."""

    @app.get("/", include_in_schema=False)
    async def root() -> Response:
        return RedirectResponse("/docs", 302)

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return HTMLResponse(_PAGE, headers=_headers("text/html; charset=utf-8"))

    @app.get("/docs/{name}", include_in_schema=False)
    async def file(name: str) -> Response:
        if name == "start.js":
            return Response(_START, headers=_headers("text/javascript; charset=utf-8"))
        if name not in _FILES or not (path := _directory() / name).is_file():
            raise Problem("not-found", "no such file")
        return File(path, _headers(_FILES[name]) | {"cache-control": "max-age=86400"})


def _headers(kind: str) -> dict[str, str]:
    return {
        "content-type": kind,
        "content-security-policy": _POLICY,
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
    }


def _directory() -> Path:
    """Find the files of Swagger UI, without importing their package."""
    from importlib.util import find_spec

    spec = find_spec("fastapi_offline")
    places = spec.submodule_search_locations if spec else None
    return Path(places[0], "static") if places else Path("/nonexistent")
