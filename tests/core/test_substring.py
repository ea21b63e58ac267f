"""Repeated passages against every run of pieces looked for before itself."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from oracles import substring as oracle
from tunesmith import core
from tunesmith.core import substring
from tunesmith.errors import InputError, OptionError

ALPHABET = ["a", "b", "ab", "é", "1", "日", "本", "カ", "😀", ".", ",", "'", " ", " ", " ", "  ", "\n", "\u00a0", "a b a b "]
some_text = st.lists(st.sampled_from(ALPHABET), max_size=14).map("".join)
column = st.lists(st.none() | some_text, max_size=5)


@given(texts=column, least=st.integers(1, 8), unit=st.sampled_from(["character", "word"]))
@settings(max_examples=400, deadline=None)
def test_equals_the_plain_twin(texts: list[str | None], least: int, unit: Any) -> None:
    frame = core.substring_duplicates(texts, min_length=least, unit=unit)
    pieces = {(row, start) for row, text in enumerate(texts) for start, _ in oracle.words(text or "")}
    inside = {(row, start) for row, start in pieces if any(r == row and a <= start < b for r, a, b, _, _ in frame.rows())}
    assert inside == oracle.covered(texts, least, unit)
    assert frame.rows() == oracle.spans(texts, least, unit)


@given(texts=column, least=st.integers(1, 6))
@settings(max_examples=200, deadline=None)
def test_spans_are_copies_between_borders(texts: list[str | None], least: int) -> None:
    found = core.substring_duplicates(texts, min_length=least).rows()
    for row, start, end, root, root_start in found:
        span = str(texts[row])[start:end]
        assert str(texts[root])[root_start : root_start + end - start] == span == span.strip() != ""
        assert (root, root_start) < (row, start)
        for at, first, last in ((row, start, end), (root, root_start, root_start + end - start)):
            pieces = oracle.words(str(texts[at]))
            assert first in {a for a, _ in pieces}
            assert last in {b for _, b in pieces}
    assert all(a[0] < b[0] or a[2] <= b[1] for a, b in pairwise(found))


@given(rows=st.lists(st.none() | st.lists(st.integers(0, 3), max_size=12), max_size=5), least=st.integers(1, 4))
@settings(max_examples=200, deadline=None)
def test_ids_are_pieces(rows: list[list[int] | None], least: int) -> None:
    letters = [None if row is None else "".join("日本語文"[i] for i in row) for row in rows]
    got = core.substring_duplicates(pl.Series(rows, dtype=pl.List(pl.UInt32)), min_length=least)
    assert_frame_equal(got, core.substring_duplicates(pl.Series(letters, dtype=pl.String), min_length=least))


def test_what_is_taken_out_can_be_put_back() -> None:
    # Every span is a copy of something earlier, so that the texts can be rebuilt from what stays, in order.
    draw = random.Random(0)
    parts = [" ".join(draw.choices(["one", "two", "três", "四", "five.", "6"], k=12)) for _ in range(12)]
    texts = [" ".join(draw.choices(parts, k=draw.randint(1, 4))) for _ in range(60)]
    spans = core.substring_duplicates(texts, min_length=20).rows()
    assert len(spans) > 50
    rebuilt: list[str] = []
    for row, text in enumerate(texts):
        made, at = "", 0
        for _, start, end, root, root_start in (span for span in spans if span[0] == row):
            made += text[at:start]
            for k in range(end - start):  # a copy within the row may run into the span itself
                made += (made if root == row else rebuilt[root])[root_start + k]
            at = end
        rebuilt.append(made + text[at:])
    assert rebuilt == texts


def test_the_first_copy_stays_and_words_are_whole() -> None:
    passage = "It was the best of times, it was the worst of times"
    texts = [f"He wrote: {passage}.", f"{passage}!", "unrelated", f"So, {passage} {passage}"]
    found = core.substring_duplicates(texts, min_length=30)
    assert [(row, texts[row][start:end], root) for row, start, end, root, _ in found.rows()] == [
        (1, passage, 0), (3, passage, 0), (3, passage, 0),
    ]  # fmt: skip
    assert core.substring_duplicates(["the cats are here", "he cats are her"], min_length=5).height == 1  # "cats are"
    assert core.substring_duplicates(["bathroom", "room", "ba room"], min_length=3).rows() == [(2, 3, 7, 1, 0)]


def test_rows_are_never_joined() -> None:
    assert core.substring_duplicates(["one two", "three four", "one two three four"], min_length=10).height == 1  # "three four"
    assert core.substring_duplicates(["one two", "three", "one two three"], min_length=8).height == 0


def test_scripts_without_spaces() -> None:
    texts = ["今日はとても良い天気です。", "明日もとても良い天気でしょう", "ตัวอย่าง", "x ตัวอย่างy"]
    found = core.substring_duplicates(texts, min_length=6)
    assert [texts[row][a:b] for row, a, b, _, _ in found.rows()] == ["とても良い天気で", "ตัวอย่าง"]


def test_sentences_are_whole() -> None:
    texts = ["He came. He saw the sea. He left.\nThe end", "She saw. He saw the sea. He left now.", "The end\nHe saw the sea. Twice"]
    found = core.substring_duplicates(texts, min_length=7, border="sentence")
    assert [(row, texts[row][a:b], root) for row, a, b, root, _ in found.rows()] == [
        (1, "He saw the sea.", 0), (2, "The end", 0), (2, "He saw the sea.", 0),
    ]  # fmt: skip


def test_repetition_within_a_row_is_one_span() -> None:
    text = "la " * 2000 + "- " * 2000
    found = core.substring_duplicates([text, text], min_length=20)
    assert found.filter(pl.col("row") == 0).rows() == [(0, 21, 5999, 0, 0), (0, 6022, 9999, 0, 6000)]
    assert found.filter(pl.col("row") == 1).rows() == [(1, 0, 9999, 0, 0)]


def test_copies_stay_linear() -> None:
    texts = ["one and the same long enough text"] * 20_000
    found = core.substring_duplicates(texts, min_length=10)
    assert found.height == 19_999
    assert found["root"].max() == 0


def test_memory_is_known_before_it_is_taken() -> None:
    texts = [f"this text {i % 50} is here again and again" for i in range(500)]
    needed = core.substring_memory(texts, min_length=12)
    whole = core.substring_duplicates(texts, min_length=12, memory_limit=needed)
    assert_frame_equal(core.substring_duplicates(texts, min_length=12), whole)
    with pytest.raises(OptionError, match=r"memory_limit: the windows that occur twice need \d+ MB.*larger min_length"):
        core.substring_duplicates(texts, min_length=12, memory_limit=needed - 1)
    with pytest.raises(OptionError, match="memory_limit: the hashes of the windows"):
        core.substring_duplicates(texts, min_length=12, memory_limit=1)
    assert substring._free_memory() > 0


def test_chunks_slices_nothing_and_other_containers() -> None:
    draw = random.Random(1)
    texts = pl.Series([" ".join(draw.choices("abc", k=30)) for _ in range(90)])
    whole = core.substring_duplicates(texts, min_length=12)
    assert whole.height > 50
    assert_frame_equal(core.substring_duplicates(pl.concat([texts[:7], texts[7:8], texts[8:]], rechunk=False), min_length=12), whole)
    assert_frame_equal(core.substring_duplicates(pl.concat([texts[:5], texts])[5:], min_length=12), whole)
    assert_frame_equal(core.substring_duplicates(texts.to_list(), min_length=12), whole)
    assert whole.schema == dict.fromkeys(["row", "start", "end", "root", "root_start"], pl.UInt32)
    for nothing in ([], pl.Series([], dtype=pl.String), [None, None], ["", " \n"], pl.Series([], dtype=pl.List(pl.UInt32))):
        assert core.substring_duplicates(nothing, min_length=1).shape == (0, 5)
    ids = pl.Series([[1, 2, 3], None, [1, 2, 3]], dtype=pl.List(pl.Int64))
    assert core.substring_duplicates(ids, min_length=2).rows() == [(2, 0, 3, 0, 0)]
    assert core.substring_duplicates([[1, 2], [1, 2]], min_length=2).rows() == [(1, 0, 2, 0, 0)]


def test_progress_is_reported_and_can_stop_the_work() -> None:
    told: list[int] = []
    core.substring_duplicates(["a b c"] * 1001, min_length=3, progress=told.append)
    assert told[-1] == 1001

    def stop(_done: int) -> None:
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        core.substring_duplicates(["a b c"] * 1001, min_length=3, progress=stop)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"min_length": 0}, "min_length: found 0, expected a whole number from 1 on"),
        ({"min_length": True}, "min_length: found True"),
        ({"min_length": 5, "unit": "byte"}, 'unit: found "byte", expected character, word or token'),
        ({"min_length": 5, "border": "line"}, 'border: found "line", expected word or sentence'),
        ({"min_length": 5, "memory_limit": 0}, "memory_limit: found 0"),
    ],
)
def test_wrong_options_say_what_was_expected(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        core.substring_duplicates(["a"], **options)


def test_wrong_input_says_what_was_expected() -> None:
    with pytest.raises(InputError, match="texts: expected a column of String"):
        core.substring_duplicates([1, 2], min_length=1)
    with pytest.raises(InputError, match="found one str; put it into a list"):
        core.substring_duplicates("a", min_length=1)


def test_ids_that_are_none_are_refused() -> None:
    with pytest.raises(InputError, match="expected lists of ids from 0"):
        core.substring_duplicates([[1, -1], [2]], min_length=1)
    with pytest.raises(InputError, match="found one str"):
        core.substring_duplicates("a text", min_length=1)
    assert core.substring_duplicates([[1, 2], [1, 2]], min_length=2).height == 1
