"""Strata: the values of a column, few enough that every part of a split can have its share of each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import polars as pl

FEW = 20
"""Numbers with more different values are divided at their deciles."""
MOST = 50
"""Of more different texts, the rarer ones are one stratum."""
OTHER, ABSENT = "(other)", "(none)"


def strata(column: pl.Series) -> pl.Series:
    """Give each row's stratum, as text.

    Args:
        column: Any column. Numbers and times of more than 20 values are divided at their deciles; of more than 50 other values the
            rarest are pooled; nested values are compared as JSON text.
    Returns:
        ``String[n]``, never null.

    >>> strata(pl.Series(["a", None, "a"])).to_list()
    ['a', '(none)', 'a']
    >>> strata(pl.Series(range(100))).n_unique()
    10
    """
    ordered = column.dtype.is_numeric() or column.dtype.is_temporal()
    if ordered and column.n_unique() > FEW:
        return _deciles(column)
    if column.dtype.is_nested():
        texts = [None if value is None else json.dumps(value, default=str, ensure_ascii=False) for value in column.to_list()]
        column = pl.Series(column.name, texts, dtype=pl.String)
    text = column.cast(pl.String)
    counts = text.drop_nulls().value_counts().sort("count", column.name or "", descending=[True, False])
    if counts.height > MOST:
        kept = counts[column.name or ""].head(MOST - 1)
        text = pl.select(pl.when(text.is_null() | text.is_in(kept.implode())).then(text).otherwise(pl.lit(OTHER))).to_series()
    return text.fill_null(ABSENT).rename("stratum")


def _deciles(column: pl.Series) -> pl.Series:
    """Divide at the deciles; equal values stay together."""
    size = max(1, column.len() - column.null_count())
    numbers = ((column.rank("min") - 1) * 10 / size).floor().cast(pl.Int64)
    table = pl.DataFrame({"bin": numbers, "value": column})
    ends = table.drop_nulls().group_by("bin").agg(low=pl.col("value").min(), high=pl.col("value").max())
    label = pl.concat_str(pl.col("low").cast(pl.String), pl.lit(" to "), pl.col("high").cast(pl.String))
    named = table.join(ends.select("bin", stratum=label), on="bin", how="left", maintain_order="left")
    return named["stratum"].fill_null(ABSENT)


def balance(frames: Mapping[str, pl.DataFrame], column: str) -> dict[str, Any]:
    """Report how near the parts come to the shares of the whole.

    Args:
        frames: Part to its rows.
        column: The stratified column.
    Returns:
        ``column``; ``rows``, value to part to rows; ``largest_deviation``, the largest difference between a value's share of a
        part and its share of all rows.
    """
    parts = pl.concat([frame.select(column, part=pl.lit(part)) for part, frame in frames.items()], how="vertical_relaxed")
    counts = parts.with_columns(stratum=strata(parts[column])).group_by("stratum", "part").len().sort("stratum", "part")
    table: dict[str, dict[str, int]] = {}
    for stratum, part, count in counts.iter_rows():
        table.setdefault(stratum, dict.fromkeys(frames, 0))[part] = count
    totals = {part: frame.height for part, frame in frames.items()}
    whole = sum(totals.values())
    deviations = [abs(held[part] / totals[part] - sum(held.values()) / whole) for held in table.values() for part in frames if totals[part]]
    return {"column": column, "rows": table, "largest_deviation": max(deviations, default=0.0)}
