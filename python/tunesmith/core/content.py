"""Identity: ids of rows and hashes of tables, by content alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import polars as pl

from tunesmith.core import _native
from tunesmith.core.columns import column, series
from tunesmith.errors import InputError


def row_ids(fields: Sequence[Any], *, progress: Callable[[int], object] | None = None) -> pl.Series:
    """Hash rows by content: xxh3-128 over length-prefixed fields.

    Args:
        fields: Text columns of equal length, ``String[n]`` each, in a fixed order. Missing, null and "" are equal.
        progress: Called with the number of rows done so far.
    Returns:
        ``String[n]``, 32 hex digits a row.
    Raises:
        InputError: If a field is no text, or they differ in length.

    >>> a, b = row_ids([pl.Series(["x", "x"]), pl.Series([None, ""], dtype=pl.String)])
    >>> a == b, len(a)
    (True, 32)
    """
    columns = [series(field, pl.String, name=f"fields[{place}]") for place, field in enumerate(fields)]
    if len({len(column) for column in columns}) > 1:
        raise InputError(f"fields: expected columns of equal length, found {', '.join(str(len(column)) for column in columns)} rows")
    return pl.DataFrame(_native.row_ids(columns, False, progress)).to_series()


BLOCK = 1 << 16
"""Rows of a column of a LazyFrame that are held at a time."""


def content_hash(frame: pl.DataFrame | pl.LazyFrame, *, progress: Callable[[int], object] | None = None) -> str:
    """Hash a table's schema and rows in order; chunks, encodings and files do not count.

    Args:
        frame: Columns of text, numbers, dates, categories, and lists and structs of them. A scan (`pl.scan_parquet`) is read
            column after column, a block of rows at a time: a table above memory has a hash, too.
        progress: Called with the number of values done so far.
    Returns:
        xxh3-128, 32 hex digits.
    Raises:
        InputError: If it is no frame, or a column has a type that no artefact holds.

    >>> content_hash(pl.DataFrame({"a": [1]})) == content_hash(pl.LazyFrame({"a": [1]}))
    True
    """
    if isinstance(frame, pl.LazyFrame):
        return _of_blocks(frame, progress)
    if not isinstance(frame, pl.DataFrame):
        raise InputError(f"frame: expected a frame, found {type(frame).__name__}")
    return _native.content_hash([_crossing(column) for column in frame.get_columns()], progress)


def canonical_json(lists: Any, *, progress: Callable[[int], object] | None = None) -> pl.Series:
    """Write lists of objects as canonical JSON, such as the messages of conversations: what names their content.

    Fields stand in the order of their type, without spaces; those that hold null or "" are left out. Escaped is what Python's
    ``json`` escapes with ``ensure_ascii=False``.

    Args:
        lists: ``List[Struct][n]`` of text and truth values.
        progress: Called with the number of rows done so far.
    Returns:
        ``String[n]``; null where there are no objects.
    Raises:
        InputError: If the column is of another type.

    >>> turns = [[{"role": "user", "content": "é"}, {"role": "assistant", "content": None}], []]
    >>> canonical_json(pl.Series(turns)).to_list()
    ['[{"role":"user","content":"é"},{"role":"assistant"}]', None]
    """
    objects = column(lists, name="lists", expected="a column of lists of objects")
    if objects.dtype in (pl.Null, pl.List(pl.Null)):
        return pl.Series([None], dtype=pl.String).new_from_index(0, len(objects))
    objects = _crossing(objects)
    frames = [pl.DataFrame(frame).to_series() for frame in _native.canonical_json(objects, progress)]
    return pl.concat(frames) if frames else pl.Series(dtype=pl.String)


def _of_blocks(frame: pl.LazyFrame, progress: Callable[[int], object] | None) -> str:
    hasher, done = _native.ContentHasher(), 0
    rows = frame.select(pl.len()).collect().item()
    for name in frame.collect_schema():
        for start in range(0, max(rows, 1), BLOCK):
            # Slices, not batches: the streaming engine reads ahead, some gigabytes of long texts.
            block = frame.select(name).slice(start, BLOCK).collect()
            hasher.add(_crossing(block[name]), start == 0)
            done += block.height
            if progress is not None:
                progress(done)
    return hasher.digest()


def _crossing(column: pl.Series) -> pl.Series:
    if column.dtype == pl.Object:
        raise InputError(f'column "{column.name}": Python objects cannot be hashed; cast it to text or numbers')
    if column.dtype == pl.Binary:
        return column.bin.encode("hex")
    typed = _typed(column.dtype)
    return column if typed == column.dtype else column.cast(typed)


def _typed(dtype: pl.DataType) -> pl.DataType:
    """Give columns whose type does not cross the Arrow interface, or that has several encodings, one that does."""
    if isinstance(dtype, pl.Null | pl.Categorical | pl.Enum | pl.Decimal | pl.Int128 | pl.UInt128):
        return pl.String()
    if isinstance(dtype, pl.Float16):
        return pl.Float32()
    if isinstance(dtype, pl.List | pl.Array):
        return pl.List(_typed(dtype.inner))  # type: ignore[arg-type]
    if isinstance(dtype, pl.Struct):
        return pl.Struct([pl.Field(field.name, _typed(field.dtype)) for field in dtype.fields])  # type: ignore[arg-type]
    return dtype
