"""Signals against a twin that measures each by itself, from its definition."""

from __future__ import annotations

import unicodedata

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from oracles import signals as oracle
from tunesmith import core

SOME = st.text(st.sampled_from("aaabB1 .\n!?)”。… é日ß²\u00a0*\r"), max_size=40)
LOOPS = st.lists(st.sampled_from(["a", "b", "cc", "Dé"]), max_size=24).map(" ".join)
# Characters that were unassigned when some Unicode tables were made would test the tables, not the kernel.
ANY = st.text(st.characters(exclude_categories=["Cs", "Cn", "Co"]), max_size=30)


@given(st.one_of(SOME, LOOPS, ANY))
@example("Dr. Who? 1. 2. Yes.) no")
@example("a b c d e f g a b c d e f g")
@settings(deadline=None)
def test_equals_the_slow_twin(text: str) -> None:
    got = core.signals([text]).row(0, named=True)
    assert got == pytest.approx(oracle.signals(text), rel=1e-12, abs=1e-12), unicodedata.normalize("NFC", text)
    assert list(got) == list(oracle.signals(text))


def test_long_texts_after_short_ones() -> None:
    texts = ["x " * n + "y" for n in (3, 300, 1, 0, 50)] + [" ".join(map(str, range(3000)))]
    for text, got in zip(texts, core.signals(texts).rows(named=True), strict=True):
        assert got == pytest.approx(oracle.signals(text), rel=1e-9)


def test_nulls_chunks_slices_and_nothing() -> None:
    texts = pl.Series(["So so.", None, "a b a b\nc", "日本語。"] * 300)
    whole = core.signals(texts)
    assert whole.row(1) == (None,) * whole.width
    assert_frame_equal(core.signals(pl.concat([texts[:3], texts[3:]], rechunk=False)), whole)
    assert_frame_equal(core.signals(pl.concat([texts[:3], texts])[3:]), whole)
    assert core.signals([]).shape == (0, whole.width)
    assert core.signals([]).schema == whole.schema
    assert set(whole.dtypes) == {pl.UInt32, pl.Float64}
