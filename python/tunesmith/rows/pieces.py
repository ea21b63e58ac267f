"""Rows some at a time: what is made of each row by itself need not be made of all of them at once."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

SIZE = 32_768
"""Rows of a piece."""


def pieces(frame: pl.DataFrame, size: int | None = None) -> Iterator[pl.DataFrame]:
    """Cut a frame into slices, in order; no rows are one empty slice, so that what is made of them has its columns.

    Args:
        frame: Any rows.
        size: Rows of each slice but the last; `SIZE` unless said.

    >>> [piece["a"].to_list() for piece in pieces(pl.DataFrame({"a": [1, 2, 3]}), size=2)]
    [[1, 2], [3]]
    """
    size = size or SIZE
    for start in range(0, max(frame.height, 1), size):
        yield frame.slice(start, size)
