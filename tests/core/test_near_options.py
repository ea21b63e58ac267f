"""Presets, folding and bands: the parameters of other systems, against their own code where it is short."""

from __future__ import annotations

import re

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from core.test_near_duplicates import edited
from oracles import duplicates as oracle
from tunesmith import core
from tunesmith.errors import OptionError

FOLDED = st.text("aBé\u0301ı١٣12.,:'- \n€“”日\u00adñ_", max_size=14)


def key_count(**options: object) -> int:
    return core.band_keys(["some text of a few words"], **options).height  # type: ignore[arg-type]


@pytest.mark.parametrize("unit", ["word", "space", "piece", "character"])
@given(a=FOLDED, b=FOLDED, width=st.integers(1, 3), numbers=st.booleans(), marks=st.booleans())
@settings(max_examples=60, deadline=None)
def test_folded_similarity_is_exact(a: str, b: str, width: int, numbers: bool, marks: bool, unit: str) -> None:
    fold = {"fold_numbers": numbers, "fold_marks": marks}
    want = oracle.jaccard(oracle.shingles(a, width, unit, **fold), oracle.shingles(b, width, unit, **fold))
    assert core.verify_pairs([a], [b], shingle=width, unit=unit, **fold).to_list() == [want]


def test_numbers_are_folded_only_when_asked() -> None:
    texts = ["Divide 100 by 7", "Divide 14.5 by 6", "Divide it by 6"]
    assert core.near_duplicates(texts)["root"].to_list() == [0, 1, 2]
    assert core.near_duplicates(texts, fold_numbers=True)["root"].to_list() == [0, 0, 2]
    assert core.near_duplicates(texts, preset="datatrove")["root"].to_list() == [0, 0, 2]
    assert core.near_duplicates(texts, preset="datatrove", fold_numbers=False)["root"].to_list() == [0, 1, 2]


def test_marks_are_folded_only_when_asked() -> None:
    texts = ["Naïve, isn't it?", "naive isn t it", "naive isnt it"]
    assert core.near_duplicates(texts)["root"].to_list() == [0, 1, 2]
    assert core.near_duplicates(texts, fold_marks=True)["root"].to_list() == [0, 0, 2]


def test_bands_of_the_presets() -> None:
    assert key_count() == 26
    assert key_count(preset="datatrove") == 14
    assert key_count(preset="nemo") == 20
    # datasketch's optimum at .7 is 25 x 10 within 250 and within 256 hash functions.
    assert key_count(preset="text-dedup") == key_count(preset="data-juicer") == 25
    # ... and, as text_dedup.utils.optimal_param says for these, 41 x 6, 42 x 6 and 5 x 25.
    assert key_count(preset="text-dedup", threshold=0.5) == 41
    assert key_count(preset="data-juicer", threshold=0.5) == 42
    assert key_count(bands="balanced", threshold=0.9) == 5
    assert key_count(bands=(3, 7)) == 3


@given(st.text("aB é_\u0301.,'\n1²日", max_size=20), st.integers(1, 4))
@settings(deadline=None)
def test_pieces_are_those_of_text_dedup(text: str, width: int) -> None:
    # text_dedup.minhash.embed_func: ngrams(NON_ALPHA.split(content.lower()), n) with NON_ALPHA = \W.
    found = re.compile(r"\W", re.UNICODE).split(text.lower())
    if any(found):
        assert oracle.tokens(text, "piece") == found


@pytest.mark.parametrize("preset", ["datatrove", "text-dedup", "data-juicer", "nemo"])
def test_presets_find_what_is_there_and_nothing_else(preset: str) -> None:
    texts = edited(11, 150, words=80, edits=3)
    made = core.PRESETS[preset]
    sets = [oracle.shingles(text, made.shingle, made.unit, fold_numbers=made.fold_numbers, fold_marks=made.fold_marks) for text in texts]
    truth = {
        (a, b): similarity
        for b in range(len(texts))
        for a in range(b)
        if (similarity := oracle.jaccard(sets[a], sets[b])) >= made.threshold
    }
    got = {(a, b): similarity for a, b, similarity in core.near_pairs(texts, preset=preset, every=True).rows()}
    assert len(truth) > 50
    assert got.items() <= truth.items()
    # Their bands let pairs near the threshold pass; far above it none.
    sure = {pair for pair, similarity in truth.items() if similarity > made.threshold + 0.15}
    assert sure <= got.keys()


def test_what_is_said_outweighs_the_preset() -> None:
    texts = edited(3, 60)
    made = core.PRESETS["text-dedup"]
    by_hand = core.near_duplicates(texts, threshold=0.6, shingle=made.shingle, unit=made.unit, bands="balanced", permutations=250)
    assert_frame_equal(core.near_duplicates(texts, preset="text-dedup", threshold=0.6), by_hand)
    assert_frame_equal(core.near_duplicates(texts, preset="tunesmith"), core.near_duplicates(texts, threshold=0.7, shingle=5, unit="word"))


def test_short_texts_are_whole_in_every_preset() -> None:
    texts = pl.Series(["Add them", "Add these", "Add them"])
    for preset in core.PRESETS:
        assert core.near_duplicates(texts, preset=preset)["root"].to_list() == [0, 1, 0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"preset": "dolma"}, "preset: found 'dolma', expected tunesmith, datatrove, text-dedup, data-juicer, nemo"),
        ({"bands": "many"}, "bands: found 'many', expected recall, balanced"),
        ({"bands": (0, 8)}, "bands: found 0"),
        ({"bands": (65_536, 2)}, "bands: found 65536 of 2 hash functions"),
        ({"fold_numbers": 1}, "fold_numbers: found 1, expected True or False"),
        ({"memory": -1}, "memory: found -1, expected a whole number of MiB"),
        ({"spill": "no/such/folder"}, "spill: found 'no/such/folder', expected a folder that exists"),
    ],
)
def test_wrong_options_say_what_was_expected(options: dict[str, object], message: str) -> None:
    with pytest.raises(OptionError, match=re.escape(message)):
        core.near_duplicates(["a"], **options)  # type: ignore[arg-type]
