"""The application: all routes over one minion."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from minionize.server.border import Border
from minionize.server.controls import controls
from minionize.server.numbers import numbers
from minionize.server.pages import add_pages
from minionize.server.params import params
from minionize.server.polls import Polls
from minionize.server.problems import add_handlers, with_problems
from minionize.server.served import Served
from minionize.version import __version__

_DESCRIPTION = """\
The numbers and the controls of one minion.

- `/healthz`, `/stats` and `/metrics` are open. All that shows a param, and every POST, needs the minion's bearer token.
- Times are Unix seconds, durations and ages are seconds.
- Errors are `application/problem+json` (RFC 9457).
- `schema` is the version of an answer: names are only ever added to version 1.
"""

# Nothing of a request is traced, and no variable of the environment makes it be.
_TELEMETRY: Any = {"tracing": False, "metrics": False, "logs": False, "operation_spans": False, "auto_configure": False}


class App(FastAPI):
    """FastAPI over one minion.

    Attributes:
        polls: Answers polls.
    """

    polls: Polls

    def openapi(self) -> dict[str, Any]:
        """Describe it."""
        return with_problems(super().openapi())


def make_app(served: Served) -> App:
    """Make the application that serves a minion."""
    app = App(
        title="minionize",
        version=__version__,
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry=_TELEMETRY,
    )
    app.state.served = served
    app.polls = Polls(served)
    app.include_router(numbers(served, app.polls))
    app.include_router(params(served))
    app.include_router(controls(served))
    add_pages(app)
    add_handlers(app)
    app.add_middleware(Border)
    return app
