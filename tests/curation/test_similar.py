"""Pairs over several fields against all pairs, one by one."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oracles import duplicates as oracle
from tunesmith import core
from tunesmith.curation.steps.similar import Similarity

TEXT = st.none() | st.lists(st.sampled_from("abcde"), min_size=1, max_size=5).map(" ".join)
ROWS = st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=8)


def brute(left: list, right: list | None, floor: float) -> list[tuple[int, int, float]]:
    found = []
    for a, one in enumerate(left):
        for b, other in enumerate(left if right is None else right):
            if right is None and b <= a:
                continue
            scores = []
            for x, y in zip(one, other, strict=True):
                scores.append(core.verify_pairs([x], [y], shingle=1)[0] if x and y else float(x is None and y is None))
            if any(one) and any(other) and min(scores) >= floor:
                found.append((a, b, min(scores)))
    return found


def frame(rows: list) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={"x": pl.String, "y": pl.String}, orient="row")


def groups(count: int, pairs: list[tuple[int, int, float]], least: float) -> list[int]:
    return oracle.roots(count, [(a, b) for a, b, similarity in pairs if similarity >= least])


@settings(max_examples=80, deadline=None)
@given(ROWS, ROWS, st.sampled_from([0.5, 0.75, 1.0]))
def test_field_by_field_equals_all_pairs(left, right, floor):
    similarity = Similarity(floor=floor, shingle=1, unit="word")
    found, truth = similarity.pairs(frame(left)).rows(), brute(left, None, floor)
    # Equal rows are tied to their first one alone: nothing that is not so, and the same groups at every threshold.
    assert set(found) <= set(truth)
    assert all(groups(len(left), found, least) == groups(len(left), truth, least) for least in (floor, 0.8, 1.0))
    found, truth = similarity.pairs(frame(left), frame(right)).rows(), brute(left, right, floor)
    assert set(found) <= set(truth)
    first = {(a, one): b for a, b, one in reversed(truth)}  # of each similarity the first row
    assert {(a, one): b for a, b, one in reversed(found)} == first


def test_the_same_instruction_with_another_input_is_no_duplicate():
    rows = frame([("Translate to French please", "the red house"), ("Translate to French please", "a green tree")])
    assert Similarity(floor=0.5, shingle=1, unit="word").pairs(rows).is_empty()


@pytest.mark.parametrize("rows", [[], [(None, None), (None, None)]])
def test_rows_without_text_have_no_pairs(rows):
    assert Similarity(floor=0.5, shingle=5, unit="word").pairs(frame(rows)).is_empty()
