"""Near duplicates against every pair compared by sets of tuples, and against their own stages."""

from __future__ import annotations

import random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from oracles import duplicates as oracle
from tunesmith import core
from tunesmith.errors import InputError, OptionError

UNITS = ["word", "space", "piece", "character"]
ALPHABET = "abZé1 2.,'_:;-\n日語カーกิ็ \u00a0ß"
texts_of_anything = st.lists(st.none() | st.text(ALPHABET, max_size=20), max_size=8)


def edited(seed: int, count: int, *, words: int = 40, edits: int = 12) -> list[str]:
    """Families of texts: copies of a few originals in which some words were replaced."""
    draw = random.Random(seed)
    vocabulary = [f"w{i}" for i in range(2000)]
    originals = [[draw.choice(vocabulary) for _ in range(words)] for _ in range(max(1, count // 6))]
    made = []
    for _ in range(count):
        text = list(draw.choice(originals))
        for _ in range(draw.randrange(edits)):
            text[draw.randrange(words)] = draw.choice(vocabulary)
        made.append(" ".join(text))
    return made


@pytest.mark.parametrize("unit", UNITS)
@given(texts=texts_of_anything, width=st.integers(1, 5))
@settings(deadline=None)
def test_verified_similarity_is_exact(texts: list[str | None], width: int, unit: str) -> None:
    a, b = texts, texts[1:] + texts[:1]
    got = core.verify_pairs(a, b, shingle=width, unit=unit).to_list()
    want = [
        None if x is None or y is None else oracle.jaccard(oracle.shingles(x, width, unit), oracle.shingles(y, width, unit))
        for x, y in zip(a, b, strict=True)
    ]
    assert got == want


@pytest.mark.parametrize("unit", UNITS)
@given(texts=texts_of_anything, width=st.integers(1, 3), threshold=st.sampled_from([0.3, 0.5, 0.7, 1.0]))
@settings(max_examples=60, deadline=None)
def test_pairs_equal_brute_force(texts: list[str | None], width: int, threshold: float, unit: str) -> None:
    truth = oracle.near_pairs(texts, threshold, width, unit)
    found = core.near_pairs(texts, threshold=threshold, shingle=width, unit=unit, every=True)
    got = {(a, b): similarity for a, b, similarity in found.rows()}
    assert got.items() <= truth.items()
    # At the threshold itself one pair in a thousand may be missed; a little above it none.
    assert all(similarity < threshold + 0.15 and similarity < 1 for pair, similarity in truth.items() if pair not in got)


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.9])
def test_recall_and_precision_on_edited_texts(threshold: float) -> None:
    texts = edited(1, 400, words=60, edits=5)
    truth = oracle.near_pairs(texts, threshold, 3, "word")
    got = {(a, b): similarity for a, b, similarity in core.near_pairs(texts, threshold=threshold, shingle=3, every=True).rows()}
    assert len(truth) > 100
    assert got.items() <= truth.items()
    assert len(got) >= 0.99 * len(truth)


@pytest.mark.parametrize("seed", range(3))
def test_whole_equals_its_stages_by_block(seed: int) -> None:
    some = edited(seed, 150, words=20, edits=8)
    texts = pl.Series([*some, None, "", *some[:20], "", None, "short", "Short!"])
    options = {"shingle": 2, "unit": "word"}
    blocks = [
        core.band_keys(texts[at : at + 40], threshold=0.6, **options).with_columns(pl.col("row") + at) for at in range(0, len(texts), 40)
    ]
    keys = pl.concat(blocks)
    assert keys.equals(core.band_keys(texts, threshold=0.6, **options))
    met = keys.join(keys, on="key", suffix="_b").filter(pl.col("row") < pl.col("row_b")).select("row", "row_b").unique(maintain_order=True)
    met = met.with_columns(core.verify_pairs(texts.gather(met["row"]), texts.gather(met["row_b"]), **options).alias("similarity"))
    edges = met.filter(pl.col("similarity") >= 0.6)
    both = pl.concat([edges, edges.select(pl.col("row_b").alias("row"), pl.col("row").alias("row_b"), "similarity")])
    twins = both.sort("row", "similarity", "row_b", descending=[False, True, False]).unique("row", keep="first")
    staged = (
        pl.DataFrame({"row": pl.arange(len(texts), dtype=pl.UInt32, eager=True)})
        .join(core.components(edges), on="row", how="left")
        .join(twins, on="row", how="left")
        .select("row", pl.col("root").fill_null(pl.col("row")), pl.col("row_b").alias("twin"), "similarity")
        .sort("row")
    )
    assert edges.height > 50
    assert_frame_equal(core.near_duplicates(texts, threshold=0.6, **options), staged)


def test_groups_are_connected_components_of_the_pairs() -> None:
    texts = edited(5, 200)
    pairs = core.near_pairs(texts, every=True)
    linked = core.near_pairs(texts, every=False)
    whole = core.near_duplicates(texts)
    for listed in (pairs, linked):
        assert oracle.roots(len(texts), [(a, b) for a, b, _ in listed.rows()]) == whole["root"].to_list()
    best = {}
    for a, b, similarity in pairs.rows():
        for row, other in ((a, b), (b, a)):
            best[row] = max(best.get(row, (0, 0)), (similarity, -other))
    assert {row: (similarity, -twin) for row, _, twin, similarity in whole.rows() if twin is not None} == best


def test_against_finds_twins_on_the_other_side() -> None:
    texts, against = edited(7, 120), [*edited(7, 60, edits=4), None, "unrelated"]
    found = core.near_duplicates([*texts, None], against=against, threshold=0.6)
    together = oracle.near_pairs([*texts, *against], 0.6, 5, "word")
    cross = {(a, b - len(texts)): similarity for (a, b), similarity in together.items() if a < len(texts) <= b}
    got = {(a, b): similarity for a, b, similarity in core.near_pairs(texts, against=against, threshold=0.6, every=True).rows()}
    assert got.items() <= cross.items()
    assert len(got) >= 0.99 * len(cross)
    assert len(got) > 20
    for row, root, twin, similarity in found.rows():
        mine = {b: s for (a, b), s in got.items() if a == row}
        assert root == (min(mine) if mine else None)
        assert (twin, similarity) == (min(mine, key=lambda b: (-mine[b], b)), max(mine.values())) if mine else (None, None)


def test_short_texts_are_compared_whole() -> None:
    found = core.near_duplicates(["Add 1 and 2", "Add 1 and 3", "add 1 and 2!", "", "", "?", "??", None, None])
    assert found["root"].to_list() == [0, 1, 0, 3, 3, 5, 6, 7, 8]
    assert found["twin"].to_list() == [2, None, 0, 4, 3, None, None, None, None]


def test_numbers_are_never_folded() -> None:
    assert core.verify_pairs(["Divide 100 by 7"], ["Divide 14 by 6"]).to_list() == [0.0]


def test_thousands_of_copies_stay_linear() -> None:
    texts = ["one and the same long enough text"] * 30_000
    assert core.near_pairs(texts).height == 29_999
    found = core.near_duplicates(texts)
    assert found["root"].max() == 0
    assert found["twin"][0] == 1


def test_chunks_slices_nothing_and_other_containers() -> None:
    texts = pl.Series(edited(3, 90))
    whole = core.near_duplicates(texts, threshold=0.5)
    chunked = pl.concat([texts[:7], texts[7:8], texts[8:]], rechunk=False)
    assert chunked.n_chunks() == 3
    assert_frame_equal(core.near_duplicates(chunked, threshold=0.5), whole)
    assert_frame_equal(core.near_duplicates(pl.concat([texts[:5], texts])[5:], threshold=0.5), whole)
    assert_frame_equal(core.near_duplicates(texts.to_list(), threshold=0.5), whole)
    for nothing in ([], pl.Series([], dtype=pl.String)):
        assert core.near_duplicates(nothing).shape == (0, 4)
        assert core.near_duplicates(nothing, against=["a"]).shape == (0, 4)
        assert core.near_pairs(nothing).shape == (0, 3)
        assert core.band_keys(nothing).shape == (0, 2)
        assert core.verify_pairs(nothing, nothing).len() == 0
    assert core.near_duplicates(["a"], against=[]).rows() == [(0, None, None, None)]
    assert core.near_duplicates([None, None]).rows() == [(0, 0, None, None), (1, 1, None, None)]
    assert core.near_duplicates(["a"]).schema == {"row": pl.UInt32, "root": pl.UInt32, "twin": pl.UInt32, "similarity": pl.Float64}


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=40))
@settings(deadline=None)
def test_components(edges: list[tuple[int, int]]) -> None:
    frame = core.components(pl.DataFrame(edges, schema={"a": pl.UInt64, "b": pl.UInt64}, orient="row"))
    label = oracle.roots(31, edges)
    named = sorted({row for edge in edges for row in edge})
    assert frame.rows() == [(row, label[row]) for row in named]


