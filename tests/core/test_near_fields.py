"""Near duplicates field by field: the smallest similarity of a field counts."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal, assert_series_equal

from core.test_near_duplicates import edited
from oracles import duplicates as oracle
from tunesmith import core
from tunesmith.errors import InputError

field = st.none() | st.text("ab1 .!日", max_size=6)
SCHEMA = {"prompt": pl.String, "input": pl.String, "answer": pl.String}
rows_of_anything = st.lists(st.tuples(field, field, field), max_size=10)


def frame(rows: list[tuple[str | None, ...]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=dict(list(SCHEMA.items())[: len(rows[0]) if rows else 3]), orient="row")


@given(rows=rows_of_anything, width=st.integers(1, 2), threshold=st.sampled_from([0.3, 0.5, 1.0]))
@settings(max_examples=150, deadline=None)
def test_pairs_equal_brute_force(rows: list[tuple[str | None, ...]], width: int, threshold: float) -> None:
    truth = oracle.near_rows(rows, threshold, width, "word")
    options = {"threshold": threshold, "shingle": width}
    found = {(a, b): similarity for a, b, similarity in core.near_pairs(frame(rows), every=True, **options).rows()}
    assert found.items() <= truth.items()
    assert all(similarity < threshold + 0.15 and similarity < 1 for pair, similarity in truth.items() if pair not in found)
    groups = core.near_duplicates(frame(rows), **options)
    assert groups["root"].to_list() == oracle.roots(len(rows), list(found))
    linked = core.near_pairs(frame(rows), **options)
    assert oracle.roots(len(rows), [(a, b) for a, b, _ in linked.rows()]) == groups["root"].to_list()


@given(rows=rows_of_anything, width=st.integers(1, 3))
@settings(deadline=None)
def test_verified_similarity_is_the_smallest(rows: list[tuple[str | None, ...]], width: int) -> None:
    turned = rows[1:] + rows[:1]
    got = core.verify_pairs(frame(rows), frame(turned), shingle=width).to_list()
    for similarity, a, b in zip(got, rows, turned, strict=True):
        if not any(x is not None for x in a) or not any(x is not None for x in b):
            assert similarity is None
        else:
            assert similarity == oracle.near_rows([a, b], 0.0, width, "word")[0, 1]


@given(rows=rows_of_anything, others=rows_of_anything)
@settings(max_examples=60, deadline=None)
def test_the_other_side(rows: list[tuple[str | None, ...]], others: list[tuple[str | None, ...]]) -> None:
    truth = oracle.near_rows([*others, *rows], 0.5, 1, "word")
    cross = {(b - len(others), a): similarity for (a, b), similarity in truth.items() if a < len(others) <= b}
    found = core.near_pairs(frame(rows), against=frame(others), threshold=0.5, shingle=1, every=True)
    got = {(a, b): similarity for a, b, similarity in found.rows()}
    assert got.items() <= cross.items()
    assert all(similarity < 0.65 for pair, similarity in cross.items() if pair not in got)
    for row, root, twin, similarity in core.near_duplicates(frame(rows), against=frame(others), threshold=0.5, shingle=1).rows():
        mine = {b: s for (a, b), s in got.items() if a == row}
        assert root == (min(mine) if mine else None)
        assert (twin, similarity) == (min(mine, key=lambda b: (-mine[b], b)), max(mine.values())) if mine else (None, None)


def test_the_same_instruction_with_another_input_is_no_duplicate() -> None:
    prompts = pl.Series(["Sort the numbers, the smallest first."] * 3 + ["Say hi."])
    inputs = pl.Series(["4 2 9", "8 1 3", "4, 2, 9", None])
    assert core.near_duplicates([prompts, inputs])["root"].to_list() == [0, 1, 0, 3]
    assert core.near_duplicates(pl.DataFrame({"a": prompts, "b": inputs}))["twin"].to_list() == [2, None, 0, None]
    assert core.near_duplicates(prompts)["root"].to_list() == [0, 0, 0, 3]


@pytest.mark.parametrize("threshold", [0.5, 0.7])
def test_recall_on_edited_rows(threshold: float) -> None:
    prompts, answers = edited(1, 200, words=40, edits=4), edited(2, 12, words=50, edits=4)
    rows = [(prompt, answers[at % 12]) for at, prompt in enumerate(prompts)]
    truth = oracle.near_rows(rows, threshold, 3, "word")
    found = core.near_pairs(frame(rows), threshold=threshold, shingle=3, every=True)
    got = {(a, b): similarity for a, b, similarity in found.rows()}
    assert len(truth) > 30
    assert got.items() <= truth.items()
    assert len(got) >= 0.99 * len(truth)


def test_one_column_is_one_field_and_chunks_change_nothing() -> None:
    texts = pl.Series("a", edited(4, 80))
    whole = core.near_duplicates(texts, threshold=0.5)
    for same in ([texts], texts.to_frame()):
        assert_frame_equal(core.near_duplicates(same, threshold=0.5), whole)
    rows = pl.DataFrame({"a": texts, "b": texts.reverse()})
    pieces = pl.concat([rows[:9], rows[9:10], rows[10:]], rechunk=False)
    assert_frame_equal(core.near_duplicates(pieces, threshold=0.5), core.near_duplicates(rows, threshold=0.5))
    assert_series_equal(core.verify_pairs(pieces, rows), core.verify_pairs(rows, pieces))


def test_wrong_columns_say_what_was_expected() -> None:
    one, two = pl.Series(["a"]), pl.Series(["a", "b"])
    with pytest.raises(InputError, match="texts: expected columns of equal length, found 1, 2 rows"):
        core.near_duplicates([one, two])
    with pytest.raises(InputError, match="found 2 columns of text on one side and 1 on the other"):
        core.near_duplicates([one, one], against=one)
    with pytest.raises(InputError, match="as many columns of text on both sides, found 2 and 1"):
        core.verify_pairs([one, one], one)
    with pytest.raises(InputError, match="expected one column of text or more, found none"):
        core.near_duplicates(pl.DataFrame())
    with pytest.raises(InputError, match=r"texts\[1\]: expected a column of String"):
        core.near_pairs([one, pl.Series([1])])
    with pytest.raises(InputError, match="texts: expected a column of String"):
        core.band_keys([one, one])
