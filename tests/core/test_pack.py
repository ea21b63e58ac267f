"""Packing against a twin that looks at every open bin."""

from __future__ import annotations

import random
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oracles import packing as oracle
from tunesmith import core
from tunesmith.errors import InputError, OptionError

TWINS = {"best-fit": oracle.best_fit_decreasing, "first-fit": oracle.first_fit_decreasing}


@pytest.mark.parametrize("method", TWINS)
@given(st.data(), st.integers(1, 300))
@settings(deadline=None)
def test_equals_the_slow_twin(method: Any, data: st.DataObject, capacity: int) -> None:
    lengths = data.draw(st.lists(st.integers(0, capacity), max_size=60))
    assert core.pack(lengths, capacity=capacity, method=method).to_list() == TWINS[method](lengths, capacity)


@pytest.mark.parametrize("method", TWINS)
@pytest.mark.parametrize("capacity", [63, 64, 65, 4096, 4097, 300_000])
def test_capacities_around_the_table_borders(method: Any, capacity: int) -> None:
    draw = random.Random(capacity)
    lengths = [min(capacity, int(draw.expovariate(4 / capacity))) for _ in range(500)] + [capacity, 0, 1]
    assert core.pack(lengths, capacity=capacity, method=method).to_list() == TWINS[method](lengths, capacity)


@given(st.lists(st.integers(0, 40), max_size=40), st.integers(1, 30))
@settings(deadline=None)
def test_wrapped_equals_the_slow_twin(lengths: list[int], capacity: int) -> None:
    pieces = oracle.wrapped(lengths, capacity)
    assert core.pack_wrapped(lengths, capacity=capacity).rows() == pieces
    firsts = {row: bin_ for row, bin_, _, _ in reversed(pieces)}
    assert core.pack(lengths, capacity=capacity, method="wrapped").to_list() == [firsts[row] for row in range(len(lengths))]


def test_wrapped_bins_are_full_but_the_last() -> None:
    draw = random.Random(0)
    lengths = [draw.randint(0, 5000) for _ in range(1000)]
    pieces = core.pack_wrapped(lengths, capacity=2048)
    filled = pieces.group_by("bin", maintain_order=True).agg(pl.col("length").sum())["length"]
    assert filled[:-1].unique().to_list() == [2048]
    assert pieces.schema == dict.fromkeys(("row", "bin", "start", "length"), pl.UInt32)
    assert pieces.group_by("row", maintain_order=True).agg(pl.col("length").sum())["length"].to_list() == lengths


def test_no_bin_overflows_and_nearly_all_are_full() -> None:
    draw = random.Random(0)
    lengths = pl.Series([min(2048, max(8, int(draw.lognormvariate(5, 0.8)))) for _ in range(50_000)], dtype=pl.UInt32)
    bins = core.pack(lengths, capacity=2048)
    filled = pl.DataFrame({"bin": bins, "length": lengths}).group_by("bin").agg(pl.col("length").sum())
    assert filled["length"].max() <= 2048
    assert sorted(filled["bin"]) == list(range(filled.height))
    assert lengths.sum() / (filled.height * 2048) > 0.999
    assert core.pack(lengths, capacity=2048).equals(bins)


@pytest.mark.parametrize("method", [*TWINS, "wrapped"])
def test_other_types_chunks_and_nothing(method: Any) -> None:
    lengths = pl.Series([5, 3, 4, 1, 1], dtype=pl.Int64)
    whole = core.pack(lengths, capacity=6, method=method)
    assert whole.dtype == pl.UInt32
    assert core.pack(pl.concat([lengths[:2], lengths[2:]], rechunk=False), capacity=6, method=method).equals(whole)
    assert core.pack(pl.concat([lengths[:2], lengths])[2:], capacity=6, method=method).equals(whole)
    assert core.pack([], capacity=6, method=method).len() == 0
    assert core.pack([0, 0], capacity=6, method=method).to_list() == [0, 0]
    assert core.pack_wrapped([], capacity=6).rows() == []


def test_wrong_input_says_what_was_expected() -> None:
    with pytest.raises(InputError, match="row 1: found 9 tokens, expected at most the capacity of 8"):
        core.pack([1, 9, 99], capacity=8)
    with pytest.raises(InputError, match="row 1 is null"):
        core.pack([1, None], capacity=8)
    with pytest.raises(InputError, match="lengths: expected a column of UInt32"):
        core.pack([1, -1], capacity=8)
    for capacity in (0, -1, 2**40, 1.5, True):
        with pytest.raises(OptionError, match="capacity: found"):
            core.pack([1], capacity=capacity)  # type: ignore[arg-type]
    with pytest.raises(OptionError, match='did you mean "first-fit"'):
        core.pack([1], capacity=8, method="firstfit")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="expected fewer than 4294967295 bins; raise the capacity"):
        core.pack_wrapped([2**32 - 1, 1], capacity=1)
