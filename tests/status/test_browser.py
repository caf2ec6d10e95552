"""The page in a real browser, in light and dark."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from minionize.status.page import page
from tests.status.browser import Page, opened, program
from tests.status.making import lively, run, summed
from tests.status.test_page import evil

pytestmark = pytest.mark.slow

SCHEMES = ("light", "dark")
BACKGROUND = "getComputedStyle(document.body).backgroundColor"


@pytest.fixture(scope="module")
def tab() -> Iterator[Page]:
    chromium = program()
    if chromium is None:
        words = "no chromium is installed (apt-get install chromium)"
        if os.environ.get("CI"):
            pytest.fail(words)
        pytest.skip(words)
    with opened(chromium) as found:
        yield found


@pytest.fixture
def shown(tab: Page, tmp_path: Path) -> Iterator[Any]:
    """Opens the page of a summary; whatever it does, it must neither complain nor ask anybody for anything."""
    path = tmp_path / "status.html"
    tab.requests.clear()
    tab.complaints.clear()

    def open_page(status: Any, scheme: str = "light", width: int = 1200) -> Page:
        path.write_text(page(status))
        tab.open(path, scheme, width)
        return tab

    yield open_page
    assert tab.complaints == []
    assert set(tab.requests) == {path.resolve().as_uri()}


def brightness(tab: Page, expression: str) -> float:
    red, green, blue = (int(part) for part in tab.ask(expression).partition("(")[2].rstrip(")").split(",")[:3])
    return (red + green + blue) / 765


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", [360, 1200])
def test_everything_is_drawn(shown: Any, scheme: str, width: int, tmp_path: Path) -> None:
    tab = shown(summed(lively()), scheme, width)
    for name in ("rates", "flight"):
        assert tab.ask(f"document.querySelectorAll('#{name} path.line').length") == {"rates": 4, "flight": 1}[name]
        assert tab.ask(f"[...document.querySelectorAll('#{name} path.line')].every(p => p.getTotalLength() > 100)")
    assert tab.ask("document.querySelectorAll('#durations rect[data-name]').length") > 10
    assert tab.ask("document.querySelectorAll('#activity rect.bar').length") > 10
    assert tab.ask("document.querySelectorAll('#minions rect.bar').length") == 5
    assert tab.ask("document.querySelectorAll('#failures tbody tr').length") == 2
    assert tab.ask("document.querySelectorAll('#hosts tbody tr').length") == 3
    assert tab.ask("document.querySelectorAll('#jobs tbody tr').length") == 2
    assert "200" in tab.ask("document.getElementById('tiles').innerText")
    assert "exit code 3: no <b>N</...> & such" in tab.ask("document.getElementById('failures').innerText")
    assert not tab.ask("document.querySelector('main').innerText.match(/NaN|undefined|null|Infinity/)")
    assert not tab.ask("document.querySelector('main')?.innerHTML.match(/NaN|undefined|Infinity/)")
    assert tab.ask("document.documentElement.scrollWidth") <= width
    tab.picture(tmp_path / "page.png")
    assert (tmp_path / "page.png").stat().st_size > 20_000


@pytest.mark.parametrize("scheme", SCHEMES)
def test_colours_are_those_that_are_preferred_and_can_be_switched(shown: Any, scheme: str) -> None:
    tab = shown(summed(lively()), scheme)
    is_dark = scheme == "dark"
    assert (brightness(tab, BACKGROUND) < 0.5) is is_dark
    assert (brightness(tab, "getComputedStyle(document.querySelector('h2')).color") > 0.5) is is_dark
    line = "getComputedStyle(document.querySelector('#flight path.line')).stroke"
    before = tab.ask(line)
    tab.ask("document.getElementById('theme').click()")
    assert (brightness(tab, BACKGROUND) < 0.5) is not is_dark
    assert tab.ask(line) != before


def box(tab: Page, selector: str) -> tuple[float, float, float, float]:
    tab.ask(f"document.querySelector('{selector}').scrollIntoView({{block: 'center'}})")
    found = tab.ask(
        f"(b => [b.x, b.y, b.width, b.height])(document.querySelector('{selector}').getBoundingClientRect())"
    )
    return tuple(found)


@pytest.mark.parametrize("name", ["rates", "flight", "durations", "activity", "minions"])
def test_values_are_told_where_the_pointer_is(shown: Any, name: str) -> None:
    tab = shown(summed(lively()))
    x, y, width, height = box(tab, f"#{name} svg")
    tab.mouse("mouseMoved", x + width * 0.6, y + height * 0.4)
    assert tab.ask("document.getElementById('tip').hidden") is False
    words = tab.ask("document.getElementById('tip').innerText")
    expected = {"rates": "per second (", "flight": "in flight: ", "minions": "lived: ", "activity": "in flight: "}
    assert expected.get(name, "succeeded: ") in words
    tab.mouse("mouseMoved", 2, 2)
    assert tab.ask("document.getElementById('tip').hidden") is True


def test_dragging_zooms_all_plots_over_time_and_a_double_click_shows_all_again(shown: Any) -> None:
    tab = shown(summed(lively()))
    ticks = "[...document.querySelectorAll('#{} svg text')].map(t => t.textContent).join()"
    names = ("rates", "flight", "activity", "minions")
    before = [tab.ask(ticks.format(name)) for name in names]
    whole = tab.ask("zoom.domain[1] - zoom.domain[0]")
    x, y, width, height = box(tab, "#rates svg")
    tab.mouse("mousePressed", x + width * 0.4, y + height / 2)
    tab.mouse("mouseMoved", x + width * 0.45, y + height / 2)
    tab.mouse("mouseReleased", x + width * 0.5, y + height / 2)
    assert 0.05 * whole < tab.ask("zoom.domain[1] - zoom.domain[0]") < 0.2 * whole
    assert all(tab.ask(ticks.format(name)) != old for name, old in zip(names, before, strict=True))
    for clicks in (1, 2):
        tab.mouse("mousePressed", x + width / 2, y + height / 2, clicks)
        tab.mouse("mouseReleased", x + width / 2, y + height / 2, clicks)
    assert [tab.ask(ticks.format(name)) for name in names] == before


@pytest.mark.parametrize("name", ["rates", "durations"])
def test_an_outcome_can_be_hidden_and_shown(shown: Any, name: str) -> None:
    tab = shown(summed(lively()))
    drawn = f"document.querySelectorAll('#{name} [data-name=failed]').length"
    button = f"[...document.querySelectorAll('#{name} .legend button')].find(b => b.textContent === 'failed')"
    many = tab.ask(drawn)
    assert many > 0
    tab.ask(f"{button}.click()")
    assert tab.ask(drawn) == 0
    assert tab.ask(f"{button}.getAttribute('aria-pressed')") == "false"
    tab.ask(f"{button}.click()")
    assert tab.ask(drawn) == many


def test_foreign_text_stays_text_in_the_browser(shown: Any) -> None:
    tab = shown(evil())
    assert tab.ask("document.querySelectorAll('img, script').length") == 2
    assert "<img src=x" in tab.ask("document.getElementById('hosts').innerText")


@pytest.mark.parametrize("number", [0, 1, 2])
def test_few_records_are_shown_too(shown: Any, number: int) -> None:
    tab = shown(summed([run(seconds=0.0, started=2.0 * n) for n in range(number)]))
    assert not tab.ask("document.querySelector('main')?.innerHTML.match(/NaN|undefined|Infinity/)")
