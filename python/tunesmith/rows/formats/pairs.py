"""One text asked and one answered: what several formats come down to."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from tunesmith.rows.formats.base import Parsed, TextColumns
from tunesmith.rows.records import Records


def pair(records: Records, asked: str, answered: Sequence[str]) -> Parsed:
    """Read two text fields (and `system`) as instruction and output."""
    text = TextColumns(records=records)
    prompt, answer, system = text.take(asked), text.take(*answered), text.take("system")
    text.require_prompt(asked, prompt)
    content = pl.DataFrame([prompt.alias("instruction"), answer.alias("output"), system])
    content = content.with_columns(kind=pl.lit("instruct")).with_row_index("row")
    return Parsed(content=content, problems=text.problems, used=frozenset(text.columns))
