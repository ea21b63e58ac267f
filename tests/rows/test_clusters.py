"""Groups of prompts and the thirds of a test set, against plain twins."""

import re

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.rows import clusters, read


def shingles(text):
    words = re.findall(r"[a-z0-9]+", text.lower())
    return {tuple(words[k : k + 5]) for k in range(len(words) - 4)} or {tuple(words)}


def plain_clusters(texts):
    """Compare every pair, join what is similar, name groups by their first member."""
    roots = list(range(len(texts)))
    for a in range(len(texts)):
        for b in range(a):
            x, y = shingles(texts[a]), shingles(texts[b])
            if len(x & y) / len(x | y) >= 0.7:
                low, high = sorted((roots[a], roots[b]))
                roots = [low if root == high else root for root in roots]
    return roots


WORDS = st.lists(st.sampled_from(["red", "green", "blue", "one", "two", "three"]), min_size=1, max_size=12).map(" ".join)


@given(st.lists(WORDS, min_size=1, max_size=12), st.integers(0, 100))
def test_clusters_equal_a_comparison_of_all_pairs(texts, start):
    frame = read([{"instruction": text, "output": "x"} for text in texts]).frame.with_columns(pl.col("position") + start)
    assert clusters.prompt_clusters(frame).to_list() == [start + root for root in plain_clusters(texts)]


def test_system_prompts_and_answers_do_not_join_rows():
    frame = read([{"instruction": f"{word} " * 6, "output": "the same answer for all of them", "system": "You are a helpful assistant " * 5}
                  for word in ("red", "green", "blue")]).frame  # fmt: skip
    assert clusters.prompt_clusters(frame).to_list() == [0, 1, 2]


@given(st.lists(st.integers(0, 400), min_size=1, max_size=600), st.integers(0, 3))
def test_parts_keep_clusters_whole_and_are_thirds_or_all_dev(values, seed):
    group = pl.Series("cluster", values, dtype=pl.UInt64)
    part = clusters.parts(group, seed)
    table = pl.DataFrame({"cluster": group, "part": part})
    assert table.group_by("cluster").agg(pl.col("part").n_unique())["part"].max() == 1
    counts = dict(part.value_counts().iter_rows())
    assert set(counts) == {"dev"} or (set(counts) == {"dev", "gate", "confirm"} and min(counts.values()) >= 30)
    largest = table["cluster"].value_counts()["count"].max()
    if set(counts) != {"dev"}:
        assert all(abs(count - len(values) / 3) <= largest for count in counts.values())


def test_parts_do_not_depend_on_order():
    group = pl.Series("cluster", range(300), dtype=pl.UInt64)
    turned = group.reverse()
    assert clusters.parts(turned).reverse().to_list() == clusters.parts(group).to_list()
    assert clusters.parts(group, 1).to_list() != clusters.parts(group).to_list()
