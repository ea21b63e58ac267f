"""Plain text: documents without a prompt, to be learnt whole."""

from __future__ import annotations

import polars as pl

from tunesmith.rows.formats import oasst_messages
from tunesmith.rows.formats.base import Format, Parsed, TextColumns
from tunesmith.rows.records import Records
from tunesmith.rows.rejects import Problem


def _fits(keys: frozenset[str]) -> bool:
    return "text" in keys and not keys >= oasst_messages.NAMES


def _parse(records: Records) -> Parsed:
    text = TextColumns(records=records)
    document = text.take("text").alias("output")
    bad = {problem.row for problem in text.problems}
    for row in document.fill_null("").str.strip_chars().eq("").arg_true():
        if row not in bad:
            text.problems.append(Problem(row=row, field="text", code="empty_text", found="nothing", expected="a text"))
    content = pl.DataFrame([document]).with_columns(kind=pl.lit("text")).with_row_index("row")
    return Parsed(content=content, problems=text.problems, used=frozenset(text.columns))


FORMAT = Format(name="text", known_by="text", fits=_fits, parse=_parse)
