"""k-center: lazy equals plain, and arithmetic that no order of addition can change."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oracles import k_center as oracle
from tunesmith.curation.steps import k_center


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(-3, 3), min_size=3, max_size=3), min_size=1, max_size=40), st.integers(1, 40))
def test_equals_the_plain_greedy_with_many_ties(rows, budget):
    vectors = k_center.exact(np.array(rows, dtype=np.float32))
    assert k_center.greedy(vectors, budget) == oracle.greedy(vectors, budget)


@pytest.mark.parametrize("batch", [1, 7, 4096])
def test_the_batch_changes_nothing(batch, monkeypatch):
    texts = pl.Series(
        [f"{verb} the {noun} number {k % 17}" for k, (verb, noun) in enumerate([("sort", "list"), ("name", "tree"), ("sum", "row")] * 60)]
    )
    vectors = k_center.hashed(texts)
    monkeypatch.setattr(k_center, "_BATCH", batch)
    monkeypatch.setattr(k_center, "_BLOCK", 50 * batch)
    assert k_center.greedy(vectors, 90) == oracle.greedy(vectors, 90)


def test_hashing_does_not_depend_on_blocks(monkeypatch):
    texts = pl.Series(["", "a", "ab\ncd", "Ünïcödé 漢字かな", "the same text " * 9, "𝒳"])
    whole = k_center.hashed(texts)
    monkeypatch.setattr(k_center, "_BLOCK", 1)
    assert (k_center.hashed(texts) == whole).all()
    assert (whole == np.rint(whole)).all()
    assert (np.abs(whole) @ np.abs(whole).T).max() < 2**24


def test_near_texts_are_nearer_than_far_ones():
    a, b, c = k_center.hashed(pl.Series(["Name three trees of Europe", "Name three trees of Asia", "Integrate x squared"]))
    assert a @ b > a @ c


def test_one_of_each_kind_is_picked_first():
    texts = pl.Series(["sort the list"] * 5 + ["paint the wall"] * 5 + ["boil an egg"] * 5)
    assert sorted(k // 5 for k in k_center.greedy(k_center.hashed(texts), 3)) == [0, 1, 2]
