"""The page: nothing of the data is ever markup, whatever block it is in; the policy names the one script; equal reports are equal bytes."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import fields, is_dataclass, replace
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.reports import charts, page
from tunesmith.reports.blocks import (
    Code,
    Column,
    Figure,
    Figures,
    Grid,
    Picture,
    Plot,
    Report,
    Rows,
    Sample,
    Samples,
    Section,
    Shown,
    Words,
)  # fmt: skip
from tunesmith.reports.differences import difference
from tunesmith.reports.differences import found as spans
from tunesmith.reports.texts import CLIP, address, visible

from .hostile import CONTROLS, HOSTILE, Page, assert_harmless, shown

PICTURE = Picture(wide='<svg width="10" height="10"></svg>', narrow='<svg width="5" height="10"></svg>')


def whole(text: str) -> Report:
    """A report that holds a text in every place where a text can stand."""
    columns = (
        Column(name=text), Column(name="n", type="number"), Column(name="tags", type="tags", filter=True),
        Column(name="diff", type="diff"), Column(name="id", type="id"),
    )  # fmt: skip
    record = [text, 1.5, [text], [["same", text], ["added", text], ["missing", text]], 7]
    blocks = (
        Figures(figures=[Figure(label=text, value=text, definition=text)]),
        Grid(
            title=text,
            columns=(text, "b"),
            rows=[[text, Shown(text=text, under=text, share=0.5)]],
            numbers=(text,),
            definitions={text: text},
        ),
        Grid(title=text, columns=(text,), rows=[[1]], folded=True),
        Grid(
            id="grid",
            title=text,
            columns=(text,),
            rows=[[Shown(text=text, to=address("table", **{"q": text, text: text}))]],
            tags=[{text: [text]}],
        ),
        Plot(title=text, picture=PICTURE, alt=text, caption=text),
        Words(text=text),
        Code(title=text, text=text),
        Code(title=text, text=text, folded=True),
        Samples(
            title=text,
            lead=text,
            samples=[Sample(title=text, prompt=text, texts=[(text, text, [["same", text], ["added", text], ["found", text]])])],
        ),
        Samples(
            id="samples",
            title=text,
            lead=text,
            samples=[Sample(title=text, prompt=text, texts=[(text, text, [["same", text]])], tags={text: [text, text]})],
        ),
        Rows(id="table", title=text, columns=columns, records=[record], total=2),
    )
    headline = [Figure(label=text, value=text, definition=text)] * 2
    sections = [Section(id="one", title=text, lead=text, blocks=blocks, headline=headline)]
    return Report(title=text, verdict=text, sections=sections, outcome=text, caveats=[(text, text)])


PLAIN = [tag for tag, _ in Page(page.draw(whole("plain"))).tags]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_is_markup_anywhere(text: str) -> None:
    plain = assert_harmless(page.draw(whole("plain")))
    found = assert_harmless(page.draw(whole(text)))
    assert [tag for tag, _ in found.tags] == [tag for tag, _ in plain.tags], "a text made or hid an element"
    assert found.text.count(shown(text)) == plain.text.count("plain") > 20
    table = found.tables["data-table"]
    assert table["records"][0][0] == shown(text)
    assert table["columns"][0]["name"] == shown(text)


@settings(max_examples=30, deadline=None)
@given(st.text(st.characters(codec=None), min_size=1, max_size=40))
def test_any_text_at_all_makes_the_same_page(text: str) -> None:
    html = page.draw(whole(text))
    html.encode()  # halves of surrogate pairs are codes by now
    assert [tag for tag, _ in Page(html).tags] == PLAIN
    assert not set(html) & CONTROLS


def test_every_field_of_a_block_was_tried() -> None:
    """A field added to a block later is missed by the tests above; this one says so."""

    def texts(value: Any) -> set[str]:
        if is_dataclass(value):
            return {f"{type(value).__name__}.{field.name}" for field in fields(value) if "MARK" in repr(getattr(value, field.name))} | {
                name for field in fields(value) for name in texts(getattr(value, field.name))
            }
        return {name for each in value for name in texts(each)} if isinstance(value, list | tuple) else set()

    assert texts(whole("MARK")) == {
        "Report.title", "Report.verdict", "Report.sections", "Report.outcome", "Report.caveats",
        "Section.title", "Section.lead", "Section.blocks", "Section.headline",
        "Figures.figures", "Figure.label", "Figure.value", "Figure.definition", "Words.text", "Code.title", "Code.text",
        "Grid.title", "Grid.columns", "Grid.rows", "Grid.numbers", "Grid.definitions", "Grid.tags", "Shown.text", "Shown.under",
        "Shown.to", "Plot.title", "Plot.alt", "Plot.caption", "Samples.title", "Samples.lead", "Samples.samples", "Sample.title",
        "Sample.prompt", "Sample.texts", "Sample.tags", "Rows.title", "Rows.columns", "Rows.records", "Column.name",
    }  # fmt: skip


def test_policy_names_the_script_and_nothing_else() -> None:
    found = assert_harmless(page.draw(whole("a")))
    (script,) = [content for attributes, content in found.scripts if "type" not in attributes]
    (policy,) = [attributes["content"] for tag, attributes in found.tags if tag == "meta" and "http-equiv" in attributes]
    digest = base64.b64encode(sha256(script.encode()).digest()).decode()
    rules = dict(rule.strip().split(" ", 1) for rule in str(policy).split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == f"'sha256-{digest}'"
    assert rules["base-uri"] == rules["form-action"] == "'none'"
    assert "unsafe-eval" not in str(policy)


def test_the_script_uses_no_markup_and_no_evaluation() -> None:
    script = (page.FOLDER / "page.js").read_text(encoding="utf-8")
    assert not re.findall(
        r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|new Function|fetch\(|XMLHttpRequest|import\(", script
    )


def test_equal_reports_are_equal_bytes() -> None:
    assert page.draw(whole("x")) == page.draw(whole("x"))
    assert page.draw(whole("x")) != page.draw(whole("y"))


def test_a_table_holds_what_fits_and_says_so() -> None:
    text = "".join(chr(0x4E00 + k % 997) for k in range(100_000))
    section = whole("a").sections[0]
    rows = Rows(id="big", title="Big", columns=(Column(name="t"),), records=[[text]] * 40, total=40)
    report = Report(title="t", verdict="v", sections=[replace(section, blocks=[rows])])
    found = Page(page.draw(report))
    held = len(found.tables["data-big"]["records"])
    assert 0 < held < 40
    assert held * 300_000 <= page.TABLE < (held + 1) * 300_000
    assert f"{held} of 40 rows are in this file" in found.text


@pytest.mark.parametrize("text", HOSTILE)
def test_tags_and_links_are_read_as_they_were_written(text: str) -> None:
    found = assert_harmless(page.draw(whole(text)))
    tags = [json.loads(str(attributes["data-tags"])) for _, attributes in found.tags if "data-tags" in attributes]
    assert tags == [{shown(text): [shown(text)]}, {shown(text): [shown(text), shown(text)]}]
    (link,) = [str(attributes["href"]) for tag, attributes in found.tags if tag == "a" and "?" in str(attributes["href"])]
    assert dict(parse_qsl(link.partition("?")[2])) == {"q": shown(text), shown(text): shown(text)}


def test_found_spans_are_marked() -> None:
    assert spans("abc", []) == [["same", "abc"]]
    assert spans("", [(0, 0)]) == [["same", ""]]
    assert spans("abc", [(0, 3)]) == [["found", "abc"]]
    assert spans("abcdef", [(4, 9), (1, 2), (0, 2)]) == [["found", "ab"], ["same", "cd"], ["found", "ef"]]
    long = spans("a" * (CLIP + 5), [(CLIP - 1, CLIP + 3)])
    assert long[1] == ["found", "a"]
    assert "clipped" in long[2][1]


def test_long_texts_are_clipped_before_they_are_compared() -> None:
    parts = difference("a b " * 100_000, "a c " * 100_000)
    assert sum(len(text) for _, text in parts) < 5 * CLIP
    assert "more characters, clipped" in "".join(text for _, text in parts)


def test_definitions_stand_beside_every_number() -> None:
    with pytest.raises(TypeError):
        Figure(label="rows", value="3")  # type: ignore[call-arg]


def test_names_in_charts_are_text() -> None:
    frame = pl.DataFrame([
        {"name": text, "series": side, "value": 0.5, "low": 0.4, "high": 0.6} for text in HOSTILE for side in ("a", HOSTILE[0])
    ])  # fmt: skip
    picture = charts.intervals(frame, axis="x")
    plot = Plot(title="", picture=picture, alt="", caption="")
    report = Report(title="t", verdict="v", sections=[Section(id="a", title="a", lead="a", blocks=[plot])])
    found = assert_harmless(page.draw(report))
    assert "<img src=x" in found.text


def test_plots_are_drawn_in_both_widths_with_letters_of_a_size() -> None:
    picture = charts.histogram(pl.Series([1, 2, 2, 3, 9, 400]), axis="words")
    for svg, width in ((picture.wide, charts.WIDE), (picture.narrow, charts.NARROW)):
        drawn = re.match(r'<svg[^>]* width="([\d.]+)"', svg)
        assert drawn
        assert abs(float(drawn[1]) - width) < 30
        assert set(re.findall(r'font-size="([\d.]+)px"', svg)) == {"13"}


def test_a_histogram_counts_every_row() -> None:
    values = pl.Series([3] * 5 + [4] * 7 + list(range(5, 1000)))
    svg = charts.histogram(values, axis="words", bins=20).wide
    counts = [int(n) for n in re.findall(r"rows: ([\d]+)", svg)]
    assert sum(counts) == values.len()


@pytest.mark.parametrize("text", ["a\r\nb", "tab\tline\n"])
def test_layout_characters_stay(text: str) -> None:
    assert visible(text) == text.replace("\r\n", "\n")
