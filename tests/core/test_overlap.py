"""Overlap with evaluation items against every run looked for in every text."""

from __future__ import annotations

import random
from typing import Any

import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from oracles import overlap as oracle
from tunesmith import core
from tunesmith.errors import InputError, OptionError

MODES = {"gpt3": 13, "datatrove": 12, "open-r1": 8, "tulu3": 8}
ALPHABET = ["a", "b", "Ab", "é", "1", "2,5", "日", "本", "?", "don't", " ", " ", " ", "\n", "\u00a0", "-"]
some_text = st.lists(st.sampled_from(ALPHABET), max_size=14).map("".join)
ASSIGNED = st.characters(max_codepoint=0x30FF, exclude_categories=["Cn", "Cs"])
column = st.lists(st.none() | some_text, max_size=6)


@pytest.mark.parametrize("unit", ["word", "space", "character"])
@given(texts=column, items=column, n=st.integers(1, 5), contain=st.integers(1, 4))
@settings(max_examples=150, deadline=None)
def test_equals_the_plain_twin(texts: list[str | None], items: list[str | None], n: int, contain: int, unit: Any) -> None:
    got = core.overlap(texts, items, n=n, unit=unit, contain=contain)
    assert got.rows() == oracle.overlap(texts, items, cut=unit, n=n, contain=contain)


@pytest.mark.parametrize("mode", MODES)
@given(texts=column, items=column, n=st.integers(1, 4), short=st.booleans())
@settings(max_examples=80, deadline=None)
def test_modes_equal_their_plain_twins(texts: list[str | None], items: list[str | None], n: int, short: bool, mode: Any) -> None:
    cut = "word" if mode == "tulu3" else mode
    got = core.overlap(texts, items, n=n, mode=mode, short=short, threshold=0)
    assert got.rows() == oracle.overlap(texts, items, cut=cut, n=n, contain=4 if short else None)


@given(text=st.text(ASSIGNED, max_size=12))
@settings(max_examples=400, deadline=None)
@pytest.mark.parametrize("mode", ["gpt3", "datatrove", "open-r1"])
def test_tokens_of_the_modes_in_any_script(text: str, mode: Any) -> None:
    # Joined by single spaces, the tokens are the same tokens (but U+1FEF, which datatrove turns into a mark it would delete).
    tokens = oracle.tokens(text, mode)
    spelled = " ".join(tokens)
    assume(tokens and oracle.tokens(spelled, mode) == tokens)
    assert core.overlap([spelled], [text], n=len(tokens), mode=mode).rows() == [(0, 0, 1.0)]


def planted(seed: int) -> tuple[list[str], list[str], set[tuple[int, int]]]:
    """Texts in which items of 1 to 60 words are planted, whole, in part, and among other words."""
    draw = random.Random(seed)
    words = [f"w{i}" for i in range(3000)]
    items = [" ".join(draw.choices(words, k=draw.choice([1, 2, 4, 6, 7, 8, 9, 30, 60]))) for _ in range(150)]
    texts, truth = [], set()
    for row in range(400):
        body = draw.choices(words, k=draw.randint(5, 80))
        if row % 4 == 0:
            item = draw.randrange(len(items))
            parts = items[item].split()
            truth.add((row, item))
            if len(parts) < 4:
                body = parts
            else:
                cut = draw.randrange(len(body))
                body[cut:cut] = [word.upper() + draw.choice(["", ",", "!"]) for word in parts]
        texts.append(" ".join(body))
    return texts, items, truth


@pytest.mark.parametrize("seed", range(3))
def test_planted_leaks_are_found_short_ones_too(seed: int) -> None:
    texts, items, truth = planted(seed)
    found = core.overlap(texts, items)
    assert {(row, item) for row, item, _ in found.filter(pl.col("share") == 1.0).rows()} >= truth
    extra = {(row, item) for row, item, _ in found.rows()} - truth
    assert len(extra) <= 3  # a single word that is an item by chance
    short = {(row, item) for row, item in truth if len(items[item].split()) < 8}
    assert len(short) > 30
    listed = {(row, item) for row, item, _ in core.overlap(texts, items, mode="tulu3").rows()}
    assert listed == truth - short


