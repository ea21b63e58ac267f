"""Expressions: each equals the function of its name, lazily, streamed, and whatever stands beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import polars as pl
import pytest
from polars.testing import assert_frame_equal, assert_series_equal

import kernels
from tunesmith import core
from tunesmith.errors import InputError, OptionError

Engine = Literal["in-memory", "streaming"]
FRAME = pl.DataFrame({
    "p": [None if k % 50 == 0 else f"the cat {k % 7} sat\non mat {k % 3}" for k in range(5000)],
    "r": [None if k % 77 == 0 else f"a cat {k % 5} sat on\nthe mat {k % 4}" for k in range(5000)],
    "g": [k % 3 for k in range(5000)],
}).with_columns(ids=kernels.tokenizer().encode(pl.Series([f"text {k % 40}" if k % 9 else None for k in range(5000)])))  # fmt: skip
EMPTY = FRAME[:0]


def on(column: str | pl.Expr) -> Any:
    """The namespace on a column, which no stub knows of."""
    return (pl.col(column) if isinstance(column, str) else column).tunesmith  # type: ignore[attr-defined]


TWINS: dict[str, tuple[pl.Expr, Callable[[pl.DataFrame], Any]]] = {
    "rouge": (on("p").rouge("r", stemmer=True), lambda frame: core.rouge(frame["p"], frame["r"], stemmer=True).to_struct()),
    "signals": (on("p").signals(), lambda frame: core.signals(frame["p"]).to_struct()),
    "quality_rules": (
        on("p").quality_rules(rules="gopher:dolma"),
        lambda frame: core.quality_rules(frame["p"], rules="gopher:dolma").to_struct(),
    ),
    "word_diff": (on("p").word_diff("r"), lambda frame: core.word_diff(frame["p"], frame["r"])),
    "verify_pairs": (on("p").verify_pairs("r", shingle=1), lambda frame: core.verify_pairs(frame["p"], frame["r"], shingle=1)),
    "row_ids": (
        on("p").row_ids("r", pl.col("g").cast(pl.String)),
        lambda frame: core.row_ids([frame["p"], frame["r"], frame["g"].cast(pl.String)]),
    ),
    "encode": (on("p").encode(kernels.tokenizer()), lambda frame: kernels.tokenizer().encode(frame["p"])),
    "token_count": (on("p").token_count(kernels.tokenizer()), lambda frame: kernels.tokenizer().count(frame["p"])),
    "decode": (on("ids").decode(kernels.tokenizer()), lambda frame: kernels.tokenizer().decode(frame["ids"])),
}
every = pytest.mark.parametrize(("expression", "function"), TWINS.values(), ids=TWINS)


def test_every_expression_is_here() -> None:
    assert set(TWINS) == {name for name in dir(on("p")) if not name.startswith("_")}


@every
def test_streaming_equals_eager_equals_the_function(expression: pl.Expr, function: Callable[[pl.DataFrame], pl.Series]) -> None:
    eager = FRAME.select(expression.alias("x"))
    assert_frame_equal(FRAME.lazy().select(expression.alias("x")).collect(engine="streaming"), eager)
    assert_frame_equal(FRAME.lazy().select(expression.alias("x")).collect(engine="in-memory"), eager)
    assert_series_equal(eager["x"], function(FRAME).alias("x"))


@every
@pytest.mark.parametrize(
    "frame", [EMPTY, FRAME[123:456], pl.concat([FRAME[:10], FRAME[10:30]], rechunk=False), FRAME[:1], FRAME[1:2]],
    ids=["no rows", "slice", "chunks", "a null row", "a row"],
)  # fmt: skip
@pytest.mark.parametrize("engine", ["in-memory", "streaming"])
def test_parts(expression: pl.Expr, function: Callable[[pl.DataFrame], pl.Series], frame: pl.DataFrame, engine: Engine) -> None:
    found = frame.lazy().select(expression.alias("x")).collect(engine=engine)["x"]
    assert_series_equal(found, function(frame).alias("x"))


@every
def test_the_lazy_schema_is_what_comes(expression: pl.Expr, function: Callable[[pl.DataFrame], pl.Series]) -> None:
    for frame in (FRAME, EMPTY):
        lazy = frame.lazy().select(expression)
        assert lazy.collect_schema() == lazy.collect().schema
    assert lazy.collect_schema().names() == ["ids" if "ids" in expression.meta.root_names() else "p"]


@every
def test_in_filters_and_over_groups(expression: pl.Expr, function: Callable[[pl.DataFrame], pl.Series]) -> None:
    answer = function(FRAME).alias("x")
    kept = FRAME.lazy().filter(expression.is_not_null() & (pl.col("g") == 1)).select("p", "g").collect(engine="streaming")
    assert_frame_equal(kept, FRAME.filter(answer.is_not_null() & (FRAME["g"] == 1)).select("p", "g"))
    grouped = FRAME.group_by("g", maintain_order=True).agg(expression.first().alias("x"))
    assert_frame_equal(grouped, FRAME.with_columns(x=answer).group_by("g", maintain_order=True).agg(pl.col("x").first()))
    over = FRAME.select(expression.over("g").alias("x"))
    assert_series_equal(over["x"], answer)


LITERALS: dict[str, tuple[Callable[[Any, Any], pl.Expr], Callable[[Any, Any], Any]]] = {
    "rouge": (lambda a, b: on(a).rouge(b, metrics=["rouge1"]), lambda a, b: core.rouge(a, b, metrics=["rouge1"]).to_struct()),
    "word_diff": (lambda a, b: on(a).word_diff(b), core.word_diff),
    "verify_pairs": (lambda a, b: on(a).verify_pairs(b, shingle=1), lambda a, b: core.verify_pairs(a, b, shingle=1)),
    "row_ids": (lambda a, b: on(a).row_ids(b), lambda a, b: core.row_ids([a, b])),
}


@pytest.mark.parametrize(("expression", "function"), LITERALS.values(), ids=LITERALS)
@pytest.mark.parametrize("engine", ["in-memory", "streaming"])
@pytest.mark.parametrize("frame", [FRAME, EMPTY, FRAME[1:2]], ids=["rows", "no rows", "a row"])
def test_a_literal_stands_beside_every_row(expression: Any, function: Any, engine: Engine, frame: pl.DataFrame) -> None:
    literal, repeated = pl.lit("a cat sat"), pl.Series(["a cat sat"]).new_from_index(0, frame.height)
    found = frame.lazy().select(expression("p", literal).alias("x"), expression(literal, pl.col("p")).alias("y")).collect(engine=engine)
    assert_series_equal(found["x"], function(frame["p"], repeated).alias("x"))
    assert_series_equal(found["y"], function(repeated, frame["p"]).alias("y"))


def test_several_references() -> None:
    frame = pl.DataFrame({"p": ["a b", "c"], "r": [["x", "a b"], None]})
    out = frame.select(on("p").rouge("r", metrics=["rouge2"])).unnest("p")
    assert_frame_equal(out, core.rouge(frame["p"], frame["r"], metrics=["rouge2"]))


def test_mistakes_are_told_at_once_or_by_the_query() -> None:
    with pytest.raises(OptionError, match="shingle: found 0"):
        on("p").verify_pairs("r", shingle=0)
    with pytest.raises(OptionError, match="did you mean"):
        on("p").rouge("r", metrics=["rouge_1"])
    with pytest.raises(OptionError, match="did you mean"):
        on("p").signals(only=["word"])
    with pytest.raises(OptionError, match="gopher"):
        on("p").quality_rules(rules="gofer:dolma")
    some = FRAME.lazy().select(on("p").signals(only=["entropy", "words"]))
    assert some.collect_schema()["p"] == pl.Struct({"words": pl.UInt32, "entropy": pl.Float64})
    assert_frame_equal(some.collect(engine="streaming").unnest("p"), core.signals(FRAME["p"], only=["words", "entropy"]))
    for expression in (on("g").signals(), on("g").rouge("r"), on("g").encode(kernels.tokenizer()), on("p").decode(kernels.tokenizer())):
        with pytest.raises((InputError, pl.exceptions.PolarsError), match="expected a column of"):
            FRAME.select(expression)
