"""What every error looks like."""

from __future__ import annotations

from typing import Any

import httpx

from minionize.server.models import Problem
from minionize.server.problems import KINDS


def problem(answer: httpx.Response, status: int, name: str) -> dict[str, Any]:
    """Check that an answer is a problem of that kind; return it."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    value: dict[str, Any] = answer.json()
    Problem.model_validate(value, strict=True)
    assert value["type"] == f"urn:minionize:problem:{name}"
    assert name in KINDS
    assert value["status"] == status
    assert answer.request.url.raw_path.decode().startswith(value["instance"])
    return value
