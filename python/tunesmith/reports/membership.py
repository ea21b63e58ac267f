"""Which slices of a diagnosis a row or an item lies in: the diagnosis' own candidates, made again for both sides."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tunesmith.diagnosis.candidates import candidates

if TYPE_CHECKING:
    from numpy.typing import NDArray

ALL = "all"


@dataclass(frozen=True, kw_only=True)
class Membership:
    """The slices that hold each item and each training row.

    Attributes:
        items: A list of slices for each item.
        rows: A list of slices for each row, by position.
    """

    items: list[list[str]] = field(default_factory=list)
    rows: dict[int, list[str]] = field(default_factory=dict)


def membership(items: pl.DataFrame | None, rows: pl.DataFrame | None, known: Collection[str], *, part: str) -> Membership:
    """Tell which slices items and rows lie in.

    Args:
        items: The items that were diagnosed, with their slice columns; None where they are not there.
        rows: The training rows; None where they are not there: a slice is one of both sides.
        known: The slices to look at; `all` tells nothing apart.
        part: The part that was diagnosed, `dev` or `all`.
    """
    if items is None or rows is None or not items.height or not rows.height:
        return Membership(items=[[] for _ in range(items.height if items is not None else 0)])
    chosen: NDArray[np.bool_] = np.ones(items.height, dtype=bool)
    if part != ALL and (items["part"] == part).any():
        chosen = (items["part"] == part).fill_null(value=False).to_numpy()
    made = candidates(items, rows, chosen)
    wanted = [k for k, name in enumerate(made.names) if name in set(known) - {ALL}]
    names = [made.names[k] for k in wanted]
    of_items = _lists(made.items[wanted], names, items.height)
    of_rows = _lists(made.rows[wanted], names, rows.height)
    return Membership(items=of_items, rows=dict(zip(rows["position"].to_list(), of_rows, strict=True)))


def _lists(matrix: Any, names: list[str], width: int) -> list[list[str]]:
    lists: list[list[str]] = [[] for _ in range(width)]
    for number, name in enumerate(names):
        for line in matrix.indices[matrix.indptr[number] : matrix.indptr[number + 1]]:
            lists[int(line)].append(name)
    return lists
