"""Tunesmith's own rows, as a version or a frame holds them."""

from __future__ import annotations

import polars as pl

from tunesmith.errors import InputError
from tunesmith.rows import schema
from tunesmith.rows.formats.base import Format, Parsed
from tunesmith.rows.records import Records

_NEEDED = frozenset(schema.ROW) - {"row_id"}


def _fits(keys: frozenset[str]) -> bool:
    return keys >= _NEEDED


def _parse(records: Records) -> Parsed:
    try:
        content = pl.DataFrame([records.values(name).cast(schema.ROW[name]) for name in schema.ROW if name in records.keys])
    except pl.exceptions.PolarsError as error:
        raise InputError(f"{records.file}: the columns of tunesmith's own rows are there, but not in their types: {error}") from error
    return Parsed(content=content.with_row_index("row"), problems=[], used=frozenset(schema.ROW))


FORMAT = Format(name="tunesmith", known_by="position, origin, kind, messages, ...", fits=_fits, parse=_parse)
