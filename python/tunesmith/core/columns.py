"""Inputs of the kernels: whatever a user has, as a Polars Series of the type the kernel reads."""

from __future__ import annotations

from typing import Any

import polars as pl

from tunesmith.errors import InputError


def series(values: Any, dtype: pl.DataType | type[pl.DataType], *, name: str) -> pl.Series:
    """Make a Series of `dtype` from a Series, list, pandas Series, Arrow array or Arrow stream.

    Nothing is converted but integers to other integers that hold them; a column of nothing but nulls is of any type.
    Categories are refused: a kernel would have to write every text out again, which should be asked for.

    Args:
        values: One-dimensional data.
        dtype: What the kernel reads, for example ``pl.String``.
        name: What the argument is called in messages.
    Raises:
        InputError: If the values are of another type.

    >>> series(["a", None], pl.String, name="texts").to_list()
    ['a', None]
    """
    made = column(values, name=name, expected=f"a column of {dtype}")
    if made.dtype == dtype:
        return made
    integers = made.dtype.is_integer() and pl.Series([], dtype=dtype).dtype.is_integer()
    if made.dtype == pl.Null or integers:
        try:
            return made.cast(dtype)
        except pl.exceptions.PolarsError as error:
            raise InputError(f"{name}: expected a column of {dtype}: {_first_line(error)}") from error
    found = "Enum" if isinstance(made.dtype, pl.Enum) else made.dtype  # whose repr names all categories
    raise InputError(f"{name}: expected a column of {dtype}, found {found}{_remedy(made.dtype, dtype)}")


def column(values: Any, *, name: str, expected: str) -> pl.Series:
    """Make a Series of whatever type the values have.

    Args:
        values: One-dimensional data.
        name: What the argument is called in messages.
        expected: What a message says was expected.
    Raises:
        InputError: If the values are no column.

    >>> column([[1], None], name="ids", expected="lists of ids").dtype
    List(Int64)
    """
    if isinstance(values, pl.Series):
        return values
    if isinstance(values, str | bytes):
        raise InputError(f"{name}: expected {expected}, found one {type(values).__name__}; put it into a list")
    if isinstance(values, pl.Expr | pl.LazyFrame):
        how = "use pl.col(...).tunesmith, or collect first" if isinstance(values, pl.Expr) else "collect it and take a column"
        raise InputError(f"{name}: expected {expected}, found {type(values).__name__}; {how}")
    try:
        if hasattr(values, "__arrow_c_stream__") or hasattr(values, "__arrow_c_array__"):
            return pl.Series(values=values)
        return pl.Series(values=values, dtype=pl.Null if len(values) == 0 else None)
    except (TypeError, ValueError, pl.exceptions.PolarsError) as error:
        raise InputError(f"{name}: expected {expected}, found {type(values).__name__}: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _remedy(found: pl.DataType, wanted: pl.DataType | type[pl.DataType]) -> str:
    if isinstance(found, pl.Struct):
        return "; pass one column"
    if wanted == pl.String and isinstance(found, pl.Categorical | pl.Enum):
        return "; write the texts out with .cast(pl.String)"
    return ""


def text_columns(values: Any, *, name: str) -> list[pl.Series]:
    """Make text columns of equal length: of one column, or of several that belong together.

    Args:
        values: What `series` takes; or a DataFrame, or a list of Series, for several columns.
        name: What the argument is called in messages.
    Raises:
        InputError: If a column is not text, there is none, or their lengths differ.

    >>> [column.to_list() for column in text_columns(pl.DataFrame({"a": ["x"], "b": [None]}), name="texts")]
    [['x'], [None]]
    """
    several = isinstance(values, pl.DataFrame) or (
        isinstance(values, list | tuple) and len(values) > 0 and isinstance(values[0], pl.Series)
    )
    columns = [series(each, pl.String, name=f"{name}[{i}]" if several else name) for i, each in enumerate(values if several else [values])]
    if not columns:
        raise InputError(f"{name}: expected one column of text or more, found none")
    if len({len(column) for column in columns}) > 1:
        raise InputError(f"{name}: expected columns of equal length, found {', '.join(str(len(column)) for column in columns)} rows")
    return columns
