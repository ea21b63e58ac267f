"""Rows between passes: held once, in little room."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from tunesmith.rows.pieces import pieces
from tunesmith.rows.schema import ORIGIN


@dataclass(kw_only=True)
class Rows:
    """All rows as steps left them.

    Attributes:
        schema: Their columns.
        held: The rows, sorted by position, in pieces; as they are, or `lean`.
        before: Those that steps changed as they were read, sorted by position.
    """

    schema: pl.Schema
    held: Sequence[pl.DataFrame]
    before: pl.DataFrame | None = None

    @property
    def height(self) -> int:
        """How many there are."""
        return sum(piece.height for piece in self.held)

    def select(self, *names: str) -> pl.DataFrame:
        """Take a few columns of all rows."""
        return pl.concat([piece.select(names).cast({name: self.schema[name] for name in names}) for piece in self.held])

    def pieces(self, size: int) -> Iterator[pl.DataFrame]:
        """Give the rows with all columns, at most so many at a time."""
        return (piece.cast(self.schema) for each in self.held for piece in pieces(each, size))

    def handed_over(self, size: int) -> Iterator[pl.DataFrame]:
        """Give the rows as `pieces` does, and hold each no longer: what is made of them takes their room."""
        waiting = [piece for each in self.held for piece in pieces(each, size)]
        self.held = ()
        waiting.reverse()
        while waiting:
            yield waiting.pop().cast(self.schema)


def lean(rows: pl.DataFrame) -> pl.DataFrame:
    """Hold the same rows in less room: nothing of columns without a value, and one text of the many that are alike.

    Every text takes 16 bytes, also an absent one, and most rows have no system prompt, tools, or messages; their kind and file are
    those of the row before. A cast to the rows' schema gives them back.

    >>> rows = pl.DataFrame({"kind": ["chat"], "system": [None]}, schema={"kind": pl.String, "system": pl.String})
    >>> lean(rows).dtypes, lean(rows).cast(rows.schema).equals(rows)
    ([Categorical, Null], True)
    """
    columns: list[pl.Expr] = []
    for column in rows.get_columns():
        if column.null_count() == len(column):
            columns.append(pl.lit(None).alias(column.name))
        elif column.name == "kind" and column.dtype == pl.String:
            columns.append(pl.col("kind").cast(pl.Categorical))
        elif column.name == "origin" and column.dtype == ORIGIN and not column.null_count():
            file, record, part = (column.struct.field(name) for name in ("file", "record", "part"))
            absent = part.null_count() == len(part)
            columns.append(pl.struct(file.cast(pl.Categorical), record, pl.lit(None).alias("part") if absent else part).alias("origin"))
        else:
            columns.append(pl.col(column.name))
    return rows.select(columns) if rows.height else rows
