"""Every kernel as a native part of Polars: what it takes, what it refuses, and that only the values count."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import kernels
from tunesmith import core
from tunesmith.errors import InputError

pa = pytest.importorskip("pyarrow")
pd = pytest.importorskip("pandas")

ROWS = ["the cat sat", None, "a dog ran\nhome", "the cat sat", "", None, "Größe 12 😀 日本", "one two three"] * 5
TEXTS = pl.Series("mine", ROWS)
NUMBERS = pl.Series("mine", [5, 3, 99, 0, 3, 12] * 6, dtype=pl.UInt32)
IDS = pl.Series("mine", [[65, 66], None, [], [67]] * 9, dtype=pl.List(pl.UInt32))
GIVEN = [
    *((name, call, TEXTS) for name, call in kernels.OF_TEXTS.items()),
    *((name, call, NUMBERS) for name, call in kernels.OF_NUMBERS.items()),
    *((name, call, IDS) for name, call in kernels.OF_IDS.items()),
]
every = pytest.mark.parametrize(("name", "call", "values"), GIVEN, ids=[name for name, _, _ in GIVEN])
of_texts = pytest.mark.parametrize(("name", "call"), kernels.OF_TEXTS.items(), ids=kernels.OF_TEXTS)

WRONG = {
    "categories": pl.Series(["a", "b"], dtype=pl.Categorical),
    "enumeration": pl.Series(["a", "b"], dtype=pl.Enum(["a", "b"])),
    "integers": pl.Series([1, 2]),
    "floats": pl.Series([1.5, 2.0]),
    "truths": pl.Series([True, False]),
    "bytes": pl.Series([b"a", b"b"]),
    "dates": pl.Series([date(2026, 1, 1), date(2026, 1, 2)]),
    "decimals": pl.Series([Decimal("1.5"), Decimal("2")]),
    "lists": pl.Series([[1], [2]]),
    "structs": pl.Series([{"a": "x"}, {"a": "y"}]),
}


def test_no_public_kernel_is_left_out() -> None:
    functions = {name for name in core.__all__ if callable(getattr(core, name)) and not isinstance(getattr(core, name), type)}
    covered = {name.split(",")[0] for name in (*kernels.OF_TEXTS, *kernels.OF_NUMBERS, *kernels.OF_IDS, *kernels.OF_OTHERS)}
    assert functions == {name for name in covered if "." not in name}


@of_texts
@pytest.mark.parametrize("wrong", WRONG)
def test_a_column_that_is_no_text_is_refused(name: str, call: kernels.Call, wrong: str) -> None:
    with pytest.raises(InputError, match=r"expected .*, found ") as caught:
        call(WRONG[wrong])
    if wrong in ("categories", "enumeration"):
        assert "write the texts out with .cast(pl.String)" in str(caught.value)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(("name", "call"), kernels.OF_NUMBERS.items(), ids=kernels.OF_NUMBERS)
@pytest.mark.parametrize("wrong", [name for name in WRONG if name != "integers"])
def test_a_column_that_is_no_numbers_is_refused(name: str, call: kernels.Call, wrong: str) -> None:
    with pytest.raises(InputError, match=r"expected a column of UInt.*, found "):
        call(WRONG[wrong])


@pytest.mark.parametrize(("name", "call"), kernels.OF_IDS.items(), ids=kernels.OF_IDS)
@pytest.mark.parametrize("wrong", [name for name in WRONG if name != "lists"])
def test_a_column_that_is_no_lists_is_refused(name: str, call: kernels.Call, wrong: str) -> None:
    with pytest.raises(InputError, match=r"expected a column of List\(UInt32\), found "):
        call(WRONG[wrong])


@of_texts
@pytest.mark.parametrize("thing", ["a text", b"bytes", {"a": "x"}, {"a"}, ["a", 1], [["a", 1]]], ids=repr)
def test_what_is_no_column_is_refused(name: str, call: kernels.Call, thing: Any) -> None:
    with pytest.raises(InputError, match="expected "):
        call(thing)


def test_what_becomes_a_column_elsewhere_is_told_so() -> None:
    with pytest.raises(InputError, match=r"texts: expected a column of String, found Expr; use pl.col\(...\).tunesmith"):
        core.signals(pl.col("a"))
    with pytest.raises(InputError, match="lengths: expected a column of UInt32, found LazyFrame; collect it"):
        core.pack(pl.LazyFrame({"a": [1]}), capacity=8)
    with pytest.raises(InputError, match=r"found Struct.*; pass one column"):
        core.signals(pa.table({"a": ["x"]}))
    with pytest.raises(InputError, match="found Categorical; write the texts out"):
        core.signals(pd.Series(["x"], dtype="category"))


class Stream:
    """What only says `__arrow_c_stream__`."""

    def __init__(self, values: Any) -> None:
        self.values = values

    def __len__(self) -> int:
        return len(self.values)

    def __arrow_c_stream__(self, requested_schema: object = None) -> Any:
        return self.values.__arrow_c_stream__(requested_schema)


KINDS: dict[str, Any] = {
    "list": list,
    "tuple": tuple,
    "numpy": lambda rows: np.array(rows, dtype=object),
    "pandas": pd.Series,
    "pandas, objects": lambda rows: pd.Series(rows, dtype=object),
    "pandas, an index": lambda rows: pd.Series(rows, index=range(7, 7 + len(rows))),
    "arrow array": pa.array,
    "arrow array of views": lambda rows: pa.array(rows, pa.string_view()),
    "arrow array with long offsets": lambda rows: pa.array(rows, pa.large_string()),
    "arrow chunks": lambda rows: pa.chunked_array([rows[:3], [], rows[3:]]),
    "arrow slice": lambda rows: pa.array(["before", *rows, "after"])[1:-1],
    "a stream": lambda rows: Stream(pa.chunked_array([rows[:1], rows[1:]])),
    "polars": pl.Series,
}


@of_texts
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_column_is_taken(name: str, call: kernels.Call, kind: str) -> None:
    assert_frame_equal(kernels.frame(call(KINDS[kind](ROWS))), kernels.frame(call(TEXTS)))


@every
def test_chunks_and_slices_change_nothing(name: str, call: kernels.Call, values: pl.Series) -> None:
    whole = kernels.frame(call(values))
    chunks = pl.concat([values[:1], values[1:1], values[1:9], values[9:]], rechunk=False)
    assert chunks.n_chunks() > 2
    assert_frame_equal(kernels.frame(call(chunks)), whole)
    padded = pl.concat([values[:7], values, values[:3]], rechunk=True)
    assert_frame_equal(kernels.frame(call(padded[7:-3])), whole)
    part = values[5:17]
    assert_frame_equal(kernels.frame(call(part)), kernels.frame(call(pl.Series("mine", part.to_list(), dtype=values.dtype))))


@every
def test_no_rows_have_the_columns_of_many(name: str, call: kernels.Call, values: pl.Series) -> None:
    none, many = kernels.frame(call(values[:0])), kernels.frame(call(values))
    assert none.schema == many.schema
    untyped = kernels.frame(call([])).schema
    assert untyped == many.schema or name == "components"  # which answers in the type of its rows
    alone = "against" in name or name == "rouge_corpus"  # rows of another column, a row a metric
    assert none.height == (many.height if alone and not name.startswith("overlap") else 0)


@every
def test_nothing_but_nulls(name: str, call: kernels.Call, values: pl.Series) -> None:
    if values is NUMBERS:
        with pytest.raises(InputError, match="null"):
            call([None, None])
        return
    typed = kernels.frame(call(pl.Series([None, None], dtype=values.dtype)))
    assert_frame_equal(kernels.frame(call([None, None])), typed)
    assert_frame_equal(kernels.frame(call(pl.Series([None, None], dtype=pl.Null))), typed)


@every
def test_progress_ends_at_all_rows(name: str, call: kernels.Call, values: pl.Series) -> None:
    seen: list[int] = []
    call(values, progress=seen.append)
    assert seen
    assert seen == sorted(seen)
    assert seen[-1] >= (2 if name == "overlap, against" else len(values))  # texts, not items


@every
def test_an_error_in_progress_is_raised(name: str, call: kernels.Call, values: pl.Series) -> None:
    def fail(done: int) -> None:
        raise LookupError(f"at {done}")

    with pytest.raises(LookupError, match="at "):
        call(values, progress=fail)
