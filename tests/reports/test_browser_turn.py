"""The report of a turn in a real browser: one filter for the whole page, links that show what they count, and a way back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tunesmith.reports import report

from .test_browser import CHROMIUM, PHONE, WIDE, Tab, browser
from .turns import MARKUP

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: pages were not looked at"),
]
_ = browser  # the fixture


@pytest.fixture(scope="module")
def plain(a_turn: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("plain") / "report.html"
    report(a_turn, out)
    return out


@pytest.fixture(scope="module")
def nasty(hostile_turn: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("nasty") / "report.html"
    report(hostile_turn, out)
    return out


@pytest.fixture
def tab(browser: Any) -> Iterator[Tab]:
    made = Tab(browser)
    yield made
    made.page.close()
    assert made.noise == []


def seen(page: Any) -> dict[str, list[str]]:
    """What each part of the page leaves: the categories of its rows and samples."""
    return {
        "grid": page.locator("[data-of=causes-grid]:not([hidden]) td:first-child").all_inner_texts(),
        "samples": page.locator("[data-of=samples]:not([hidden]) h4").all_inner_texts(),
        "answers": page.locator("[data-rows=answers-table] tbody td[data-name=category]").all_inner_texts(),
        "rows": page.locator("[data-rows=named-rows] tbody td[data-name=category]").all_inner_texts(),
    }


def choose(page: Any, part: str, name: str, value: str) -> None:
    page.locator(f"{part} select[aria-label={name}]").select_option(value)


def address(page: Any) -> str:
    return str(page.evaluate("location.hash"))


def test_one_filter_for_the_whole_page(tab: Tab, plain: Path) -> None:
    page = tab.open(plain)
    before = seen(page)
    choose(page, "[data-filter=causes-grid]", "category", "refusal")
    assert address(page) == "#causes-grid?category=refusal"
    after = seen(page)
    assert set(after["grid"]) == {"refusal"} < set(before["grid"])
    assert 0 < len(after["rows"]) < len(before["rows"])
    assert all("refusal" in text for part in ("answers", "rows") for text in after[part])
    for part in ("[data-filter=samples]", "[data-rows=answers-table]", "[data-rows=named-rows]"):
        assert page.locator(f"{part} select[aria-label=category]").input_value() == "refusal", "every part says what is chosen"
    page.locator("[data-filter=causes-grid]").get_by_role("button", name="show all").click()
    assert seen(page) == before
    assert address(page) == "#causes-grid"


def test_a_link_reopens_the_view_and_the_way_back_leads_through_the_views(tab: Tab, plain: Path) -> None:
    page = tab.open(plain)
    everything = seen(page)
    choose(page, "[data-rows=answers-table]", "category", "refusal")
    one = seen(page)
    choose(page, "[data-rows=answers-table]", "fate", "fixed")
    two = seen(page)
    link = address(page)
    assert link == "#answers-table?category=refusal&fate=fixed"
    page.locator("nav a[href='#causes']").click()
    assert seen(page) == two, "going to another section keeps the view"
    page.locator("[data-of=causes-grid]:not([hidden]) td[data-name=rows] a").first.click()
    assert address(page).startswith("#named-rows?category=refusal")
    assert "slice" in address(page)
    followed = seen(page)
    page.go_back()
    page.wait_for_function("location.hash === '#causes'")
    assert seen(page) == two
    page.go_back()
    page.go_back()
    page.wait_for_function("location.hash === '#answers-table?category=refusal'")
    assert seen(page) == one
    page.go_back()
    page.wait_for_function("location.hash === ''")
    assert seen(page) == everything
    for _ in range(4):
        page.go_forward()
    page.wait_for_function("location.hash.startsWith('#named-rows')")
    assert seen(page) == followed
    again = tab.open(plain, link)
    assert seen(again) == two


def test_typing_is_one_step_of_the_way_back(tab: Tab, plain: Path) -> None:
    page = tab.open(plain)
    start = page.evaluate("history.length")
    page.locator("[data-rows=answers-table] input").press_sequentially("anvil")
    assert address(page) == "#answers-table?q=anvil"
    assert page.evaluate("history.length") == start + 1
    page.go_back()
    page.wait_for_function("location.hash === ''")
    assert page.locator("[data-rows=answers-table] [role=status]").inner_text().startswith("360 rows")


def test_numbers_lead_to_as_many_rows(tab: Tab, plain: Path) -> None:
    page = tab.open(plain)
    links = page.locator("[data-of=causes-grid] td[data-name=rows] a")
    assert links.count()
    for k in range(links.count()):
        link = links.nth(k)
        n = link.inner_text()
        link.click()
        status = page.locator("[data-rows=named-rows] [role=status]").inner_text()
        assert status.split(" ")[0] == n
        page.go_back()


def test_a_choice_that_a_part_does_not_know_leaves_nothing_there(tab: Tab, plain: Path) -> None:
    page = tab.open(plain, "#causes-grid?category=off_reference")
    assert page.locator("[data-rows=named-rows] select[aria-label=category]").input_value() == "off_reference"
    assert page.locator("[data-rows=named-rows] tbody tr").count() == 0
    assert "0 of" in page.locator("[data-rows=named-rows] [role=status]").inner_text()


def test_by_keyboard_alone(tab: Tab, plain: Path) -> None:
    page = tab.open(plain)
    select = page.locator("[data-filter=causes-grid] select").first
    select.focus()
    page.keyboard.press("r")
    assert "category=" in address(page)
    assert page.evaluate("document.activeElement.tagName") == "SELECT", "the filter keeps the focus"
    reachable = page.evaluate(
        "[...document.querySelectorAll('a, button, select, input, summary')].every((each) => each.tabIndex === 0 || each.disabled)"
    )
    assert reachable


def test_the_filter_stays_under_the_finger(tab: Tab, plain: Path) -> None:
    """What lies above a filter may become shorter; the filter stays where it is on the screen."""
    page = tab.open(plain)
    part = page.locator("[data-rows=named-rows]")
    part.scroll_into_view_if_needed()
    page.evaluate("scrollTo(0, document.querySelector('[data-rows=named-rows]').offsetTop)")
    before = part.bounding_box()["y"]
    choose(page, "[data-rows=named-rows]", "category", "refusal")
    assert abs(part.bounding_box()["y"] - before) < 3


def test_hostile_topics_can_be_chosen(tab: Tab, nasty: Path) -> None:
    page = tab.open(nasty)
    assert page.evaluate("window.hacked") is None
    topics = page.locator("[data-filter=causes-grid] select[aria-label=slice] option").all_inner_texts()
    topic = next(text for text in topics if MARKUP in text)
    value = topic.rpartition(" (")[0]
    choose(page, "[data-filter=causes-grid]", "slice", value)
    chosen = seen(page)
    assert chosen["grid"]
    again = tab.open(nasty, address(page))
    assert seen(again) == chosen, "its address opens the same view"
    again.locator("[data-of=causes-grid]:not([hidden]) td[data-name=rows] a").first.click()
    assert again.locator("[data-rows=named-rows] tbody tr").count() > 0
    assert again.evaluate("window.hacked") is None


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_fits_a_phone(browser: Any, plain: Path, nasty: Path, scheme: str) -> None:
    for file in (plain, nasty):
        made = Tab(browser, PHONE, scheme)
        page = made.open(file)
        page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true })")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        cut = page.evaluate(
            "[...document.querySelectorAll('td, th, p, dd, dt, h1, h2, h3, h4, figcaption, .plot svg, select, input')].filter((each) => "
            "{ const box = each.getBoundingClientRect(); return box.width > 1 && (box.right > innerWidth + 1 || box.left < -1) })"
            ".map((each) => each.outerHTML.slice(0, 120))"
        )
        assert cut == []
        made.page.close()
        assert made.noise == []


def test_fits_a_desk(browser: Any, plain: Path, nasty: Path) -> None:
    """The page does not scroll sideways; a wide table does so in its own frame, and no word of a heading is broken."""
    for file in (plain, nasty):
        made = Tab(browser, WIDE)
        page = made.open(file)
        assert page.evaluate("document.documentElement.scrollWidth") <= WIDE["width"]
        made.page.close()
    made = Tab(browser, WIDE)
    page = made.open(plain)
    broken = page.evaluate(
        """[...document.querySelectorAll('.grid th')].filter((each) => {
          const range = document.createRange();
          range.selectNodeContents(each);
          return !/\\s/.test(each.textContent) && range.getClientRects().length > 1;
        }).map((each) => each.textContent)"""
    )
    assert broken == []
    made.page.close()


def test_prints(browser: Any, plain: Path) -> None:
    made = Tab(browser, WIDE)
    page = made.open(plain)
    page.emulate_media(media="print")
    assert page.locator("nav").is_hidden()
    assert page.locator(".controls").first.is_hidden()
    assert page.locator(".verdict").is_visible()
    assert len(page.pdf()) > 50_000
    made.page.close()
