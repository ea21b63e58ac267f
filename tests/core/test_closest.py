"""The closest text of another column, against a comparison of every pair."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oracles.duplicates import jaccard, shingles
from tunesmith import core
from tunesmith.errors import OptionError

TEXT = st.none() | st.lists(st.sampled_from(["red", "Green", "blue", "one.", "two", "日本", "?!", ""]), max_size=9).map(" ".join)
COLUMN = st.lists(TEXT, max_size=12)


def plain(texts, against, width, unit):
    sets = [None if text is None else shingles(text, width, unit) for text in against]
    rows = []
    for row, text in enumerate(texts):
        best = (None, None)
        for twin, other in enumerate(sets):
            if text is not None and other is not None:
                similarity = jaccard(shingles(text, width, unit), other)
                if similarity > (best[1] or 0):
                    best = (twin, similarity)
        rows.append((row, *best))
    return rows


@given(COLUMN, COLUMN, st.integers(1, 6), st.sampled_from(["word", "space", "character"]))
def test_equals_a_comparison_of_every_pair(texts, against, width, unit):
    assert core.closest(texts, against, shingle=width, unit=unit).rows() == plain(texts, against, width, unit)


def test_no_rows_slices_and_chunks():
    empty = core.closest([], ["a"])
    assert (empty.height, empty.schema) == (0, pl.Schema({"row": pl.UInt32, "twin": pl.UInt32, "similarity": pl.Float64}))
    assert core.closest(["a"], []).row(0) == (0, None, None)
    column = pl.concat([pl.Series(["x", "a b c"]), pl.Series(["a b"])], rechunk=False)
    assert core.closest(column[1:], column, shingle=1).rows() == [(0, 1, 1.0), (1, 2, 1.0)]


def test_options():
    with pytest.raises(OptionError, match="shingle"):
        core.closest(["a"], ["a"], shingle=0)
    with pytest.raises(OptionError, match="unit"):
        core.closest(["a"], ["a"], unit="words")
