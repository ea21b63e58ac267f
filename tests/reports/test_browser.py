"""The page in a real browser: nothing of the data runs, nothing leaves, and the tables do what they promise."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tunesmith.reports import page, report
from tunesmith.reports.blocks import Column, Report, Rows, Section

from .hostile import HOSTILE, shown

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: pages were not looked at"),
]
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync",
]  # fmt: skip
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
N = 250


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api", reason="no playwright: pages were not looked at")
    with api.sync_playwright() as playwright:
        made = playwright.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("profile"), executable_path=CHROMIUM, headless=True, args=ARGUMENTS, accept_downloads=True
        )
        yield made
        made.close()


class Tab:
    """A tab that remembers what should not happen: messages, errors, dialogs, requests beyond the file."""

    def __init__(self, browser: Any, viewport: dict[str, int] = WIDE, scheme: str = "light") -> None:
        self.noise: list[str] = []
        self.page = browser.new_page()
        self.page.set_viewport_size(viewport)
        self.page.emulate_media(color_scheme=scheme)
        self.page.on("console", lambda message: self.noise.append(f"console: {message.text}"))
        self.page.on("pageerror", lambda error: self.noise.append(f"error: {error}"))
        self.page.on("dialog", lambda dialog: (self.noise.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        self.page.on(
            "request", lambda request: self.noise.append(f"request: {request.url}") if not request.url.startswith("file:") else None
        )
        self.page.add_init_script(
            "addEventListener('securitypolicyviolation', (e) => console.log('policy: ' + e.violatedDirective + ' ' + e.blockedURI))"
        )

    def open(self, file: Path, address: str = "") -> Any:
        self.page.goto("about:blank")
        self.page.goto(file.resolve().as_uri() + address)
        self.page.wait_for_function("[...document.querySelectorAll('[data-rows]')].every((root) => root.querySelector('tbody'))")
        return self.page


@pytest.fixture
def tab(browser: Any) -> Iterator[Tab]:
    made = Tab(browser)
    yield made
    made.page.close()
    assert made.noise == []


@pytest.fixture(scope="module")
def whole(work: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("whole") / "report.html"
    report(work, out, title=HOSTILE[0])
    return out


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with one table whose content is known: 250 rows, the hostile texts among them."""
    columns = (
        Column(name="place", type="id"), Column(name="text"), Column(name="kind", filter=True), Column(name="score", type="number"),
        Column(name="tags", type="tags", filter=True), Column(name="change", type="diff"),
    )  # fmt: skip
    records = []
    for k in range(N):
        text = HOSTILE[k] if k < len(HOSTILE) else f"row {k}"
        score = None if k == 7 else (k * 37 % N) / N
        change = [["same", "it is "], ["missing", "black"], ["added", text]]
        records.append([1000 + k, text, "even" if k % 2 == 0 else "odd", score, ["rare"] if k % 50 == 3 else ["a", "b"], change])
    records[20][1] = "long " * 400
    filler = [Rows(id="second", title="", columns=columns[:2], records=[record[:2] for record in records[:3]], total=3)]
    sections = [
        Section(id="one", title="One", lead="One", blocks=[Rows(id="table", title="", columns=columns, records=records, total=N)]),
        Section(id="two", title="Two", lead="Two", blocks=filler),
    ]
    out = tmp_path_factory.mktemp("table") / "table.html"
    out.write_text(page.draw(Report(title="t", verdict="v", sections=sections)), encoding="utf-8")
    return out


def places(page: Any, table: str = "table") -> list[int]:
    return [int(text) for text in page.locator(f"[data-rows={table}] tbody tr td:first-child").all_inner_texts()]


def status(page: Any) -> str:
    return str(page.locator("[data-rows=table] [role=status]").inner_text())


def test_hostile_rows_do_nothing(tab: Tab, whole: Path, table: Path) -> None:
    for file in (whole, table):
        page = tab.open(file)
        assert page.evaluate("window.hacked") is None
        assert page.evaluate("document.querySelectorAll('img, iframe, object, embed, link, base, form').length") == 0
        assert page.evaluate("document.scripts.length") == 3, "the two tables, and the one script"
    assert shown(HOSTILE[0]) in page.locator("[data-rows=table] tbody").text_content()


