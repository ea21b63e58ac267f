"""The most similar text of another column, without a search that could miss it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl

from tunesmith.core import _native
from tunesmith.core.columns import series
from tunesmith.core.near_options import Unit
from tunesmith.errors import OptionError


def closest(
    texts: Any, against: Any, *, shingle: int = 5, unit: Unit = "word", progress: Callable[[int], object] | None = None
) -> pl.DataFrame:
    """Find for each text the most similar one of another column, exactly.

    The similarity is that of `near_duplicates`: the Jaccard index of sets of shingles, short texts compared whole. Where
    that function searches by MinHash and may miss a pair, this one counts the shingles of every pair that shares any:
    what it costs grows with the number of shared shingles, so it is for columns of up to some 100,000 texts. Index
    memory is that of ``texts``: let it be the shorter column.

    Args:
        texts: ``String[n]``.
        against: ``String[m]``.
        shingle: Tokens in a shingle.
        unit: As for `near_duplicates`.
        progress: Called with the number of texts read so far (those of ``against`` included).
    Returns:
        One row per text: ``row: UInt32``; ``twin: UInt32``, the most similar row of ``against`` (the smallest where several
        are), and ``similarity: Float64``; null where nothing is shared, or the text is null.
    Raises:
        OptionError: If an option is out of range.

    >>> closest(["a b c d", "z", None], ["x", "A b c!"], shingle=1).rows()
    [(0, 1, 0.75), (1, None, None), (2, None, None)]
    """
    if isinstance(shingle, bool) or not isinstance(shingle, int) or not 1 <= shingle <= 65_536:
        raise OptionError(f"shingle: found {shingle!r}, expected a whole number from 1 to 65536")
    mine, theirs = series(texts, pl.String, name="texts"), series(against, pl.String, name="against")
    return pl.DataFrame(_native.closest(mine, theirs, shingle, unit, progress))
