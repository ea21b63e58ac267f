"""Exact duplicates against a dictionary of normalized texts."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from oracles import duplicates as oracle
from tunesmith import core
from tunesmith.errors import InputError, OptionError

LEVELS = ["none", "space", "unicode"]
field = st.none() | st.text("aAbß1.' ’\n\t“!Ａ１。日ﬁ+-\u00a0", max_size=4)


@pytest.mark.parametrize("level", LEVELS)
@given(texts=st.lists(field, max_size=30))
@settings(deadline=None)
def test_equals_a_dictionary(texts: list[str | None], level: str) -> None:
    frame = core.exact_duplicates(texts, normalize=level)
    assert frame["root"].to_list() == oracle.exact_roots([(text,) for text in texts], level)
    assert frame["row"].to_list() == list(range(len(texts)))


@pytest.mark.parametrize("level", LEVELS)
@given(rows=st.lists(st.tuples(field, field), max_size=30))
@settings(deadline=None)
def test_several_columns(rows: list[tuple[str | None, str | None]], level: str) -> None:
    table = pl.DataFrame(rows, schema={"a": pl.String, "b": pl.String}, orient="row")
    want = oracle.exact_roots(rows, level)
    assert core.exact_duplicates(table, normalize=level)["root"].to_list() == want
    assert core.exact_duplicates([table["a"], table["b"]], normalize=level)["root"].to_list() == want


def test_borders_between_columns_count() -> None:
    assert core.exact_duplicates([pl.Series(["a", "ab"]), pl.Series(["bc", "c"])])["root"].to_list() == [0, 1]


def test_numbers_and_operators_are_never_folded() -> None:
    texts = ["3.5 + 2", "35 + 2", "3.5 - 2", "(3.5) + 2", "3,5 + 2", "3.5 + 2?"]
    assert core.exact_duplicates(texts, normalize="unicode")["root"].to_list() == [0, 1, 2, 3, 4, 0]


def test_chunks_slices_and_nothing() -> None:
    texts = pl.Series(["x", "a", None, "b", "a", None, "A ", "b"] * 700)
    whole = core.exact_duplicates(texts)
    assert_frame_equal(core.exact_duplicates(pl.concat([texts[:3], texts[3:]], rechunk=False)), whole)
    assert_frame_equal(core.exact_duplicates(pl.concat([texts[:3], texts])[3:]), whole)
    assert whole.schema == {"row": pl.UInt32, "root": pl.UInt32}
    assert core.exact_duplicates([]).shape == (0, 2)
    assert core.exact_duplicates(pl.Series([None, None])).rows() == [(0, 0), (1, 1)]


def test_wrong_input_says_what_was_expected() -> None:
    with pytest.raises(OptionError, match='normalize: found "case", expected none, space or unicode'):
        core.exact_duplicates(["a"], normalize="case")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="equal length, found 1, 2 rows"):
        core.exact_duplicates([pl.Series(["a"]), pl.Series(["a", "b"])])
    with pytest.raises(InputError, match="expected a column of String"):
        core.exact_duplicates([1])