def test_the_policy_stops_what_a_bug_would_let_in(browser: Any, table: Path, tmp_path: Path) -> None:
    html = table.read_text(encoding="utf-8")
    bad = tmp_path / "bad.html"
    hole = '<img src=x onerror="window.hacked=1"><script>window.hacked=2</script><link rel=stylesheet href="http://127.0.0.1:9/x.css">'
    bad.write_text(html.replace("<main>", f"<main>{hole}", 1), encoding="utf-8")
    made = Tab(browser)
    page = made.open(bad)
    assert page.evaluate("window.hacked") is None
    assert any("policy: script-src" in line for line in made.noise)
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_fits_a_phone(browser: Any, whole: Path, table: Path, scheme: str) -> None:
    made = Tab(browser, PHONE, scheme)
    for file in (whole, table):
        page = made.open(file)
        page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true })")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        cut = page.evaluate(
            "[...document.querySelectorAll('td, th, p, dd, dt, h1, h2, h3, figcaption, .plot svg')].filter((each) => "
            "{ const box = each.getBoundingClientRect(); return box.width > 1 && (box.right > innerWidth + 1 || box.left < -1) })"
            ".map((each) => each.outerHTML.slice(0, 120))"
        )
        assert cut == []
    made.page.close()
    assert made.noise == []


def test_plots_show_one_of_their_widths(browser: Any, whole: Path) -> None:
    for viewport, shows in ((WIDE, "wide"), (PHONE, "narrow")):
        made = Tab(browser, viewport)
        page = made.open(whole)
        drawn = page.evaluate(
            "[...document.querySelectorAll('.plot > div')].filter((each) => each.offsetWidth).map((each) => each.className)"
        )
        assert drawn
        assert set(drawn) == {shows}
        size = page.evaluate(f"getComputedStyle(document.querySelector('.{shows} svg text')).fontSize")
        drawn_at = page.evaluate(f"document.querySelector('.{shows} svg').getBoundingClientRect().width")
        scale = drawn_at / page.evaluate(f"document.querySelector('.{shows} svg').viewBox.baseVal.width")
        assert float(size.removesuffix("px")) * scale >= 11, "letters can be read"
        page.close()


def test_search(tab: Tab, table: Path) -> None:
    page = tab.open(table)
    assert places(page) == [1000 + k for k in range(100)]
    page.get_by_label("Search these rows").first.fill("ROW 24")
    assert places(page) == [1024, *(1240 + k for k in range(10))]
    assert status(page) == "11 of 250 rows"
    assert page.evaluate("location.hash") == "#table?q=ROW+24"
    page.get_by_label("Search these rows").first.fill(HOSTILE[0])
    assert places(page) == [1000]


def test_filter(tab: Tab, table: Path) -> None:
    page = tab.open(table)
    page.get_by_label("tags", exact=True).select_option("rare")
    assert places(page) == [1003, 1053, 1103, 1153, 1203]
    page.get_by_label("kind", exact=True).select_option("even")
    assert places(page) == []
    assert status(page) == "0 of 250 rows"
    options = page.get_by_label("kind", exact=True).locator("option").all_inner_texts()
    assert options == ["kind: all", "even (125)", "odd (125)"]


def test_sort(tab: Tab, table: Path) -> None:
    page = tab.open(table)
    button = page.get_by_role("button", name="score")
    scores = {1000 + k: (k * 37 % N) / N for k in range(N) if k != 7}
    ascending = sorted(scores, key=lambda place: scores[place])
    button.click()
    assert places(page) == ascending[:100]
    assert page.locator("[data-rows=table] th[aria-sort=ascending]").inner_text() == "score ↑"
    button.click()
    assert places(page) == ascending[::-1][:100]
    page.get_by_role("button", name="next →").first.click()
    page.get_by_role("button", name="next →").first.click()
    assert places(page)[-1] == 1007, "what has no score comes last, whichever way"
    button.click()
    assert places(page) == [1000 + k for k in range(100)]
    assert page.evaluate("location.hash") == "#table"


