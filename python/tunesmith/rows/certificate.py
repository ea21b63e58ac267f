"""What a split may claim: the highest similarity across its borders, measured on the files as they were written."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import polars as pl

from tunesmith import core
from tunesmith.rows import clusters

FLOOR = 0.2
"""Similarities are searched down to here; a border with none has a highest similarity of null."""


def certify(folder: Path, parts: list[str], *, group: str | None, seed: int) -> dict[str, Any]:
    """Measure the borders of a split.

    Args:
        folder: Holds the parts, each with its ``rows.parquet``.
        parts: Those that are there.
        group: The user's column whose values may not cross either.
        seed: The search's own hash functions are drawn from it, other ones than those that made the groups.
    Returns:
        ``rule``, ``threshold``, ``floor``, ``leaks`` (rows of one part with a twin at or above the threshold in another, or a
        shared value of the group column), ``highest_similarity`` over all borders, and each border with its worst pair.
    """
    frames = {part: pl.read_parquet(folder / part / "rows.parquet") for part in parts}
    borders = [_border(frames, a, b, group=group, seed=seed) for a, b in combinations(parts, 2)]
    highest = [border["highest_similarity"] for border in borders if border["highest_similarity"] is not None]
    return {
        "rule": clusters.RULE + (f"; equal values of {group}" if group else ""),
        "threshold": clusters.THRESHOLD,
        "shingle": clusters.SHINGLE,
        "floor": FLOOR,
        "rows": {part: frame.height for part, frame in frames.items()},
        "leaks": sum(border["leaks"] for border in borders),
        "highest_similarity": max(highest, default=None),
        "borders": borders,
        "search": "MinHash candidates, each verified by exact Jaccard similarity; a pair at the floor is found with a probability of 0.999",
    }


def _border(frames: dict[str, pl.DataFrame], a: str, b: str, *, group: str | None, seed: int) -> dict[str, Any]:
    """Look from the part with fewer rows at the other one."""
    small, large = sorted((a, b), key=lambda part: (frames[part].height, part))
    texts, against = clusters.compared(frames[small]), clusters.compared(frames[large])
    twins = core.near_duplicates(texts, against=against, threshold=FLOOR, shingle=clusters.SHINGLE, unit="word", seed=seed + 1)
    leaking = (twins["similarity"] >= clusters.THRESHOLD).fill_null(value=False)
    if group is not None:
        shared = frames[small][group].is_in(frames[large][group].drop_nulls().unique().implode())
        leaking = leaking | shared.fill_null(value=False)
    worst = twins["similarity"].arg_max()
    border: dict[str, Any] = {"between": [small, large], "leaks": int(leaking.sum()), "highest_similarity": None, "positions": None}
    if worst is not None:
        border["highest_similarity"] = twins["similarity"][worst]
        border["positions"] = [frames[small]["position"][worst], frames[large]["position"][twins["twin"][worst]]]
    return border
