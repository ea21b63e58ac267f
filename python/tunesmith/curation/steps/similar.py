"""Pairs of similar rows, over one text or field by field, from the kernels of the core."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from tunesmith import core
from tunesmith.core.near_options import Unit


@dataclass(frozen=True, kw_only=True)
class Similarity:
    """What similar means: exact Jaccard over shingles, listed from `floor` on."""

    floor: float
    shingle: int
    unit: Unit
    fold_numbers: bool = False
    fold_marks: bool = False

    def pairs(
        self, left: pl.DataFrame, right: pl.DataFrame | None = None, *, progress: Callable[[int], object] | None = None
    ) -> pl.DataFrame:
        """List similar rows, `a, b, similarity`; equal rows are tied to the first of them alone.

        Args:
            left: Text columns, compared field by field: the smallest similarity counts. Null is no text. Two rows
                without a text are equal in it, but rows without any are not.
            right: The other side's, in the same order; within `left` when absent.
            progress: Told the texts read so far.
        """
        return core.near_pairs(
            left,
            against=right,
            threshold=self.floor,
            shingle=self.shingle,
            unit=self.unit,
            fold_numbers=self.fold_numbers,
            fold_marks=self.fold_marks,
            progress=progress,
        )
