"""The report in a real browser: by keyboard alone, for everybody, without asking for anything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.report.browsing import Watched, violations_of
from tests.report.reports import VISITS, attacked, paged, small, written
from tests.web.browsing import needs_browser, started, tab_to
from tests.web.payloads import PAYLOADS

if TYPE_CHECKING:
    from playwright.sync_api import Browser


pytestmark = needs_browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with started() as running:
        yield running


def opened(browser: Browser, file: Path, text: str, **options: object) -> Watched:
    watched = Watched(browser, **options)
    watched.page.goto(written(file, text))
    watched.page.wait_for_selector("html[data-ready=yes]")
    return watched


def test_search_sort_filter_page_and_open_by_keyboard(browser: Browser, tmp_path: Path) -> None:
    watched = opened(browser, tmp_path / "r.html", paged())
    page = watched.page
    assert page.inner_text("#count") == "120 of 120 encounters"
    tab_to(page, "#text", most=400)
    page.keyboard.type("BILLED 96375")
    assert page.inner_text("#count") == "1 of 120 encounters"
    tab_to(page, "button.row", most=400)
    page.keyboard.press("Enter")
    page.wait_for_selector("article svg")
    assert page.locator("article").get_by_text("Findings").is_visible()
    page.keyboard.press("Enter")
    assert page.locator("article").count() == 0
    page.keyboard.press("Shift+Tab")
    page.focus("#text")
    page.keyboard.press("Control+A")
    page.keyboard.press("Delete")
    tab_to(page, "th[data-column=errors] button", most=400)
    page.keyboard.press("Enter")
    errors = [int(text) for text in page.locator("td[data-column=errors]").all_inner_texts()]
    assert errors == sorted(errors, reverse=True) and len(errors) == 50
    page.keyboard.press("Enter")
    assert page.locator("td[data-column=errors]").first.inner_text() == "0"
    assert page.get_attribute("th[data-column=errors]", "aria-sort") == "ascending"
    tab_to(page, "#on", most=400)
    page.keyboard.press("Enter")
    assert page.inner_text("#page") == "Page 2 of 3"
    page.focus("button.only[data-name=setting]")
    page.keyboard.press("Enter")
    setting = page.locator("td[data-column=setting]").all_inner_texts()
    assert len(set(setting)) == 1 and page.evaluate("document.activeElement.id") == "setting"
    assert watched.faults == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_holds_nothing_against_it(browser: Browser, tmp_path: Path, scheme: str) -> None:
    watched = opened(browser, tmp_path / "r.html", small(), color_scheme=scheme)
    watched.page.click("#open")
    watched.page.wait_for_function(
        "count => document.querySelectorAll('article').length == count", arg=len(VISITS)
    )
    assert violations_of(watched.page) == []


def test_it_fits_a_telephone_and_a_sheet_of_paper(browser: Browser, tmp_path: Path) -> None:
    watched = opened(browser, tmp_path / "r.html", small(), viewport={"width": 320, "height": 640})
    page = watched.page
    page.click("#open")
    page.wait_for_selector("article svg")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.emulate_media(media="print", color_scheme="dark")
    assert not page.locator("#filters").is_visible()
    paper = page.evaluate("getComputedStyle(document.querySelector('.ivp .p')).fill")
    assert paper == "rgb(255, 255, 255)"
    assert watched.faults == []


def test_sixty_payloads_in_every_field_run_nothing(browser: Browser, tmp_path: Path) -> None:
    watched = opened(browser, tmp_path / "r.html", attacked())
    page = watched.page
    page.evaluate("addEventListener('securitypolicyviolation', e => console.error(e.blockedURI))")
    shown = 0
    for _ in range(2):
        page.click("#open")
        page.wait_for_function(
            "[...document.querySelectorAll('article')].every(each => each.childElementCount)"
        )
        shown += page.locator("article svg").count()
        page.click("#on", force=True)
    assert shown == len(PAYLOADS)
    page.fill("#text", PAYLOADS[0])
    assert watched.faults == [] and page.evaluate("typeof stolen") == "undefined"
    assert page.title() == "ivpush report: 60 encounters"
