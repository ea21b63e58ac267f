"""The account of every token that rows gave: learnt, masked, cut off, dropped. The sums must match."""

from __future__ import annotations

import polars as pl

from tunesmith.errors import TunesmithError
from tunesmith.packing.fitting import Fitted

TOKENS = ("supervised", "masked", "truncated", "dropped")


def token_ledger(rows: pl.DataFrame, fitted: Fitted, unrendered: pl.DataFrame) -> pl.DataFrame:
    """Account for every token that rows gave.

    Args:
        rows: All rows that came in (`position`, `row_id`).
        fitted: What became of their sequences.
        unrendered: Rows that gave no sequence: `position`, `rule`, `evidence`.
    Returns:
        One line a row, in order: `position, row_id`, then UInt64 counts: `supervised` and `masked` (stored, with and without a
        label), `truncated` (cut off sequences that are stored), `dropped` (in sequences that are not stored); `rule` and
        `evidence`: why a row gave no segment, null where it gave one.
    """
    learnt = pl.col("labels").list.eval(pl.element() != -100).list.sum().cast(pl.UInt64)
    stored = fitted.segments.group_by("position").agg(supervised=learnt.sum(), total=pl.col("input_ids").list.len().sum().cast(pl.UInt64))
    kept = pl.col("rule").is_null()
    lost = fitted.account.group_by("position").agg(
        truncated=pl.col("cut").filter(kept).sum().cast(pl.UInt64),
        dropped=pl.col("length").filter(~kept).sum().cast(pl.UInt64),
        reason=pl.col("rule").drop_nulls().first(),
    )
    whole = rows.select("position", "row_id")
    for other in (stored, lost, unrendered.select("position", "rule", "evidence")):
        whole = whole.join(other, on="position", how="left", maintain_order="left")
    counts = [pl.col(name).fill_null(0) for name in ("supervised", "truncated", "dropped")]
    gone = pl.col("total").is_null()
    return whole.with_columns(
        *counts,
        masked=pl.col("total").fill_null(0) - pl.col("supervised").fill_null(0),
        rule=pl.when(gone).then(pl.coalesce("rule", "reason")),
    ).select("position", "row_id", *TOKENS, "rule", "evidence")


def balance(ledger: pl.DataFrame, *, segments: pl.DataFrame, produced: int) -> dict[str, int]:
    """Sum the ledger and hold it against what is stored and what was produced.

    Args:
        ledger: From `token_ledger`.
        segments: What is stored.
        produced: Tokens of all sequences before any was cut or dropped.
    Returns:
        `supervised`, `masked`, `truncated`, `dropped`: tokens.
    Raises:
        TunesmithError: If they do not match.
    """
    tokens = {name: int(ledger[name].sum()) for name in TOKENS}
    stored = int(segments["input_ids"].list.len().sum())
    learnt = int((segments["labels"].list.explode() != -100).sum())
    if tokens["supervised"] + tokens["masked"] != stored or tokens["supervised"] != learnt or sum(tokens.values()) != produced:
        raise TunesmithError(f"the token ledger does not balance: {tokens}, {stored:,} stored, {produced:,} produced; please report this")
    return tokens


def dropped_rows(ledger: pl.DataFrame) -> dict[str, int]:
    """Count the rows that gave no segment, by rule."""
    counts = ledger.drop_nulls("rule").group_by("rule").len().sort("rule")
    return dict(zip(counts["rule"].to_list(), counts["len"].to_list(), strict=True))
