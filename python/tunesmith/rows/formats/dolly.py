"""Dolly: instruction, context, response, with a category of one's own beside them."""

from __future__ import annotations

import polars as pl

from tunesmith.rows.formats.base import Format, Parsed, TextColumns
from tunesmith.rows.records import Records

NAMES = frozenset({"instruction", "context", "response"})


def _fits(keys: frozenset[str]) -> bool:
    return keys >= NAMES and "output" not in keys


def _parse(records: Records) -> Parsed:
    text = TextColumns(records=records)
    instruction, context, response = text.take("instruction"), text.take("context"), text.take("response")
    text.require_prompt("instruction", instruction, context)
    content = pl.DataFrame([instruction, context.alias("input"), response.alias("output")])
    content = content.with_columns(kind=pl.lit("instruct")).with_row_index("row")
    return Parsed(content=content, problems=text.problems, used=frozenset(text.columns))


FORMAT = Format(name="dolly", known_by="instruction, context, response", fits=_fits, parse=_parse)
