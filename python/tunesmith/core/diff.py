"""What changed between two texts, word by word."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl

from tunesmith.core import _native
from tunesmith.core.columns import series
from tunesmith.errors import InputError


def word_diff(a: Any, b: Any, *, progress: Callable[[int], object] | None = None) -> pl.Series:
    """Compare texts word by word, along a longest common subsequence of their words, spaces and marks.

    Args:
        a: The texts before, ``String[n]``.
        b: The texts after, ``String[n]``.
        progress: Called with the number of pairs done so far.
    Returns:
        ``List[Struct{op, a_start, a_end, b_start, b_end}][n]``: the spans that turn `a` into `b`, in order and
        without gaps. ``op`` is equal, delete or insert; offsets count characters (code points), half open. White
        space alone between two changes belongs to them. Null where either text is null. Of texts so long that
        a pair would take more than 64 MiB or some seconds (20,000 different words in each, or a million words),
        all between their common start and end is one change.
    Raises:
        InputError: If the columns are not text or differ in length.

    >>> for span in word_diff(["the old cat"], ["the new cat"])[0]:
    ...     print(span["op"], span["a_start"], span["a_end"], span["b_start"], span["b_end"])
    equal 0 4 0 4
    delete 4 7 4 4
    insert 7 7 4 7
    equal 7 11 7 11
    """
    a, b = series(a, pl.String, name="a"), series(b, pl.String, name="b")
    if len(a) != len(b):
        raise InputError(f"a, b: expected columns of equal length, found {len(a)} and {len(b)} rows")
    return pl.DataFrame(_native.word_diff(a, b, False, progress)).to_series()
