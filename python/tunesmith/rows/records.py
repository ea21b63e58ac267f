"""Records as formats see them: fields asked by name, whatever file or frame they come from.

A field is looked at as text, by its JSON type, as Python values (conversations), or in the type it has
(the user's own columns). Two kinds of tables answer: JSON indexed by the core, and Polars frames.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import polars as pl

from tunesmith import core
from tunesmith.rows.rejects import NOTE, RAW, as_object
from tunesmith.rows.values import dense, finite, loads

DAMAGED = pl.Schema({"record": pl.UInt64, "line": pl.UInt64, "field": pl.String, "code": pl.String, "found": pl.String,
                     "expected": pl.String, "raw": pl.String})  # fmt: skip
"""Records that could not be read at all."""


_NESTED = frozenset({"array", "object"})


class Table(Protocol):
    """What a source's content answers. ``names`` are as in the source; an unknown one gives nulls."""

    keys: list[str]
    height: int
    record: pl.Series
    line: pl.Series | None
    damaged: pl.DataFrame
    nul: bool
    """Whether some text may hold a NUL."""

    def texts(self, name: str) -> pl.Series:
        """Give a field as ``String``: texts as they are, anything else as JSON text."""
        ...

    def types(self, name: str) -> pl.Series:
        """Give the JSON type of each value: string null missing number bool array object."""
        ...

    def kinds(self, name: str) -> frozenset[str]:
        """Give the JSON types that occur."""
        ...

    def values(self, name: str) -> pl.Series:
        """Give a field in the type that its values have."""
        ...

    def objects(self, name: str, rows: pl.Series | None = None) -> list[Any]:
        """Give a field, of some records, as Python values; text is parsed as JSON, what does not parse comes as `Unreadable`."""
        ...

    def turns(self, name: str) -> tuple[pl.Series, Table, pl.Series] | None:
        """Open the objects in a field's lists: each one's record, their table, and the records that hold something else too.

        None where no record has a list there.
        """
        ...

    def raw(self, row: int) -> str:
        """Give one record as it stood, as JSON text."""
        ...

    def longer(self, size: int) -> list[int]:
        """Name the records that may hold more than `size` bytes of text in one field."""
        ...


class JsonTable:
    """Records of JSON text, indexed by the core; nothing is copied until it is asked for."""

    def __init__(self, source: bytes | Path | core.JsonRecords) -> None:
        """Take a file, or records of it. Columns are copied: rows outlive the bytes of their file, of which they are a part."""
        records = source if isinstance(source, core.JsonRecords) else core.read_json(source, mapped=True)
        self.record = records.frame["record"]
        self.line: pl.Series | None = records.frame["line"]
        self.damaged = records.rejects.select(DAMAGED.names()).cast(DAMAGED) if records.damaged else pl.DataFrame(schema=DAMAGED)
        self.height = len(records)
        self.layout = records.layout
        self._json = mended(records)
        self.nul = self._json.nul
        self._counts: dict[str, dict[str, int]] = {}
        for key, kind, count in self._json.keys.iter_rows():
            self._counts.setdefault(key, {})[kind] = count
        self.keys = list(self._counts)

    def items(self, name: str) -> JsonTable:
        """Open the objects in a field's lists as records of their own, numbered by their place there."""
        items = self._json.items(name)
        table = JsonTable(items)
        table.record = items.frame["item"]
        table.damaged = items.rejects.with_columns(record="item").select(DAMAGED.names()).cast(DAMAGED)
        return table

    @cached_property
    def _raws(self) -> pl.Series:
        return self._json.raw()

    @cached_property
    def _flat(self) -> pl.DataFrame:
        """All fields without lists and objects, made in one pass."""
        flat = [key for key, counts in self._counts.items() if not _NESTED & set(counts)]
        return self._json.values(flat, share=False)

    def texts(self, name: str) -> pl.Series:
        """See `Table`."""
        if name in self._flat.columns and self._flat[name].dtype == pl.String:
            return self._flat[name]
        return self._json.texts([name], share=False).to_series()

    def types(self, name: str) -> pl.Series:
        """See `Table`."""
        return self._json.types([name]).to_series().cast(pl.String)

    def kinds(self, name: str) -> frozenset[str]:
        """See `Table`."""
        counts = self._counts.get(name, {})
        return frozenset(counts) if sum(counts.values()) == self.height else frozenset({*counts, "missing"})

    def values(self, name: str) -> pl.Series:
        """See `Table`."""
        if name in self._flat.columns:
            return self._flat[name]
        column = self._json.values([name], share=False).to_series()
        return nested(column, self.types(name)) if self.kinds(name) & _NESTED else column

    def objects(self, name: str, rows: pl.Series | None = None) -> list[Any]:
        """See `Table`."""
        return [parsed(text) for text in _some(self.texts(name), rows).to_list()]

    def turns(self, name: str) -> tuple[pl.Series, Table, pl.Series] | None:
        """See `Table`."""
        if "array" not in self.kinds(name):
            return None
        items = self._json.items(name)
        table = JsonTable(items)
        others = [items.rejects["record"].unique()]
        if not self.kinds(name) <= {"array", "null", "missing"}:
            others.append(self.types(name).is_in(["array", "null", "missing"]).not_().arg_true().cast(pl.UInt64))
        return items.frame["record"], table, pl.concat(others)

    def raw(self, row: int) -> str:
        """See `Table`."""
        return str(self._raws[row])

    def longer(self, size: int) -> list[int]:
        """See `Table`."""
        return self._json.longer(size)


