"""Packing sequences into bins of fixed capacity."""

from __future__ import annotations

from typing import Any

import polars as pl

from tunesmith.core import _native
from tunesmith.core.columns import series
from tunesmith.errors import InputError, OptionError


def pack(lengths: Any, *, capacity: int) -> pl.Series:
    """Assign sequences to bins by best-fit decreasing.

    Longest first (equal ones in input order), each goes into the fullest open bin that still holds it, of equally
    full ones the one filled last, else into a new bin. Bins are numbered as they are opened. At most 11/9 of the
    fewest possible bins and 4 more (Johnson 1973); in practice of token counts nearly all are full.

    Args:
        lengths: Token counts, ``UInt32[n]``, no nulls.
        capacity: Tokens per bin, 1 to 2^28.
    Returns:
        Bin per row, ``UInt32[n]``, in input order.
    Raises:
        InputError: If a row exceeds ``capacity`` or is null; names the first row.
        OptionError: If ``capacity`` is out of range.

    >>> pack([6, 4, 3], capacity=8).to_list()
    [0, 1, 1]
    """
    counts = series(lengths, pl.UInt32, name="lengths")
    if counts.null_count():
        raise InputError(f"lengths: row {counts.is_null().arg_max()} is null, expected a token count in every row")
    if isinstance(capacity, bool) or not isinstance(capacity, int) or not 1 <= capacity <= 2**28:
        raise OptionError(f"capacity: found {capacity!r}, expected a whole number from 1 to {2**28}")
    return pl.DataFrame(_native.pack(counts, capacity)).to_series()