def test_pages(tab: Tab, table: Path) -> None:
    page = tab.open(table)
    assert status(page) == "250 rows, page 1 of 3"
    back, next_ = (page.locator("[data-rows=table]").get_by_role("button", name=name) for name in ("← previous", "next →"))
    assert back.is_disabled()
    next_.click()
    next_.click()
    assert places(page) == [1200 + k for k in range(50)]
    assert next_.is_disabled()
    assert page.evaluate("location.hash") == "#table?page=3"
    page.get_by_label("kind", exact=True).select_option("odd")
    assert status(page) == "125 of 250 rows, page 1 of 2", "another choice starts at its first page"


def test_the_address_is_the_view(tab: Tab, table: Path) -> None:
    page = tab.open(table, f"#table?kind=odd&sort=-place&page=2&q={quote('row')}")
    odd = [1000 + k for k in range(len(HOSTILE), N) if k % 2 and k != 20]
    assert places(page) == odd[::-1][100:]
    assert page.get_by_label("kind", exact=True).input_value() == "odd"
    assert page.get_by_label("Search these rows").first.input_value() == "row"
    page.evaluate("location.hash = '#two'")
    assert places(page) == odd[::-1][100:], "going to another section keeps the view"
    assert places(page, "second") == [1000, 1001, 1002]
    page.evaluate("location.hash = '#table?q=' + encodeURIComponent('row 99')")
    page.wait_for_function("document.querySelector('[data-rows=table] tbody').rows.length === 1")
    assert places(page) == [1099]
    assert page.evaluate("location.hash = '#table?page=99&sort=nothing'")
    page.wait_for_function("document.querySelector('[data-rows=table] tbody').rows.length === 50")


def test_cells(tab: Tab, table: Path) -> None:
    page = tab.open(table)
    first = page.locator("[data-rows=table] tbody tr").first
    assert first.locator("ins").inner_text() == shown(HOSTILE[0])
    assert first.locator("del").inner_text() == "black"
    seventh = page.locator("[data-rows=table] tbody tr").nth(6)
    assert "[U+202E]" in seventh.inner_text()
    assert page.locator("[data-rows=table] tbody tr").nth(7).locator("td.number").inner_text() == "–"
    long = page.locator("[data-rows=table] tbody tr").nth(20)
    before = long.bounding_box()["height"]
    long.get_by_role("button", name="show all").click()
    assert long.bounding_box()["height"] > 1.5 * before


def test_save(tab: Tab, table: Path) -> None:
    page = tab.open(table, "#table?tags=rare")
    with page.expect_download() as found:
        page.locator("[data-rows=table]").get_by_role("button", name="save rows").click()
    assert found.value.suggested_filename == "table.jsonl"
    lines = Path(found.value.path()).read_text(encoding="utf-8").splitlines()
    saved = [json.loads(line) for line in lines]
    assert [each["place"] for each in saved] == [1003, 1053, 1103, 1153, 1203]
    assert saved[0]["text"] == shown(HOSTILE[3])
    assert saved[1] == {
        "place": 1053,
        "text": "row 53",
        "kind": "odd",
        "score": 53 * 37 % N / N,
        "tags": ["rare"],
        "change": "it is row 53",
    }
    tab.noise = [line for line in tab.noise if not line.startswith("request: blob:")]


def test_sorting_on_a_phone(browser: Any, table: Path) -> None:
    made = Tab(browser, PHONE)
    page = made.open(table)
    page.get_by_label("Sort").first.select_option("-place")
    assert page.locator("[data-rows=table] tbody tr td:first-child").first.inner_text().endswith("1249")
    page.close()
    assert made.noise == []


def test_without_scripts_the_rest_can_be_read(browser: Any, whole: Path) -> None:
    still = browser.browser or browser
    context = still.new_context(java_script_enabled=False) if hasattr(still, "new_context") else None
    if context is None:
        pytest.skip("this browser has one context: pages without scripts were not looked at")
    opened = context.new_page()
    opened.goto(whole.resolve().as_uri())
    text = opened.locator("body").inner_text()
    assert "This table needs JavaScript" in text
    assert "Three answers in full" in text
    context.close()
