"""Counts in memory: a byte each where it holds them. Most rows have no finding, and a recipe of all detectors counts some sixty a row."""

from __future__ import annotations

from typing import TypeVar

import polars as pl

WIDE, NARROW = pl.UInt32(), pl.UInt8()
"""A count's type in files and for people, and in memory."""
_MOST = 255

Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)


def narrow(values: pl.DataFrame) -> pl.DataFrame:
    """Give columns of counts a byte a row, where no count is above 255.

    >>> narrow(pl.DataFrame({"a": [1], "b": [256]}, schema={"a": pl.UInt32, "b": pl.UInt32})).dtypes
    [UInt8, UInt32]
    """
    counts = [column for column in values.get_columns() if column.dtype == WIDE]
    return values.with_columns(column.cast(NARROW) for column in counts if _most(column) <= _MOST)


def wide(values: Frame) -> Frame:
    """Give counts the type that they have in files.

    >>> wide(narrow(pl.DataFrame({"a": [1]}, schema={"a": pl.UInt32}))).dtypes
    [UInt32]
    """
    return values.with_columns(pl.col(NARROW).cast(WIDE))


def _most(column: pl.Series) -> int:
    most = column.max()
    return most if isinstance(most, int) else 0
