"""Signals against a twin that measures each by itself, from its definition."""

from __future__ import annotations

import random
import unicodedata
import zlib

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from oracles import signals as oracle
from tunesmith import core
from tunesmith.errors import OptionError

SOME = st.text(st.sampled_from("aaabB1 .\n!?)”。… é日ß²\u00a0*\rヒー한яאωग"), max_size=40)
LOOPS = st.lists(st.sampled_from(["a", "b", "cc", "Dé"]), max_size=40).map(" ".join)
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


CLASSIC = not zlib.ZLIB_RUNTIME_VERSION.endswith("zlib-ng") and tuple(map(int, zlib.ZLIB_RUNTIME_VERSION.split(".")[:3])) >= (1, 2, 12)


def ratio(text: str) -> float:
    return core.signals([text])["compression_ratio"].item()


@pytest.mark.skipif(not CLASSIC, reason="this Python has another zlib")
@given(st.data())
@settings(deadline=None, max_examples=60)
def test_compression_is_zlibs(data: st.DataObject) -> None:
    """Blocks of many symbols, windows that move on, skewed frequencies (codes of the longest lengths), noise."""
    draw = random.Random(data.draw(st.integers(0, 2**32)))
    size = data.draw(st.sampled_from([3, 40, 400, 4_000, 40_000, 140_000]))
    kind = data.draw(st.sampled_from(["noise", "letters", "skewed", "words", "copies", "wide"]))
    if kind == "noise":
        text = "".join(map(chr, draw.choices(range(32, 0x3000), k=size)))
    elif kind == "letters":
        text = "".join(draw.choices("abcd\n", k=size))
    elif kind == "skewed":
        text = "".join(draw.choices([chr(33 + k) for k in range(60)], weights=[1.9**-k for k in range(60)], k=size))
    elif kind == "words":
        some = ["".join(draw.choices("etaoinshrdlu", k=draw.randint(1, 9))) for _ in range(300)]
        text = " ".join(draw.choices(some, k=size // 6))
    elif kind == "copies":
        part = "".join(draw.choices("abcdefgh ", k=max(3, size // draw.choice([2, 3, 50]))))
        text = (part * 60)[:size]
    else:
        text = "".join(draw.choices("日本語漢字かなカナ。", k=size // 3))
    raw = text.encode()
    assert ratio(text) == len(raw) / len(zlib.compress(raw, 1)), kind


@pytest.mark.skipif(not CLASSIC, reason="this Python has another zlib")
def test_compression_remembers_no_other_text() -> None:
    texts = ["abc abc abd", "abc abc abd", "", "x" * 70_000, "abc abc abd", "a", "ab", "abc"] * 3
    got = core.signals(texts)["compression_ratio"].to_list()
    assert got == [len(text) / len(zlib.compress(text.encode(), 1)) if text else 0.0 for text in texts]


def test_only_those_asked_for() -> None:
    texts = ["So so good.", None, "a b a b"]
    whole = core.signals(texts)
    assert_frame_equal(core.signals(texts, only=["rep_2", "words"]), whole.select("words", "rep_2"))
    assert_frame_equal(core.signals(texts, only=["compression_ratio"]), whole.select("compression_ratio"))
    with pytest.raises(OptionError, match='only: "word": expected a signal; did you mean "words"'):
        core.signals(texts, only=["word"])
