from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from minionize.status.page import page
from minionize.status.wire import Status
from tests.status.making import lively, run, summed

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>&amp;\u2028'\""


class Elements(HTMLParser):
    """The elements of a page, with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def data_of(text: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found
    data: dict[str, Any] = json.loads(found[1])
    return data


def evil() -> Status:
    runs = [run("failed", minion=EVIL, host=EVIL, job=EVIL, id=EVIL, reason=EVIL, started=n) for n in range(9)]
    return summed(runs, places=[EVIL])


def test_page_holds_its_data() -> None:
    status = summed(lively())
    data = data_of(page(status))
    assert data.pop("all") == {"minions": 5, "hosts": 3, "jobs": 2, "failures": 2}
    assert data == json.loads(json.dumps(status))


def test_page_names_nothing_outside() -> None:
    for tag, attributes in Elements(page(summed(lively()))).found:
        for name, value in attributes.items():
            assert name != "src", tag
            assert name != "href" or value == "data:,", tag
            assert not name.startswith("on"), tag
    assert "default-src 'none'" in page(summed(lively()))


def test_foreign_text_stays_text() -> None:
    text = page(evil())
    tags = [tag for tag, _ in Elements(text).found]
    assert tags.count("script") == 2
    assert "img" not in tags
    assert data_of(text)["minions"][0]["minion"] == EVIL


def test_page_is_small_and_says_what_it_leaves_out() -> None:
    runs = [run(minion=f"minion-number-{n}", host=f"host-{n % 3000}", started=n, reason="w", outcome="failed")
            for n in range(5000)]  # fmt: skip
    text = page(summed(runs))
    assert len(text.encode()) < 300_000
    data = data_of(text)
    assert (len(data["minions"]), data["all"]["minions"]) == (400, 5000)


def test_braces_in_the_data_are_left_alone() -> None:
    assert data_of(page(summed([run(id="{{title}}", outcome="failed")])))["failures"][0]["samples"] == ["{{title}}"]


@pytest.mark.parametrize("left_out", [0, 7])
def test_a_page_of_nothing_says_so(left_out: int) -> None:
    text = page(summed([], places=["<b>"], left_out=left_out))
    assert f"{left_out} were left out" in text
    assert "<b>" not in text
