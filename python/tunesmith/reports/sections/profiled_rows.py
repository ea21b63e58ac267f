"""The rows behind the bars of a profile: a table that every bar and every counted value leads to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from tunesmith.reports.blocks import TABLES, Column, Rows, Section
from tunesmith.reports.charts import binned
from tunesmith.reports.differences import same
from tunesmith.reports.texts import address, clip

if TYPE_CHECKING:
    from tunesmith.slices import Profile

TABLE: Final = "rows-table"
LIMIT: Final = 2_000
"""Rows that a report holds."""
EACH: Final = 5
"""Of every frequent value, so many rows are among them."""
MOST: Final = 40
"""Values of a kind, the most frequent ones, of which the table must have rows."""
CLIP: Final = 600
"""Characters of a text that the table shows."""

COLUMNS: Final = {
    "verbs": "verb", "objects": "object", "topics": "topic", "clusters": "cluster", "languages": "language", "scripts": "script",
    "turns": "turns",
}  # fmt: skip
"""What is counted, and the column of the table that it filters."""
WORDS: Final = {"prompt": "prompt words", "response": "response words"}


def leading(key: str, value: str) -> str:
    """Name the rows of a counted value.

    >>> leading("verbs", "list")
    '#rows-table?verb=list'
    """
    return address(TABLE, **{COLUMNS[key]: value})


def bar(field: str, name: str) -> str:
    """Name the rows of a bar.

    >>> bar("prompt", "3-5")
    '#rows-table?prompt+words=3-5'
    """
    return address(TABLE, **{WORDS[field]: name})


def section(made: Profile) -> Section:
    """Draw the table: a sample in the order of the row ids' hashes, in which every frequent value has some rows."""
    from tunesmith.slices.profiling import asked

    bins = {WORDS[name]: binned(made.lengths[name])[0] for name in WORDS}
    shown = made.slices.with_columns(asked(), pl.col("turns").cast(pl.String), **bins)
    names = [name for name in (*COLUMNS.values(), *WORDS.values()) if name in shown.columns and shown[name].n_unique() > 1]
    shown = shown.select("position", *names).with_columns(made.data.frame["row_id"])
    drawn = shown.sort("row_id", "position")
    frequent = {name: shown[name].value_counts(sort=True)[name].head(MOST).implode() for name in names}
    some = pl.any_horizontal(
        pl.lit(value=False), *(pl.col(name).is_in(values) & (pl.int_range(pl.len()).over(name) < EACH) for name, values in frequent.items())
    )
    kept = drawn.with_columns(few=some).sort("few", descending=True, maintain_order=True).head(LIMIT).sort("position")
    texts = made.data.frame.select("position", "instruction", "input", "output")
    records = []
    for line in kept.join(texts, on="position", how="left", maintain_order="left").iter_rows(named=True):
        text = "\n".join(part for part in (line["instruction"], line["input"], f"→ {line['output'] or ''}") if part)
        records.append([line["position"], *(line[name] or "" for name in names), same(clip(text, CLIP))])
    columns = (Column(name="position", type="id"), *(Column(name=name, filter=True) for name in names), Column(name="row", type="diff"))
    lead = f"What a bar or a value above leads to; of every frequent value at least {EACH} rows where there are so many."
    table = Rows(id=TABLE, title="", columns=columns, records=records, total=made.slices.height)
    return Section(id="rows", title="Rows to look at", lead=lead, blocks=[table], rank=TABLES)
