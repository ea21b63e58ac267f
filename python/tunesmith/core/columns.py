"""Inputs of the kernels: whatever a user has, as a Polars Series of the type the kernel reads."""

from __future__ import annotations

from typing import Any

import polars as pl

from tunesmith.errors import InputError


def series(values: Any, dtype: pl.DataType | type[pl.DataType], *, name: str) -> pl.Series:
    """Make a Series of `dtype` from a Series, list, pandas Series or Arrow stream.

    Args:
        values: One-dimensional data.
        dtype: What the kernel reads, for example ``pl.String``.
        name: What the argument is called in messages.
    Raises:
        InputError: If the values are of another type (a lossless cast of integers is made).

    >>> series(["a", None], pl.String, name="texts").to_list()
    ['a', None]
    """
    if isinstance(values, str | bytes):
        raise InputError(f"{name}: expected a column of values, found one {type(values).__name__}; put it into a list")
    made = values if isinstance(values, pl.Series) else pl.Series(values=values) if hasattr(values, "__arrow_c_stream__") else None
    if made is None:
        try:
            made = pl.Series(values=values, dtype=pl.Null if len(values) == 0 else None)
        except (TypeError, ValueError, pl.exceptions.PolarsError) as error:
            raise InputError(f"{name}: expected a column of {dtype}, found {type(values).__name__}: {error}") from error
    if made.dtype == dtype:
        return made
    numeric = made.dtype.is_integer() and pl.Series([], dtype=dtype).dtype.is_integer()
    if made.dtype == pl.Null or numeric or (made.dtype == pl.Categorical and dtype == pl.String):
        try:
            return made.cast(dtype)
        except pl.exceptions.PolarsError as error:
            raise InputError(f"{name}: expected a column of {dtype}: {error}") from error
    raise InputError(f"{name}: expected a column of {dtype}, found {made.dtype}")
