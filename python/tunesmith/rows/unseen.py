"""Rows that are about an image, a video or a sound beside their text: nothing here reads those, so they are no rows."""

from __future__ import annotations

import polars as pl

from tunesmith.rows.formats.base import Parsed
from tunesmith.rows.records import Records
from tunesmith.rows.rejects import Problem, excerpt

MARKS = {f"{kind}{plural}": f"<{kind}>" for kind in ("image", "video", "audio") for plural in ("", "s")}
"""The field that names files, to the mark that stands for them in the text (as LLaMA-Factory writes them)."""


def unseen(records: Records, parsed: Parsed) -> list[Problem]:
    """Find rows whose text shows where a file belongs that a field of theirs names.

    Args:
        records: A source's records.
        parsed: What their format made of them.
    Returns:
        A problem for each such field of a record.
    """
    problems = []
    for name, mark in MARKS.items():
        if name not in records.keys or name in parsed.used:
            continue
        marked = parsed.content.filter(_holds(parsed.content, mark))["row"].unique().sort()
        problems += [
            Problem(
                row=row, field=name, code="unsupported_part", found=excerpt(value), expected="text alone (images and audio are not read)"
            )
            for row, value in zip(marked, records.objects(name, marked), strict=True)
            if value
        ]
    return problems


def _holds(content: pl.DataFrame, mark: str) -> pl.Expr:
    texts = [pl.col(name).str.contains(mark, literal=True) for name in ("instruction", "input") if name in content.columns]
    if "messages" in content.columns:
        texts.append(pl.col("messages").list.eval(pl.element().struct.field("content").str.contains(mark, literal=True)).list.any())
    return pl.any_horizontal([text.fill_null(value=False) for text in texts]) if texts else pl.lit(value=False)
