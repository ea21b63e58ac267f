"""Pairs of similar rows, over one text or field by field, from the kernels of the core."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import polars as pl

from tunesmith import core
from tunesmith.core.duplicates import Unit

_PAIRS = {"a": pl.UInt32, "b": pl.UInt32, "similarity": pl.Float64}


@dataclass(frozen=True, kw_only=True)
class Similarity:
    """What similar means: exact Jaccard over shingles, listed from `floor` on."""

    floor: float
    shingle: int
    unit: Unit

    def pairs(
        self, left: pl.DataFrame, right: pl.DataFrame | None = None, *, progress: Callable[[int], object] | None = None
    ) -> pl.DataFrame:
        """List similar rows, `a, b, similarity`.

        With one text column, equal rows are tied to the first of them alone. With several, the rows are compared
        field by field and the smallest similarity counts; every pair is listed.

        Args:
            left: Text columns; null is no text. Two rows without a text are equal in it, but rows without any are not.
            right: The other side's, of the same names; within `left` when absent.
            progress: Told the texts read so far.
        """
        if left.width == 1:
            against = None if right is None else right.to_series()
            return core.near_pairs(
                left.to_series(), against=against, threshold=self.floor, shingle=self.shingle, unit=self.unit, progress=progress
            )
        rows = None if right is None else pl.int_range(right.height, dtype=pl.UInt32, eager=True)
        return self._each(left, pl.int_range(left.height, dtype=pl.UInt32, eager=True), right, rows).sort("a", "b")

    def _each(self, left: pl.DataFrame, a: pl.Series, right: pl.DataFrame | None, b: pl.Series | None) -> pl.DataFrame:
        """Find candidates in the field that differs most, verify them in the others; rows without that field are met apart."""
        field = max(left.columns, key=lambda name: left[name].n_unique())
        others = [name for name in left.columns if name != field]
        has, has_right = left[field].is_not_null(), None if right is None else right[field].is_not_null()
        some, a_some = left.filter(has), a.filter(has)
        some_right = right.filter(has_right) if right is not None and has_right is not None else None
        b_some = b.filter(has_right) if b is not None and has_right is not None else None
        found = self._candidates(some, field, some_right)
        other_side = some if some_right is None else some_right
        for name in others:
            similarity = self._verified(some[name].gather(found["a"]), other_side[name].gather(found["b"]))
            found = found.with_columns(pl.min_horizontal("similarity", similarity.alias("_"))).filter(pl.col("similarity") >= self.floor)
        found = found.with_columns(
            a_some.gather(found["a"]).alias("a"), (a_some if b_some is None else b_some).gather(found["b"]).alias("b")
        )
        if not others:
            return found
        rest_right = right.filter(~has_right).select(others) if right is not None and has_right is not None else None
        b_rest = b.filter(~has_right) if b is not None and has_right is not None else None
        rest = self._each(left.filter(~has).select(others), a.filter(~has), rest_right, b_rest)
        return pl.concat([found, rest])

    def _candidates(self, left: pl.DataFrame, field: str, right: pl.DataFrame | None) -> pl.DataFrame:
        if left.is_empty() or (right is not None and right.is_empty()):
            return pl.DataFrame(schema=_PAIRS)
        options: dict[str, Any] = {"threshold": self.floor, "shingle": self.shingle, "unit": self.unit, "every": True}
        if right is None:
            return core.near_pairs(left[field], **options)
        # Of equal texts there the kernel lists the first: meet distinct texts, then spread them over their rows.
        numbered = right.select(field, pl.int_range(pl.len(), dtype=pl.UInt32).alias("rows"))
        spread = numbered.group_by(field, maintain_order=True).agg("rows")
        found = core.near_pairs(left[field], against=spread[field], **options)
        return found.with_columns(spread["rows"].gather(found["b"]).alias("b")).explode("b")

    def _verified(self, a: pl.Series, b: pl.Series) -> pl.Series:
        """Jaccard per pair; two absent texts are equal, an absent and a present one have nothing in common."""
        both = (a.is_null() & b.is_null()).cast(pl.Float64)
        return core.verify_pairs(a, b, shingle=self.shingle, unit=self.unit).fill_null(both) if a.len() else both
