"""Expressions: what the engine streams equals what it computes at once."""

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import tunesmith.core
from tunesmith import core

FRAME = pl.DataFrame({
    "p": [None if k % 50 == 0 else f"the cat {k % 7} sat\non mat {k % 3}" for k in range(5000)],
    "r": [None if k % 77 == 0 else f"a cat {k % 5} sat on\nthe mat {k % 4}" for k in range(5000)],
    "g": [k % 3 for k in range(5000)],
})  # fmt: skip
ROUGE = pl.col("p").tunesmith.rouge(pl.col("r"), stemmer=True)  # type: ignore[attr-defined]


def test_streaming_equals_eager_equals_the_function() -> None:
    assert tunesmith.core is core
    eager = FRAME.select(ROUGE)
    assert_frame_equal(FRAME.lazy().select(ROUGE).collect(engine="streaming"), eager)
    assert_frame_equal(eager.unnest("p"), core.rouge(FRAME["p"], FRAME["r"], stemmer=True))


@pytest.mark.parametrize("frame", [FRAME[:0], FRAME[123:456], pl.concat([FRAME[:10], FRAME[10:30]], rechunk=False), FRAME[:1]])
def test_empty_sliced_chunked_single(frame: pl.DataFrame) -> None:
    assert_frame_equal(frame.select(ROUGE).unnest("p"), core.rouge(frame["p"], frame["r"], stemmer=True))


def test_the_lazy_schema_is_what_comes() -> None:
    lazy = FRAME.lazy().select(ROUGE)
    assert lazy.collect_schema() == lazy.collect().schema


@pytest.mark.parametrize("engine", ["in-memory", "streaming"])
def test_literals(engine: str) -> None:
    reference = pl.lit("a cat sat")
    lazy = FRAME.lazy().select(pl.col("p").tunesmith.rouge(reference, metrics=["rouge1"]))  # type: ignore[attr-defined]
    expected = core.rouge(FRAME["p"], ["a cat sat"] * FRAME.height, metrics=["rouge1"])
    assert_frame_equal(lazy.collect(engine=engine).unnest("p"), expected)  # type: ignore[call-overload]
    swapped = FRAME.lazy().select(reference.tunesmith.rouge("p", metrics=["rouge1"]).alias("x"))  # type: ignore[attr-defined]
    expected = core.rouge(["a cat sat"] * FRAME.height, FRAME["p"], metrics=["rouge1"])
    assert_frame_equal(swapped.collect(engine=engine).unnest("x"), expected)  # type: ignore[call-overload]


def test_in_a_filter_and_over_groups() -> None:
    f1 = pl.col("p").tunesmith.rouge("r", metrics=["rougeL"]).struct.field("rougeL").struct.field("f1")  # type: ignore[attr-defined]
    scores = core.rouge(FRAME["p"], FRAME["r"], metrics=["rougeL"])["rougeL"].struct.field("f1")
    assert FRAME.lazy().filter(f1 > 0.5).collect(engine="streaming").height == (scores > 0.5).sum()
    grouped = FRAME.group_by("g", maintain_order=True).agg(f1.mean().alias("f1"))
    assert_frame_equal(grouped, FRAME.with_columns(f1=scores).group_by("g", maintain_order=True).agg(pl.col("f1").mean()))


def test_several_references() -> None:
    frame = pl.DataFrame({"p": ["a b", "c"], "r": [["x", "a b"], None]})
    out = frame.select(pl.col("p").tunesmith.rouge("r", metrics=["rouge2"])).unnest("p")  # type: ignore[attr-defined]
    assert_frame_equal(out, core.rouge(frame["p"], frame["r"], metrics=["rouge2"]))
