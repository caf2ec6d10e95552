"""What engines have to say goes where the user listens."""

from __future__ import annotations

import logging
import subprocess
import sys

import pytest

from minionize.notice import notice


def test_it_goes_to_the_logger_where_somebody_has_set_up_logging(caplog: pytest.LogCaptureFixture) -> None:
    notice("redis", "made %s: 100 %%", "group a")
    assert caplog.record_tuples == [("minionize.redis", logging.WARNING, "made group a: 100 %")]


@pytest.mark.parametrize(("words", "said"), [("'made %s', 'a\\x1b'", "made a\\x1b"), ("'100 %'", "100 %")])
def test_else_it_is_a_line_of_minionize_and_harmless(words: str, said: str) -> None:
    script = f"from minionize.notice import notice; notice('redis', {words})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", f"minionize: {said}\n")