class FrameTable:
    """Records of a frame; a String column may hold JSON text, as CSV must."""

    def __init__(
        self, frame: pl.DataFrame, *, start: int = 0, record: pl.Series | None = None, line: pl.Series | None = None,
        damaged: pl.DataFrame | None = None,
    ) -> None:  # fmt: skip
        """Take a frame; `start` is the number of its first record, where `record` does not number them all."""
        self.frame = frame
        self.keys, self.height = frame.columns, frame.height
        self.record = pl.int_range(start, start + frame.height, dtype=pl.UInt64, eager=True) if record is None else record
        self.line = line
        self.damaged = pl.DataFrame(schema=DAMAGED) if damaged is None else damaged
        self.nul = True

    def texts(self, name: str) -> pl.Series:
        """See `Table`."""
        column = self.values(name)
        if column.dtype == pl.String:
            return column
        if column.dtype.is_nested():
            return pl.Series(
                name, [None if v is None else json.dumps(v, ensure_ascii=False, default=str) for v in column.to_list()], pl.String
            )
        return column.cast(pl.String, strict=False)

    def types(self, name: str) -> pl.Series:
        """See `Table`."""
        if name not in self.keys:
            return pl.repeat("missing", self.height, eager=True)
        column = self.frame[name]
        kind = _json_type(column.dtype)
        return pl.select(pl.when(column.is_null()).then(pl.lit("null")).otherwise(pl.lit(kind)).alias(name)).to_series()

    def kinds(self, name: str) -> frozenset[str]:
        """See `Table`."""
        if name not in self.keys:
            return frozenset({"missing"})
        column = self.frame[name]
        nulls = column.null_count()
        kinds = {_json_type(column.dtype)} if nulls < self.height else set()
        return frozenset({*kinds, "null"} if nulls else kinds)

    def values(self, name: str) -> pl.Series:
        """See `Table`."""
        if name not in self.keys:
            return pl.repeat(None, self.height, dtype=pl.String, eager=True)
        column = self.frame[name]
        return column.cast(pl.String) if isinstance(column.dtype, pl.Categorical | pl.Enum) else column

    def objects(self, name: str, rows: pl.Series | None = None) -> list[Any]:
        """See `Table`."""
        column = _some(self.values(name), rows)
        return [parsed(text) for text in column.to_list()] if column.dtype == pl.String else column.to_list()

    def turns(self, name: str) -> tuple[pl.Series, Table, pl.Series] | None:
        """See `Table`."""
        dtype = self.frame.schema.get(name)
        if not (isinstance(dtype, pl.List) and isinstance(dtype.inner, pl.Struct)):
            return None
        listed = self.frame.select(name).with_row_index("row").filter(pl.col(name).list.len() > 0)
        row, objects = listed.explode(name).select(pl.col("row").cast(pl.UInt64), name)
        missing = row.filter(objects.is_null()).unique()
        return row, FrameTable(objects.struct.unnest()), missing

    def raw(self, row: int) -> str:
        """See `Table`."""
        record = {key: value for key, value in self.frame.row(row, named=True).items() if value is not None}
        return json.dumps(record, ensure_ascii=False, default=str)

    def longer(self, size: int) -> list[int]:
        """See `Table`."""
        found: set[int] = set()
        for column in self.frame.get_columns():
            if column.dtype == pl.String:
                found.update((column.str.len_bytes() > size).arg_true())
            elif column.dtype.is_nested() and column.estimated_size() > size:
                found.update((self.texts(column.name).str.len_bytes() > size).arg_true())
        return sorted(found)


