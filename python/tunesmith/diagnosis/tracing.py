"""From a slice that fails to its training rows, ranked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tunesmith.curation.steps.k_center import hashed
from tunesmith.diagnosis.schema import CAUSE
from tunesmith.rows import fields

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tunesmith.diagnosis.density import Density
    from tunesmith.diagnosis.sides import Sides

NAMED = 20
"""Nearest training rows that are named where rows are missing."""
_QUERIES, _BLOCK = 200, 4096


def same_defect(
    sides: Sides, category: str, name: str, rows: NDArray[np.bool_], failing: NDArray[np.bool_], outputs: pl.Series
) -> pl.DataFrame:
    """Rank the slice's training rows whose target has the finding.

    A row scores 1, and the highest cosine of its target with a failing output (hashed character 4-grams): the rows that the
    outputs look like come first.

    Args:
        sides: All sides.
        category: The finding.
        name: The slice's name.
        rows: ``bool[rows]``, the slice.
        failing: ``bool[items]``, the failing items of the slice.
        outputs: ``String[items]``: a failing output of each item; null where it has none.
    Returns:
        ``schema.CAUSE``; the evidence is what the detector found, and the item whose output is nearest.
    """
    lines = np.flatnonzero(rows & sides.targets[:, sides.column(category)])
    queries = np.flatnonzero(failing & outputs.is_not_null().to_numpy())[:_QUERIES]
    targets = fields.response(sides.rows[lines]).fill_null("")
    nearest, cosines = _nearest(hashed(targets), hashed(outputs[queries]))
    found = sides.findings.filter(pl.col("detector") == category).unique("position", keep="first", maintain_order=True)
    shown = (
        sides.rows[lines]
        .select("position", "row_id")
        .join(found.select("position", "evidence"), on="position", how="left", maintain_order="left")
    )
    positions = sides.items["position"].gather(queries[nearest]) if len(queries) else pl.Series([None] * len(lines), dtype=pl.UInt64)
    evidence = (
        pl.when(positions.is_null())
        .then("evidence")
        .otherwise(pl.format("{} | nearest failing output: item {} ({})", "evidence", positions, pl.Series(cosines).round(2)))
    )
    return _ranked(shown.with_columns(evidence=evidence, score=pl.Series(1 + cosines)), category, name, "same_defect")


def density(sides: Sides, category: str, name: str, failing: NDArray[np.bool_], near: Density) -> pl.DataFrame:
    """Name the training rows nearest to the failing items: as near as the data come to what is missing.

    Returns:
        ``schema.CAUSE``, at most `NAMED` rows by their highest cosine with a failing item's prompt.
    """
    queries = np.flatnonzero(failing)
    k = near.neighbours.shape[1]
    pairs = pl.DataFrame({
        "line": near.neighbours[queries].ravel(),
        "score": near.cosines[queries].ravel(),
        "item": np.repeat(sides.items["position"].to_numpy()[queries], k),
    })  # fmt: skip
    best = pairs.sort("score", "line", descending=[True, False]).unique("line", keep="first", maintain_order=True).head(NAMED)
    rows = sides.rows[best["line"].to_list()].select("position", "row_id")
    evidence = pl.format(
        "nearest to item {} (cosine {}; low is below {})", "item", pl.col("score").round(2), pl.lit(round(near.threshold, 2))
    )
    return _ranked(pl.concat([rows, best.select("score", evidence=evidence)], how="horizontal"), category, name, "density")


def _nearest(rows: NDArray[np.float32], queries: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Find each row's most similar query and their cosine."""
    which, cosines = np.zeros(len(rows), dtype=np.int64), np.zeros(len(rows))
    if not len(queries):
        return which, cosines
    norms = np.linalg.norm(queries, axis=1)
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK]
        products = block @ queries.T / np.maximum(np.linalg.norm(block, axis=1)[:, None] * norms, 1.0)
        which[start : start + _BLOCK] = products.argmax(axis=1)
        cosines[start : start + _BLOCK] = products.max(axis=1)
    return which, cosines


def _ranked(rows: pl.DataFrame, category: str, name: str, method: str) -> pl.DataFrame:
    ordered = rows.sort("score", "position", descending=[True, False]).with_columns(
        detector=pl.lit(category), slice=pl.lit(name), method=pl.lit(method), rank=pl.int_range(1, pl.len() + 1)
    )
    return ordered.select(CAUSE.names()).cast(dict(CAUSE.items()))
