"""`diff`: what came, went and changed between two versions, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from tunesmith.rows import Version

_KEY = "_key"
_ABSENT = "not in the other version"


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What differs between two versions.

    Attributes:
        added: Rows that only the second has.
        removed: Rows that only the first has.
        edited: Rows of both whose content or weight differs.
        same: Rows of both whose content and weight are equal.
        why: `added`, `removed` and `edited`, each {reason: rows}.
        rows: `change, position, other_position, row_id, other_id, why`: every row that differs; the position and id in the
            first version, then in the second.
    """

    added: int
    removed: int
    edited: int
    same: int
    why: Mapping[str, Mapping[str, int]]
    rows: pl.DataFrame = field(repr=False)

    def as_dict(self, show: int = 20) -> dict[str, Any]:
        """The `--json` fields, with the first rows of each change."""
        shown = self.rows.group_by("change", maintain_order=True).head(show)
        return {**{k: v for k, v in vars(self).items() if k != "rows"}, "rows": shown.to_dicts()}


def diff(first: Version | str | Path, second: Version | str | Path) -> Difference:
    """Compare two versions row by row.

    A row is known by its origin (file, record, part) and its place among rows of one origin; rows without the same origin are
    matched by content (row id), copies in order.

    Args:
        first: The older version.
        second: The newer one.
    Returns:
        What was added, removed and edited, each with the rule that did it where a ledger tells.
    """
    old, new = (each if isinstance(each, Version) else Version.open(each) for each in (first, second))
    a, b = (_keyed(version.frame, "origin") for version in (old, new))
    both = a.join(b, on=_KEY, how="inner", suffix="_b")
    a_rest = a.join(both, on=_KEY, how="anti").pipe(_keyed, "row_id")
    b_rest = b.join(both, on=_KEY, how="anti").pipe(_keyed, "row_id")
    by_id = a_rest.join(b_rest, on=_KEY, how="inner", suffix="_b")
    pairs = pl.concat([both.drop(_KEY), by_id.drop(_KEY)])
    edited = pairs.filter((pl.col("row_id") != pl.col("row_id_b")) | pl.col("weight").ne_missing(pl.col("weight_b")))
    gone = a_rest.join(by_id, on=_KEY, how="anti").pipe(_located, new)
    come = b_rest.join(by_id, on=_KEY, how="anti").pipe(_located, old)
    rows = pl.concat([
        _rows("added", come, "other", "position", _why_added(come, old)),
        _rows("removed", gone, "position", "other", _why(gone["other"], new, "drop")),
        _rows("edited", edited, "position", "position_b", _why_edited(edited, old, new)),
    ])  # fmt: skip
    counts = {change: rows.filter(change=change)["why"].value_counts(sort=True) for change in ("added", "removed", "edited")}
    return Difference(
        added=come.height, removed=gone.height, edited=edited.height, same=pairs.height - edited.height,
        why={change: dict(sorted(count.iter_rows(), key=lambda pair: (-pair[1], pair[0]))) for change, count in counts.items()}, rows=rows,
    )  # fmt: skip


def _keyed(frame: pl.DataFrame, by: str) -> pl.DataFrame:
    """Name rows by what `by` says of them, copies numbered in order."""
    kept = frame.select("position", "row_id", "origin", "weight")
    named = kept.with_columns(pl.int_range(pl.len()).over(by).alias("_copy"))
    return named.with_columns(pl.struct(by, "_copy").alias(_KEY)).drop("_copy") if by == "row_id" else _by_origin(named)


def _by_origin(named: pl.DataFrame) -> pl.DataFrame:
    key = pl.struct(pl.col("origin"), pl.col("_copy"))
    known = pl.col("origin").struct.field("record").is_not_null()
    return named.with_columns(pl.when(known).then(key).alias(_KEY)).drop("_copy")


def _located(rows: pl.DataFrame, other: Version) -> pl.DataFrame:
    """Find the position that a row has among the rows the other version let go, by origin."""
    lost = other.removed.select("origin", pl.col("position").alias("other")).unique("origin", keep="first", maintain_order=True)
    return rows.join(lost, on="origin", how="left", maintain_order="left")


def _why(positions: pl.Series, version: Version, action: str) -> pl.Series:
    """Name the rules that a ledger has for rows; None where it has none."""
    rules = version.ledger.filter(action=action).select("position", pl.concat_str("step", "rule", separator=".").alias("rule"))
    named = rules.group_by("position", maintain_order=True).agg(pl.col("rule").str.join(", "))
    joined = pl.DataFrame({"position": positions.cast(pl.UInt64)}).join(named, on="position", how="left", maintain_order="left")
    return joined["rule"].fill_null(_ABSENT).rename("why")


def _why_added(come: pl.DataFrame, old: Version) -> pl.Series:
    dropped = _why(come["other"], old, "drop")
    here = come["other"].is_not_null()
    return pl.select(pl.when(here).then(pl.format("was dropped: {}", dropped)).otherwise(pl.lit("new")).alias("why")).to_series()


def _why_edited(edited: pl.DataFrame, old: Version, new: Version) -> pl.Series:
    now, before = _why(edited["position_b"], new, "edit"), _why(edited["position"], old, "edit")
    source = pl.when(edited["row_id"] == edited["row_id_b"]).then(pl.lit("another weight")).otherwise(pl.lit("another source text"))
    undone = pl.when(before != _ABSENT).then(pl.format("no longer edited: {}", before)).otherwise(source)
    return pl.select(pl.when(now != _ABSENT).then(now).otherwise(undone).alias("why")).to_series()


def _rows(change: str, rows: pl.DataFrame, position: str, other: str, why: pl.Series) -> pl.DataFrame:
    """Lay out changed rows: position and id in the first version, then in the second."""
    ids = {"added": (None, "row_id"), "removed": ("row_id", None), "edited": ("row_id", "row_id_b")}[change]
    columns = {"change": pl.lit(change), "position": pl.col(position).cast(pl.UInt64), "other_position": pl.col(other).cast(pl.UInt64)}
    names = (pl.lit(None, pl.String) if name is None else pl.col(name) for name in ids)
    made = rows.select(**columns, **dict(zip(("row_id", "other_id"), names, strict=True)), why=why)
    return made.sort("position", "other_position", nulls_last=True)