def test_components_keep_sparse_positions_and_types() -> None:
    frame = core.components(pl.DataFrame({"position": [2**40, 7], "twin": [3, 2**40]}, schema={"position": pl.Int64, "twin": pl.Int64}))
    assert frame.rows() == [(3, 3), (7, 3), (2**40, 3)]
    assert frame.schema == {"row": pl.Int64, "root": pl.Int64}


def test_seed_changes_keys_but_not_results() -> None:
    texts = edited(9, 120)
    assert not core.band_keys(texts, seed=1).equals(core.band_keys(texts))
    assert_frame_equal(core.near_duplicates(texts, threshold=0.5, seed=1), core.near_duplicates(texts, threshold=0.5))


def test_progress_is_reported_and_can_stop_the_work() -> None:
    # However fast the machine: the last report comes when all is done.
    told: list[int] = []
    texts = [" ".join(str(i * k) for k in range(60)) for i in range(2_000)]
    core.near_duplicates(texts, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 2_000

    def stop(_done: int) -> None:
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        core.near_duplicates(texts, progress=stop)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threshold": 0}, "threshold: found 0, expected more than 0"),
        ({"threshold": 1.1}, "threshold: found 1.1"),
        ({"threshold": "high"}, "threshold: found 'high'"),
        ({"shingle": 0}, "shingle: found 0"),
        ({"unit": "line"}, 'unit: found "line", expected word, space, piece or character'),
        ({"permutations": 0}, "permutations: found 0"),
        ({"seed": -1}, "seed: found -1"),
    ],
)
def test_wrong_options_say_what_was_expected(options: dict[str, object], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        core.near_duplicates(["a"], **options)  # type: ignore[arg-type]


def test_wrong_input_says_what_was_expected() -> None:
    with pytest.raises(InputError, match="texts: expected a column of String"):
        core.near_duplicates([1, 2])
    with pytest.raises(InputError, match="equal length, found 1 and 2 rows"):
        core.verify_pairs(["a"], ["a", "b"])
    with pytest.raises(InputError, match="two columns"):
        core.components(pl.DataFrame({"a": [1]}))
    with pytest.raises(InputError, match="1 nulls"):
        core.components(pl.DataFrame({"a": [1, None], "b": [1, 2]}))
    with pytest.raises(InputError, match='column "a"'):
        core.components(pl.DataFrame({"a": [-1], "b": [2]}))
