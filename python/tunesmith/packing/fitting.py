"""Sequences fitted to the context, and the account of every token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import polars as pl

from tunesmith.errors import InputError

Overflow = Literal["drop", "left", "answer", "error"]


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """Sequences that fit.

    Attributes:
        segments: Columns of `templates.encoding.SEGMENT`, each at most the context long, each with something to learn.
        account: One line a sequence that came in: `position`, `length`, `cut` (tokens cut off), `rule` (why it was dropped
            as a whole, else null): `overflow`, `unsupervised` (the cut left nothing to learn).
    """

    segments: pl.DataFrame
    account: pl.DataFrame


def fit(sequences: pl.DataFrame, *, capacity: int, overflow: Overflow, bos_id: int | None) -> Fitted:
    """Make sequences fit.

    Args:
        sequences: From `templates.encode`.
        capacity: Tokens a sequence may have.
        overflow: See `pack`.
        bos_id: A first token that a cut from the left keeps.
    Raises:
        InputError: With `overflow="error"`, if a sequence is too long.

    >>> one = pl.DataFrame({"position": [0], "row_id": ["a"], "input_ids": [[7, 8, 9]], "labels": [[-100, -100, 9]]})
    >>> fit(one, capacity=2, overflow="left", bos_id=7).segments.row(0)
    (0, 'a', [7, 9], [-100, 9])
    >>> fit(one, capacity=2, overflow="drop", bos_id=7).account["rule"].to_list()
    ['overflow']
    """
    frame = sequences.with_columns(length=pl.col("input_ids").list.len(), rule=pl.lit(None, pl.String))
    long = pl.col("length") > capacity
    if overflow == "error":
        worst = frame.filter(long)
        if worst.height:
            first = worst.row(0, named=True)
            raise InputError(
                f"row {first['position']} (id {first['row_id']}) has {first['length']:,} tokens, the context holds {capacity:,}; "
                f"{worst.height:,} sequences are too long: raise --context, or choose --overflow drop, left or answer"
            )
    both = ("input_ids", "labels")
    if overflow == "answer":
        frame = frame.with_columns(pl.col(name).list.head(capacity) for name in both)
    elif overflow == "left":
        frame = _cut_left(frame, capacity, bos_id)
    frame = frame.with_columns(
        rule=pl.when(pl.col("input_ids").list.len() > capacity).then(pl.lit("overflow"))
        .when(~pl.col("labels").list.eval(pl.element() != -100).list.any()).then(pl.lit("unsupervised"))
    )  # fmt: skip
    account = frame.select("position", "length", "rule", cut=pl.col("length") - pl.col("input_ids").list.len())
    return Fitted(segments=frame.filter(pl.col("rule").is_null()).select(sequences.columns), account=account)


def _cut_left(frame: pl.DataFrame, capacity: int, bos_id: int | None) -> pl.DataFrame:
    """Cut what stands before the first answer, the beginning of sequence excepted; what still does not fit stays too long."""
    before = pl.col("labels").list.eval((pl.element() != -100).arg_max()).list.first()
    keep = (pl.col("input_ids").list.first() == bos_id).cast(pl.UInt32) if bos_id is not None else pl.lit(0, pl.UInt32)
    excess = pl.col("length").cast(pl.Int64) - capacity
    cuts = (excess > 0) & (excess <= before.cast(pl.Int64) - keep.cast(pl.Int64))
    frame = frame.with_columns(_keep=keep, _excess=excess, _cuts=cuts)
    parts = []
    for name in ("input_ids", "labels"):
        rest = pl.col(name).list.slice(pl.col("_keep").cast(pl.Int64) + pl.col("_excess"))
        cut = pl.concat_list(pl.col(name).list.head(pl.col("_keep")), rest)
        parts.append(pl.when("_cuts").then(cut).otherwise(pl.col(name)).alias(name))
    return frame.with_columns(parts).drop("_keep", "_excess", "_cuts")
