"""Word diffs: spans rebuild both texts, and what is equal is longest."""

import random
from difflib import SequenceMatcher
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oracles import diff as oracle
from tunesmith import core
from tunesmith.errors import InputError

TEXT = st.lists(st.sampled_from(["a", "bé", "😀", " ", "  ", "\n", ".", "12", "日本"]), max_size=25).map("".join)


def shown(a: str, b: str) -> list[tuple[str, str, str]]:
    return [(s["op"], a[s["a_start"] : s["a_end"]], b[s["b_start"] : s["b_end"]]) for s in core.word_diff([a], [b])[0]]


@settings(max_examples=300, deadline=None)
@given(a=TEXT, b=TEXT)
def test_spans_rebuild_both_texts_without_gaps(a: str, b: str) -> None:
    spans = shown(a, b)
    assert "".join(left for _, left, _ in spans) == a
    assert "".join(right for _, _, right in spans) == b
    for op, left, right in spans:
        assert left == right if op == "equal" else (op == "delete", op == "insert") == (bool(left), bool(right))
    assert all(x[0] != y[0] for x, y in pairwise(spans))


@settings(max_examples=300, deadline=None)
@given(a=TEXT, b=TEXT)
def test_equals_the_plain_twin(a: str, b: str) -> None:
    assert shown(a, b) == oracle.spans(a, b)


def test_as_a_reader_sees_it() -> None:
    assert shown("She go home 😀 now.", "She goes home 😀 now.") == [
        ("equal", "She ", "She "), ("delete", "go", ""), ("insert", "", "goes"), ("equal", " home 😀 now.", " home 😀 now."),
    ]  # fmt: skip
    assert shown("one two", "un deux") == [("delete", "one two", ""), ("insert", "", "un deux")]
    assert shown("same", "same") == [("equal", "same", "same")]


def test_as_much_is_equal_as_difflib_finds_at_least() -> None:
    rng = random.Random(0)
    for _ in range(30):
        a, b = ("-".join(rng.choices("abcdef", k=60)) for _ in range(2))  # every character is a segment
        ours = sum(len(left) for op, left, _ in shown(a, b) if op == "equal")
        assert ours >= sum(block.size for block in SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks())


def test_beyond_the_table_the_middle_is_one_change() -> None:
    rng = random.Random(0)
    a, b = (" ".join(f"{word}{rng.random()}" for _ in range(25_000)) for word in "xy")
    spans = [s["op"] for s in core.word_diff([f"head {a} tail"], [f"head {b} tail"])[0]]
    assert spans[0] == spans[-1] == "equal"
    assert len(spans) == 4


def test_nulls_rows_and_mistakes() -> None:
    assert core.word_diff(["a", None, ""], [None, "a", ""]).to_list() == [None, None, []]
    assert core.word_diff([], []).len() == 0
    assert core.word_diff(pl.Series(["x", "a"])[1:], ["a"]).to_list()[0][0]["op"] == "equal"
    with pytest.raises(InputError, match="found 1 and 2 rows"):
        core.word_diff(["a"], ["a", "b"])
