"""Row ids: a name for a content, equal wherever the same content stands."""

from __future__ import annotations

import polars as pl

from tunesmith import core
from tunesmith.rows import schema


def ids(frame: pl.DataFrame) -> pl.DataFrame:
    """Fill ``row_id`` from the content of each row: ``schema.CONTENT``, messages as `core.canonical_json`.

    Missing, null, "" and [] are equal.

    >>> rows = pl.DataFrame({"instruction": ["a", "a"], "output": ["b", "b"], "position": [0, 1]})
    >>> ids(rows)["row_id"].n_unique()
    1
    """
    texts = [_text(frame, name) for name in schema.CONTENT]
    return frame.with_columns(core.row_ids(texts).alias("row_id"))


def _text(frame: pl.DataFrame, name: str) -> pl.Series:
    column = frame[name] if name in frame.columns else pl.Series()
    if column.null_count() == column.len():
        return pl.repeat(None, frame.height, dtype=pl.String, eager=True)
    if column.dtype == pl.String:
        return column.replace("[]", "") if name == "tools" else column
    return core.canonical_json(column)
