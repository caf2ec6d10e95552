"""What failures are grouped by."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minionize.cause import cause_of, normal


@pytest.mark.parametrize(
    ("evidence", "cause"),
    [
        ({"exit_code": 9, "reason": "exit code 9", "stderr": "no 2, please\n\n"}, "exit code 9: no N, please"),
        ({"signal": 11, "reason": "killed by SIGSEGV", "stderr": ""}, "killed by SIGSEGV"),
        ({"signal": 250}, "killed by signal 250"),
        ({"outcome": "timed_out", "signal": 15, "stderr": "step 12"}, "timed out: step N"),
        ({"outcome": "failed", "reason": "ValueError: bad 'x'", "stderr": None}, "ValueError: bad '...'"),
        ({"outcome": "failed"}, "failed"),
        ({}, "unknown"),
    ],
)
def test_causes(evidence: dict[str, object], cause: str) -> None:
    assert cause_of(evidence) == cause


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("cannot open /tmp/run-12/data.csv", "cannot open /scratch/me/out/x.h5"),
        ("node 0x7ffe12ab died after 3.5e-2 s", "node 0x00aa died after 12 s"),
        ("job deadbeef01 at '/x y'", "job 0123456789abcdef at 'z'"),
        ("2026-11-22 20:15:07 E: full", "2025-01-02 03:04:05 E: full"),
    ],
)
def test_what_differs_each_time_is_left_out(one: str, other: str) -> None:
    assert normal(one) == normal(other)


@given(st.text(), st.text())
def test_a_cause_is_one_short_line(stderr: str, reason: str) -> None:
    cause = cause_of({"exit_code": 1, "stderr": stderr, "reason": reason})
    assert len(cause) < 200
    assert len(cause.splitlines()) == 1