def _json_type(dtype: pl.DataType) -> str:
    if isinstance(dtype, pl.String | pl.Categorical | pl.Enum | pl.Null):
        return "string"
    if isinstance(dtype, pl.List | pl.Array):
        return "array"
    if isinstance(dtype, pl.Struct):
        return "object"
    return "bool" if isinstance(dtype, pl.Boolean) else "number" if dtype.is_numeric() else str(dtype)


def mended(records: core.JsonRecords) -> core.JsonRecords:
    """Read a rejects file: what was written beside a record is left out, a record that stood as text is opened."""
    if not {NOTE, RAW} & set(records.keys["key"]):
        return records
    lines = []
    for text in records.raw():
        try:
            record = loads(text)
        except ValueError:  # the core reads more than Python holds
            lines.append(text)
            continue
        record.pop(NOTE, None)
        if set(record) == {RAW} and isinstance(record[RAW], str):
            record = as_object(record[RAW])
        lines.append(json.dumps(record))
    return core.read_json("\n".join(lines).encode())


def nested(column: pl.Series, types: pl.Series) -> pl.Series:
    """Give a column of JSON text its nested type, where that loses nothing; else leave the text.

    >>> nested(pl.Series(['{"a": 1}', '{"a": 2}']), pl.Series(["object", "object"])).dtype
    Struct({'a': Int64})
    >>> nested(pl.Series(['{"a": 1}', '{"a": "x"}']), pl.Series(["object", "object"])).dtype
    String
    """
    present = types.filter(column.is_not_null())
    if column.dtype != pl.String or present.is_empty() or not present.is_in(["array", "object"]).all():
        return column
    try:
        values = [None if text is None else loads(text) for text in column.to_list()]
        made = pl.Series(column.name, values)
        same = [dense(finite(value)) for value in made.to_list()] == [dense(finite(value)) for value in values]
        same = same and [_odd(value) for value in made.to_list()] == [_odd(value) for value in values]
    except (pl.exceptions.PolarsError, TypeError, OverflowError, ValueError, RecursionError):
        return column
    return made if same else column


def _odd(value: Any) -> list[str]:
    """Give the numbers that are not finite, in order."""
    if isinstance(value, dict | list):
        return [text for item in (value.values() if isinstance(value, dict) else value) for text in _odd(item)]
    return [repr(value)] if isinstance(value, float) and not math.isfinite(value) else []


class Unreadable(str):
    """Text where JSON was needed."""


@dataclass(frozen=True, kw_only=True)
class Records:
    """One source's records under the names that formats know.

    Attributes:
        file: What ``origin.file`` says.
        table: Who answers.
        mapping: The source's name of a field to the name it is read under.
    """

    file: str
    table: Table
    mapping: Mapping[str, str] = field(default_factory=dict)

    @property
    def keys(self) -> list[str]:
        """The fields, under the names they are read under, in order of first appearance."""
        return [self.mapping.get(key, key) for key in self.table.keys]

    @property
    def height(self) -> int:
        """Number of readable records."""
        return self.table.height

    def _theirs(self, name: str) -> str:
        for theirs, ours in self.mapping.items():
            if ours == name:
                return theirs
        return name

    def texts(self, name: str) -> pl.Series:
        """Give a field as ``String[height]``; what is no text as JSON text."""
        return self.table.texts(self._theirs(name)).alias(name)

    def types(self, name: str) -> pl.Series:
        """Give the JSON type of each value."""
        return self.table.types(self._theirs(name)).alias(name)

    def kinds(self, name: str) -> frozenset[str]:
        """Give the JSON types that occur."""
        return self.table.kinds(self._theirs(name))

    def values(self, name: str) -> pl.Series:
        """Give a field in the type that its values have."""
        return self.table.values(self._theirs(name)).alias(name)

    def objects(self, name: str, rows: pl.Series | None = None) -> Sequence[Any]:
        """Give a field, of some records, as Python values; JSON text is parsed, what does not parse comes as `Unreadable`."""
        return self.table.objects(self._theirs(name), rows)

    def turns(self, name: str) -> tuple[pl.Series, Table, pl.Series] | None:
        """Open the objects in a field's lists (see `Table.turns`)."""
        return self.table.turns(self._theirs(name))

    def raw(self, row: int) -> str:
        """Give one record as it stood."""
        return self.table.raw(row)

    def longer(self, size: int) -> list[int]:
        """Name the records that may hold more than `size` bytes of text in one field."""
        return self.table.longer(size)


def _some(column: pl.Series, rows: pl.Series | None) -> pl.Series:
    return column if rows is None else column.gather(rows)


def parsed(text: str | None) -> Any:
    """Read JSON; what Python cannot read comes as `Unreadable`."""
    if text is None:
        return None
    try:
        return loads(text)
    except ValueError:
        return Unreadable(text)
