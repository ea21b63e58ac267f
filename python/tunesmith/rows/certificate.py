"""What a split may claim: the highest similarity across its borders, measured on the files as they were written."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import polars as pl

from tunesmith import core
from tunesmith.rows import clusters
from tunesmith.rows.openings import several_turns
from tunesmith.rows.strata import balance

EXHAUSTIVE = 200_000
"""Rows up to which every pair across a border is measured; above, they are searched."""
FLOOR = 0.2
"""Similarities are searched down to here; a border with none has a highest similarity of null."""
RECALL = 0.999
"""The probability with which the search finds a pair at the floor (`core.near_duplicates`); a more similar one more surely."""


_LOOKED_AT = ("position", "instruction", "input", "output", "messages")


def certify(
    folder: Path, parts: list[str], *, group: str | None, seed: int, stratify: str | None = None, exhaustive: int = EXHAUSTIVE
) -> dict[str, Any]:
    """Measure the borders of a split.

    Args:
        folder: Holds the parts, each with its ``rows.parquet``.
        parts: Those that are there.
        group: The user's column whose values may not cross either.
        seed: The search's own hash functions are drawn from it, other ones than those that made the groups.
        stratify: The column whose shares are reported.
        exhaustive: Rows up to which every pair is measured.
    Returns:
        ``rule``, ``threshold``, ``leaks`` (rows of one part with a twin at or above the threshold, the same opening turns or a
        shared value of the group column in another), ``highest_similarity`` over all borders, each border with its worst
        pair; ``search``, ``recall`` and ``floor``: how they were found (``recall`` 1 and no floor where every pair was measured).
    """
    needed = list(dict.fromkeys([*_LOOKED_AT, *(column for column in (group, stratify) if column)]))
    frames = {part: pl.read_parquet(folder / part / "rows.parquet", columns=needed) for part in parts}
    exact = sum(frame.height for frame in frames.values()) <= exhaustive
    opened = _opened(frames)
    borders = [_border(frames, a, b, group=group, opened=opened, seed=None if exact else seed + 1) for a, b in combinations(parts, 2)]
    highest = [border["highest_similarity"] for border in borders if border["highest_similarity"] is not None]
    found = (
        "every pair that shares a shingle, exact Jaccard similarity"
        if exact
        else f"MinHash candidates, each verified by exact Jaccard similarity; a pair at the floor is found with a probability of {RECALL}"
    )
    return {
        "rule": clusters.RULE + (f"; equal values of {group}" if group else ""),
        "threshold": clusters.THRESHOLD,
        "shingle": clusters.SHINGLE,
        "search": found,
        "recall": 1.0 if exact else RECALL,
        "floor": None if exact else FLOOR,
        "rows": {part: frame.height for part, frame in frames.items()},
        "leaks": sum(border["leaks"] for border in borders),
        "highest_similarity": max(highest, default=None),
        "borders": borders,
        **({"strata": balance(frames, stratify)} if stratify else {}),
    }


def _opened(frames: dict[str, pl.DataFrame]) -> dict[str, pl.Series]:
    """Name the opening turns of all rows alike; nothing where no conversation has several."""
    needed = ["instruction", "input", "output", "messages"]
    whole = pl.concat([frame.select(needed) for frame in frames.values()])
    if not several_turns(whole):
        return {}
    names = clusters.opened(whole)
    ends = pl.Series([frame.height for frame in frames.values()]).cum_sum().to_list()
    return {part: names[end - frame.height : end] for (part, frame), end in zip(frames.items(), ends, strict=True)}


def _border(
    frames: dict[str, pl.DataFrame], a: str, b: str, *, group: str | None, opened: dict[str, pl.Series], seed: int | None
) -> dict[str, Any]:
    """Look from the part with fewer rows at the other one."""
    small, large = sorted((a, b), key=lambda part: (frames[part].height, part))
    texts, against = clusters.compared(frames[small]), clusters.compared(frames[large])
    if seed is None:
        twins = core.closest(texts, against, shingle=clusters.SHINGLE, unit="word")
    else:
        twins = core.near_duplicates(texts, against=against, threshold=FLOOR, shingle=clusters.SHINGLE, unit="word", seed=seed)
    leaking = (twins["similarity"] >= clusters.THRESHOLD).fill_null(value=False)
    if group is not None:
        leaking |= _shared(frames[small][group], frames[large][group])
    if opened:
        leaking |= _shared(opened[small], opened[large])
    worst = twins["similarity"].arg_max()
    border: dict[str, Any] = {"between": [small, large], "leaks": int(leaking.sum()), "highest_similarity": None, "positions": None}
    if worst is not None:
        border["highest_similarity"] = twins["similarity"][worst]
        border["positions"] = [frames[small]["position"][worst], frames[large]["position"][twins["twin"][worst]]]
    return border


def _shared(mine: pl.Series, theirs: pl.Series) -> pl.Series:
    return mine.is_in(theirs.drop_nulls().unique().implode()).fill_null(value=False)
