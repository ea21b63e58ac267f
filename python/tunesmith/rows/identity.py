"""Row ids: a name for a content, equal wherever the same content stands."""

from __future__ import annotations

import json
from typing import Any

import polars as pl

from tunesmith import core
from tunesmith.rows import schema


def ids(frame: pl.DataFrame) -> pl.DataFrame:
    """Fill ``row_id`` from the content of each row (``schema.CONTENT``; missing, null, "" and [] are equal).

    >>> rows = pl.DataFrame({"instruction": ["a", "a"], "output": ["b", "b"], "position": [0, 1]})
    >>> ids(rows)["row_id"].n_unique()
    1
    """
    texts = [_text(frame, name) for name in schema.CONTENT]
    return frame.with_columns(core.row_ids(texts).alias("row_id"))


def _text(frame: pl.DataFrame, name: str) -> pl.Series:
    if name not in frame.columns:
        return pl.repeat(None, frame.height, dtype=pl.String, eager=True)
    column = frame[name]
    if column.null_count() == column.len():
        return column.cast(pl.String) if column.dtype == pl.Null else pl.repeat(None, frame.height, dtype=pl.String, eager=True)
    if column.dtype == pl.String:
        return column.replace("[]", "") if name == "tools" else column
    return pl.Series(name, [canonical(messages) for messages in column.to_list()], dtype=pl.String)


def canonical(messages: list[dict[str, Any]] | None) -> str | None:
    """Write messages as canonical JSON: fields in the order of the schema, those that say nothing left out.

    >>> canonical([{"role": "user", "content": "é", "name": None}])
    '[{"role":"user","content":"é"}]'
    """
    if not messages:
        return None
    return json.dumps(
        [{key: value for key, value in message.items() if value is not None and value != ""} for message in messages],
        ensure_ascii=False,
        separators=(",", ":"),
    )
