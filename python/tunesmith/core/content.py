"""Identity: ids of rows and hashes of tables, by content alone."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from tunesmith.core import _native


def row_ids(fields: Sequence[pl.Series]) -> pl.Series:
    """Hash rows by content: xxh3-128 over length-prefixed fields.

    Args:
        fields: Text columns of equal length, in a fixed order. Missing, null and "" are equal.
    Returns:
        ``String[n]``, 32 hex digits a row.

    >>> a, b = row_ids([pl.Series(["x", "x"]), pl.Series([None, ""], dtype=pl.String)])
    >>> a == b, len(a)
    (True, 32)
    """
    return pl.DataFrame(_native.row_ids(list(fields))).to_series()


def content_hash(frame: pl.DataFrame) -> str:
    """Hash a table's schema and rows in order; chunks, encodings and files do not count.

    >>> content_hash(pl.DataFrame({"a": [1]})) == content_hash(pl.DataFrame({"a": [1]}))
    True
    """
    frame = frame.with_columns(pl.col(pl.Binary).bin.encode("hex"))
    typed = frame.cast({name: _typed(dtype) for name, dtype in frame.schema.items() if _typed(dtype) != dtype})
    return _native.content_hash(typed.get_columns())


def _typed(dtype: pl.DataType) -> pl.DataType:
    """Give columns whose type does not cross the Arrow interface, or that has several encodings, one that does."""
    if isinstance(dtype, pl.Null | pl.Categorical | pl.Enum | pl.Decimal):
        return pl.String()
    if isinstance(dtype, pl.List | pl.Array):
        return pl.List(_typed(dtype.inner))  # type: ignore[arg-type]
    if isinstance(dtype, pl.Struct):
        return pl.Struct([pl.Field(field.name, _typed(field.dtype)) for field in dtype.fields])  # type: ignore[arg-type]
    return dtype
