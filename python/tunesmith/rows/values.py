"""A user's columns in the forms that JSON has: texts, finite numbers, truth values, lists, objects and null."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl


def in_json(frame: pl.DataFrame) -> tuple[pl.DataFrame, Mapping[str, int]]:
    """Bring columns to types whose values JSON holds.

    Dates, times and durations become ISO 8601 text, decimals and categories their text, bytes base64. NaN and infinity, for
    which JSON has no form, become null, wherever in a list or an object they stand.

    Args:
        frame: Columns of any type but Python objects.
    Returns:
        The columns, and for each that held NaN or infinity the number of such rows.

    >>> made, lost = in_json(pl.DataFrame({"a": [[1.5, float("nan")], []], "b": [b"hi", None]}))
    >>> made.rows(), lost
    ([([1.5, None], 'aGk='), ([], None)], {'a': 1})
    """
    odd = {name: found for name, dtype in frame.schema.items() if (found := _odd(pl.col(name), dtype)) is not None}
    counts = frame.select(found.fill_null(value=False).sum().alias(name) for name, found in odd.items()).row(0) if odd else ()
    lost = {name: int(count) for name, count in zip(odd, counts, strict=True) if count}
    return frame.with_columns(_plain(pl.col(name), dtype).alias(name) for name, dtype in frame.schema.items()), lost


def _plain(value: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Give values of a type as JSON holds them."""
    made = value
    if dtype.is_float():
        made = pl.when(value.is_finite()).then(value)
    elif isinstance(dtype, pl.Date | pl.Time | pl.Datetime | pl.Duration):
        made = value.dt.to_string("iso:strict")
    elif isinstance(dtype, pl.Binary):
        made = value.bin.encode("base64")
    elif isinstance(dtype, pl.Decimal | pl.Categorical | pl.Enum):
        made = value.cast(pl.String)
    elif isinstance(dtype, pl.Array):
        made = _plain(value.arr.to_list(), pl.List(dtype.inner))
    elif isinstance(dtype, pl.List):
        made = value.list.eval(_plain(pl.element(), dtype.inner))  # type: ignore[arg-type]
    elif isinstance(dtype, pl.Struct) and dtype.fields:
        fields = [_plain(value.struct.field(field.name), field.dtype).alias(field.name) for field in dtype.fields]  # type: ignore[arg-type]
        made = pl.when(value.is_not_null()).then(pl.struct(fields))
    return made


def _odd(value: pl.Expr, dtype: pl.DataType) -> pl.Expr | None:
    """Tell where a value holds NaN or infinity; None for types that cannot."""
    if dtype.is_float():
        return ~value.is_finite()
    if isinstance(dtype, pl.Array):
        return _odd(value.arr.to_list(), pl.List(dtype.inner))
    if isinstance(dtype, pl.List):
        inner = _odd(pl.element(), dtype.inner)  # type: ignore[arg-type]
        return None if inner is None else value.list.eval(inner.fill_null(value=False)).list.any()
    if isinstance(dtype, pl.Struct):
        fields = [_odd(value.struct.field(field.name), field.dtype) for field in dtype.fields]  # type: ignore[arg-type]
        found = [field.fill_null(value=False) for field in fields if field is not None]
        return pl.any_horizontal(found) if found else None
    return None


def in_parquet(frame: pl.DataFrame) -> pl.DataFrame:
    """Write columns that Parquet has no form for (objects without fields) as JSON text."""
    names = [name for name, dtype in frame.schema.items() if _empty(dtype)]
    return as_text(frame, names) if names else frame


def _empty(dtype: Any) -> bool:
    if isinstance(dtype, pl.Struct):
        return not dtype.fields or any(_empty(field.dtype) for field in dtype.fields)
    return isinstance(dtype, pl.List | pl.Array) and _empty(dtype.inner)


def together(frames: Sequence[pl.DataFrame]) -> list[pl.DataFrame]:
    """Write columns that hold lists or objects here and something else there as text: JSON, where they are nested.

    Polars would make an object of a number, and of an object a text that is none of JSON's.

    >>> [made["a"][0] for made in together([pl.DataFrame({"a": [{"k": 1}]}), pl.DataFrame({"a": [5]}), pl.DataFrame({"a": ["x"]})])]
    ['{"k": 1}', '5', 'x']
    """
    types: dict[str, list[pl.DataType]] = {}
    for frame in frames:
        for name, dtype in frame.schema.items():
            types.setdefault(name, []).append(dtype)
    odd = {name for name, found in types.items() if not all(_fit(found[0], other) for other in found[1:])}
    if not odd:
        return list(frames)
    nested = [[name for name, dtype in frame.schema.items() if name in odd and dtype.is_nested()] for frame in frames]
    made = [as_text(frame, names) for frame, names in zip(frames, nested, strict=True)]
    return [frame.with_columns(pl.col(name).cast(pl.String) for name in frame.columns if name in odd) for frame in made]


def _fit(one: Any, other: Any) -> bool:
    """Tell whether one type can hold what two hold."""
    if pl.Null in (one, other):
        return True
    if isinstance(one, pl.Struct) and isinstance(other, pl.Struct):
        fields = {field.name: field.dtype for field in one.fields}
        return all(_fit(fields[field.name], field.dtype) for field in other.fields if field.name in fields)
    if isinstance(one, pl.List | pl.Array) and isinstance(other, pl.List | pl.Array):
        return _fit(one.inner, other.inner)
    return not (one.is_nested() or other.is_nested())


def as_text(frame: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    """Write columns as JSON text, fields that hold null left out."""
    made, _ = in_json(frame.select(names))
    texts = {name: [None if value is None else dumps(dense(value)) for value in made[name].to_list()] for name in names}
    return frame.with_columns(pl.Series(name, values, dtype=pl.String) for name, values in texts.items())


def dense(value: Any) -> Any:
    """Leave out what a table has to fill in: keys of objects that hold null.

    >>> dense({"a": None, "b": [{"c": None}]})
    {'b': [{}]}
    """
    if isinstance(value, dict):
        return {key: dense(item) for key, item in value.items() if item is not None}
    return [dense(item) for item in value] if isinstance(value, list) else value


def loads(text: str) -> Any:
    """Read JSON of any origin.

    Raises:
        ValueError: For what is no JSON, and for what Python cannot hold: nesting beyond its recursion limit (near a thousand
            levels), whole numbers of more than 4,300 digits.
    """
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def dumps(value: Any) -> str:
    """Write JSON as the standard has it.

    Raises:
        ValueError: For NaN and infinity.
    """
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def finite(value: Any) -> Any:
    """Put null in the place of NaN and infinity.

    >>> finite({"a": [1.5, float("inf")]})
    {'a': [1.5, None]}
    """
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
