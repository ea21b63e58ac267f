"""From what a format made of records to rows and rejects: numbered, named, with origin and the user's own columns."""

from __future__ import annotations

import polars as pl

from tunesmith.rows import schema
from tunesmith.rows.formats.base import Parsed
from tunesmith.rows.records import Records
from tunesmith.rows.rejects import RAW


def assemble(records: Records, parsed: Parsed, *, start: int, keep: bool) -> tuple[pl.DataFrame, pl.DataFrame, int]:
    """Number rows and rejects in the order of the records; add origin and the user's own columns.

    Args:
        records: What was read.
        parsed: What its format made of it.
        start: The first position.
        keep: Keep positions, as a version's rows have them.
    Returns:
        The valid rows, ``schema.REJECT``, and the next position.
    """
    if _one_to_one(records, parsed):
        content = parsed.content.with_columns(
            records.table.record.alias("record"), place=pl.int_range(start, start + records.height, dtype=pl.UInt64)
        )
        return _finished(records, parsed, content, keep=keep), pl.DataFrame(schema=schema.REJECT), start + records.height
    rejected = _rejects(records, parsed)
    place = pl.DataFrame([records.table.record.alias("record"), *_line(records)]).with_row_index("row")
    bad = sorted({problem.row for problem in parsed.problems})
    content = parsed.content.filter(~pl.col("row").is_in(bad)) if bad else parsed.content
    content = content.join(place, on="row", how="left", maintain_order="left")
    order = pl.concat([content.select("record", reject=False), rejected.select("record", reject=True).unique()])
    order = order.with_row_index("unit").sort("record", "unit").with_columns(place=pl.int_range(pl.len(), dtype=pl.UInt64) + start)
    end = start + order.height
    numbered = order.sort("unit")
    content = content.with_columns(numbered.filter(~pl.col("reject"))["place"])
    rejected = rejected.join(numbered.filter("reject").select("record", position="place"), on="record", how="left", maintain_order="left")
    rejected = rejected.with_columns(file=pl.lit(records.file)).select(schema.REJECT.names()).cast(schema.REJECT)
    return _finished(records, parsed, content, keep=keep), rejected, end


def _one_to_one(records: Records, parsed: Parsed) -> bool:
    """Tell whether every record is a row, as in most files."""
    if parsed.problems or records.table.damaged.height or parsed.content.height != records.height:
        return False
    return _each(parsed.content["row"], records.height) and records.table.record.is_sorted()


def _each(rows: pl.Series, height: int) -> bool:
    return rows.len() == height and bool((rows == pl.int_range(height, eager=True)).all())


def _finished(records: Records, parsed: Parsed, content: pl.DataFrame, *, keep: bool) -> pl.DataFrame:
    """Make rows of content that is numbered (`record`, `place`)."""
    frame = _rows(records, content)
    frame = frame.with_columns(_user_columns(records, parsed, content["row"]))
    if keep:
        return frame
    if not _numbered(frame):
        frame = frame.with_columns(position=content["place"])
    return frame


def _numbered(frame: pl.DataFrame) -> bool:
    """Tell whether rows have positions already: frames of tunesmith's own rows do."""
    return frame["position"].null_count() == 0 and not frame["position"].is_duplicated().any()


def _line(records: Records) -> list[pl.Series]:
    return [] if records.table.line is None else [records.table.line.alias("line")]


def _rejects(records: Records, parsed: Parsed) -> pl.DataFrame:
    """Put damaged records and problems of readable ones into one table, in the order of the records."""
    damaged = records.table.damaged
    if not parsed.problems:
        return damaged
    problems = parsed.problems
    rows = [problem.row for problem in problems]
    line = records.table.line
    found = pl.DataFrame({
        "record": records.table.record.gather(rows),
        "line": line.gather(rows) if line is not None else pl.Series([None] * len(rows), dtype=pl.UInt64),
        "field": [problem.field for problem in problems],
        "code": [problem.code for problem in problems],
        "found": [problem.found for problem in problems],
        "expected": [problem.expected for problem in problems],
        "raw": _raws(records, rows),
    }, schema=damaged.schema)  # fmt: skip
    return pl.concat([damaged, found]).sort("record", maintain_order=True)


def _raws(records: Records, rows: list[int]) -> list[str]:
    texts = {row: records.raw(row) for row in set(rows)}
    return [texts[row] for row in rows]


def _rows(records: Records, content: pl.DataFrame) -> pl.DataFrame:
    """Bring content to the columns of the row."""
    have = set(content.columns)
    origin = pl.struct(
        file=pl.lit(records.file),
        record=pl.col("record"),
        part=pl.col("part") if "part" in have else pl.lit(None, dtype=pl.String),
    )
    fill = {"origin": origin, "weight": pl.lit(1.0)}
    columns = [
        (pl.col(name) if name in have else fill.get(name, pl.lit(None))).cast(dtype).alias(name) for name, dtype in schema.ROW.items()
    ]
    return content.select(columns)


def _user_columns(records: Records, parsed: Parsed, rows: pl.Series) -> list[pl.Series]:
    """Take every field that is not the row's own, as it came, under `user_name`; tunesmith's own rows have these names already."""
    names = [key for key in records.keys if key not in parsed.used and key != RAW and "\0" not in key]
    whole = _each(rows, records.height)
    columns: dict[str, pl.Series] = {}
    for name in names:
        column = records.values(name)
        ours = name if parsed.used >= set(schema.ROW) else user_name(name)
        columns[ours] = (column if whole else column.gather(rows)).alias(ours)
    return list(columns.values())


def nameless(records: Records) -> list[str]:
    """Tell which fields no column can be called after."""
    return [
        f"{records.file}: the field {key!r} cannot be a column (NUL in its name) and is left out" for key in records.keys if "\0" in key
    ]


def user_name(name: str) -> str:
    """Give the name under which a user's column is kept: a row's own name, and one that this would give, gets a prefix.

    >>> user_name("topic"), user_name("weight"), user_name("user_weight")
    ('topic', 'user_weight', 'user_user_weight')
    """
    return f"user_{name}" if _bare(name) in schema.ROW else name


def own_name(name: str) -> str:
    """Give a user's column its name back: undoes `user_name`.

    >>> own_name("topic"), own_name("user_weight"), own_name("user_user_weight"), own_name("user_topic")
    ('topic', 'weight', 'user_weight', 'user_topic')
    """
    return name.removeprefix("user_") if _bare(name) in schema.ROW else name


def _bare(name: str) -> str:
    while name.startswith("user_"):
        name = name.removeprefix("user_")
    return name
