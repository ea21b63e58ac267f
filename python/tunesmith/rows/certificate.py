"""What a split may claim: the highest similarity across its borders, measured on the files as they were written."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import polars as pl

from tunesmith import core
from tunesmith.rows import clusters
from tunesmith.rows.openings import openings, several_turns
from tunesmith.rows.strata import balance
from tunesmith.rows.tables import slices_of
from tunesmith.rows.versions import ROWS

EXHAUSTIVE = 200_000
"""Rows up to which every pair across a border is measured; above, they are searched."""
FLOOR = 0.2
"""Similarities are searched down to here; a border with none has a highest similarity of null."""
RECALL = 0.999
"""The probability with which the search finds a pair at the floor (`core.near_duplicates`); a more similar one more surely."""


_LOOKED_AT = ("instruction", "input", "output", "messages")


@dataclass(frozen=True, kw_only=True)
class _Part:
    """What is looked at in one part; the texts that are not compared are not held.

    Attributes:
        position: ``UInt64[n]``.
        texts: ``String[n]``, by which rows are grouped.
        several: Whether a conversation has several turns.
        own: The user's columns that are asked for.
    """

    position: pl.Series
    texts: pl.Series
    several: bool
    own: pl.DataFrame


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
    own = list(dict.fromkeys(column for column in (group, stratify) if column))
    read = {part: _read(folder / part / ROWS, own) for part in parts}
    exact = sum(len(part.texts) for part in read.values()) <= exhaustive
    opened = _opened(folder, parts) if any(part.several for part in read.values()) else {}
    borders = [_border(read, a, b, group=group, opened=opened, seed=None if exact else seed + 1) for a, b in combinations(parts, 2)]
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
        "rows": {part: len(looked.texts) for part, looked in read.items()},
        "leaks": sum(border["leaks"] for border in borders),
        "highest_similarity": max(highest, default=None),
        "borders": borders,
        **({"strata": balance({part: looked.own for part, looked in read.items()}, stratify)} if stratify else {}),
    }


def _read(place: Path, own: list[str]) -> _Part:
    pieces = [_of_slice(rows, own) for rows in slices_of(place, list(dict.fromkeys(["position", *_LOOKED_AT, *own])))]
    return _Part(
        position=pl.concat([piece.position for piece in pieces]),
        texts=pl.concat([piece.texts for piece in pieces]),
        several=any(piece.several for piece in pieces),
        own=pl.concat([piece.own for piece in pieces]),
    )


def _of_slice(rows: pl.DataFrame, own: list[str]) -> _Part:
    return _Part(position=rows["position"], texts=clusters.compared(rows), several=several_turns(rows), own=rows.select(own))


def _opened(folder: Path, parts: list[str]) -> dict[str, pl.Series]:
    """Name the opening turns of all rows alike."""
    read = {part: [openings(rows) for rows in slices_of(folder / part / ROWS, _LOOKED_AT)] for part in parts}
    names = clusters.first_of(pl.concat([opening for part in read.values() for opening in part]))
    ends = pl.Series([sum(map(len, part)) for part in read.values()]).cum_sum().to_list()
    return {name: names[start:end] for name, start, end in zip(read, [0, *ends], ends, strict=False)}


def _border(
    parts: dict[str, _Part], a: str, b: str, *, group: str | None, opened: dict[str, pl.Series], seed: int | None
) -> dict[str, Any]:
    """Look from the part with fewer rows at the other one."""
    small, large = sorted((a, b), key=lambda part: (len(parts[part].texts), part))
    texts, against = parts[small].texts, parts[large].texts
    if seed is None:
        twins = core.closest(texts, against, shingle=clusters.SHINGLE, unit="word")
    else:
        twins = core.near_duplicates(texts, against=against, threshold=FLOOR, shingle=clusters.SHINGLE, unit="word", seed=seed)
    leaking = (twins["similarity"] >= clusters.THRESHOLD).fill_null(value=False)
    if group is not None:
        leaking |= _shared(parts[small].own[group], parts[large].own[group])
    if opened:
        leaking |= _shared(opened[small], opened[large])
    worst = twins["similarity"].arg_max()
    border: dict[str, Any] = {"between": [small, large], "leaks": int(leaking.sum()), "highest_similarity": None, "positions": None}
    if worst is not None:
        border["highest_similarity"] = twins["similarity"][worst]
        border["positions"] = [parts[small].position[worst], parts[large].position[twins["twin"][worst]]]
    return border


def _shared(mine: pl.Series, theirs: pl.Series) -> pl.Series:
    return mine.is_in(theirs.drop_nulls().unique().implode()).fill_null(value=False)