def test_the_share_is_of_the_item_and_one_row() -> None:
    item = " ".join(f"w{i}" for i in range(20))
    halves = [" ".join(item.split()[:10]), " ".join(item.split()[10:])]
    assert core.overlap(halves, [item]).rows() == [(0, 0, 0.5), (1, 0, 0.5)]
    assert core.overlap(halves, [item], threshold=0.51).height == 0
    assert core.overlap(halves, [item], mode="tulu3").height == 0
    assert core.overlap([item + " " + item], [item], mode="tulu3").rows() == [(0, 0, 1.0)]


def test_one_or_two_words_are_not_found_everywhere() -> None:
    items = ["Yes", "In Paris", "?!", "What is it then", "😀"]
    texts = ["yes!", "Yes, in Paris", "?!", "what is it then, yes", "x ?! y", "in paris.", "😀"]
    assert core.overlap(texts, items).rows() == [(0, 0, 1.0), (2, 2, 1.0), (3, 3, 1.0), (5, 1, 1.0), (6, 4, 1.0)]
    assert core.overlap(texts, items, contain=1).filter(pl.col("item") == 0)["row"].to_list() == [0, 1, 3]
    assert core.overlap(texts, items, short=False).height == 0


def test_repeats_on_both_sides_stay_linear() -> None:
    found = core.overlap(["la " * 40_000], ["la " * 40_000, "la " * 50], n=8)
    assert found.rows() == [(0, 0, 1.0), (0, 1, 1.0)]


def test_an_index_is_streamed_past() -> None:
    texts, items, _ = planted(7)
    index = core.OverlapIndex(items)
    whole = index.find(texts)
    assert whole.height > 50
    chunks = [index.find(texts[at : at + 37]).with_columns(pl.col("row") + at) for at in range(0, len(texts), 37)]
    assert_frame_equal(pl.concat(chunks), whole)
    assert index.n == 8
    assert 0 < index.nbytes < 100 * sum(len(item.split()) for item in items) + 10_000
    assert core.OverlapIndex([]).find(["a"]).height == 0


def test_chunks_slices_nothing_and_other_containers() -> None:
    texts, items, _ = planted(3)
    whole = core.overlap(texts, items)
    series = pl.Series(texts)
    assert_frame_equal(core.overlap(pl.concat([series[:7], series[7:8], series[8:]], rechunk=False), pl.Series(items)), whole)
    assert_frame_equal(core.overlap(pl.concat([series[:5], series])[5:], items), whole)
    assert whole.schema == {"row": pl.UInt32, "item": pl.UInt32, "share": pl.Float64}
    for nothing in ([], pl.Series([], dtype=pl.String), [None, None]):
        assert core.overlap(nothing, items).shape == (0, 3)
        assert core.overlap(texts, nothing).shape == (0, 3)


def test_progress_is_reported_and_can_stop_the_work() -> None:
    told: list[int] = []
    core.overlap(["a b c"] * 1000, ["a b c"], n=2, progress=told.append)
    assert told[-1] == 1000

    def stop(_done: int) -> None:
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        core.overlap(["a b c"] * 1000, ["a b c"], progress=stop)
    items: list[int] = []
    core.OverlapIndex(["a b c"] * 700, progress=items.append)
    assert items[-1] == 700
    with pytest.raises(RuntimeError, match="enough"):
        core.OverlapIndex(["a b c"], progress=stop)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n": 0}, "n: found 0, expected a whole number"),
        ({"n": True}, "n: found True"),
        ({"contain": 0}, "contain: found 0"),
        ({"threshold": 1.5}, "threshold: found 1.5, expected a share from 0 to 1"),
        ({"threshold": "all"}, "threshold: found 'all'"),
        ({"mode": "gpt4"}, 'mode: found "gpt4"; did you mean "gpt3"'),
        ({"mode": "gpt3", "unit": "space"}, 'unit: mode "gpt3" has tokens of its own'),
        ({"unit": "line"}, 'unit: found "line"'),
    ],
)
def test_wrong_options_say_what_was_expected(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        core.overlap(["a"], ["a"], **options)


def test_wrong_input_says_what_was_expected() -> None:
    with pytest.raises(InputError, match="against: expected a column of String"):
        core.overlap(["a"], [1])
    with pytest.raises(InputError, match="texts: expected a column of String, found one str"):
        core.overlap("a", ["a"])
