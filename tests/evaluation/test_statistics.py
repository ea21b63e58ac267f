"""Intervals and tests against scipy and against plain twins."""

import math
import random
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tunesmith.evaluation import statistics


@given(n=st.integers(1, 2000), share=st.floats(0, 1))
def test_wilson_is_scipy_s(n: int, share: float) -> None:
    hits = round(share * n)
    ci = stats.binomtest(hits, n).proportion_ci(0.95, method="wilson")
    assert statistics.wilson(hits, n) == pytest.approx((hits / n, ci.low, ci.high), abs=1e-9)


@given(fixed=st.integers(0, 300), broken=st.integers(0, 300))
def test_mcnemar_is_the_binomial_test(fixed: int, broken: int) -> None:
    expected = stats.binomtest(fixed, fixed + broken, 0.5).pvalue if fixed + broken else 1.0
    assert statistics.mcnemar(fixed, broken) == pytest.approx(expected, rel=1e-9, abs=1e-300)


def test_mcnemar_of_thousands() -> None:
    assert 0 < statistics.mcnemar(3000, 1000) < 1e-200
    assert statistics.mcnemar(2000, 2000) == 1.0


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_is_its_definition(values: list[float]) -> None:
    given_p = {str(k): p for k, p in enumerate(values)}
    order = sorted(given_p, key=lambda name: given_p[name])
    expected = {name: max(min(1.0, (len(values) - j) * given_p[order[j]]) for j in range(rank + 1)) for rank, name in enumerate(order)}
    assert statistics.holm(given_p) == pytest.approx(expected)


@given(st.lists(st.integers(-3, 3).map(float), min_size=2, max_size=8))
def test_sign_flips_are_all_tried_where_they_are_few(sums: list[float]) -> None:
    flipped = [abs(sum(s * x for s, x in zip(signs, sums, strict=True))) for signs in product((1, -1), repeat=len(sums))]
    assert statistics.sign_flip(sums) == pytest.approx(np.mean([total >= abs(sum(sums)) - 1e-9 for total in flipped]))


def test_random_sign_flips_are_near_the_exact_ones() -> None:
    rng = random.Random(0)
    sums = [rng.gauss(0.4, 1) for _ in range(15)]
    exact = stats.permutation_test((np.array(sums),), np.sum, permutation_type="samples", n_resamples=1 << 15).pvalue
    assert statistics.sign_flip(sums) == pytest.approx(exact, abs=0.02)


def test_the_clustered_error_without_clusters_is_the_usual_one() -> None:
    values = np.random.default_rng(0).normal(size=50)
    usual = values.std(ddof=1) / math.sqrt(50)
    assert statistics.clustered_error(values) == pytest.approx(usual)
    assert statistics.clustered_error(values, np.arange(50)) == pytest.approx(usual)


def test_copies_are_no_evidence() -> None:
    """Ten copies of every item, in clusters, say what the items said."""
    values = np.random.default_rng(1).normal(size=40)
    copied, clusters = np.repeat(values, 10), np.repeat(np.arange(40), 10)
    assert statistics.clustered_error(copied, clusters) == pytest.approx(statistics.clustered_error(values))
    assert statistics.mean(copied, clusters) == pytest.approx(statistics.mean(values))
    assert statistics.paired(copied, clusters) == pytest.approx(statistics.paired(values), abs=1e-9)
    hits = (values > 0.5).astype(float)
    alone, together = statistics.rate(hits), statistics.rate(np.repeat(hits, 10), clusters)
    assert together == pytest.approx(alone, abs=0.01)
    assert statistics.rate(np.repeat(hits, 10)).high < alone.high
    assert statistics.rate(np.zeros(400), clusters).high == pytest.approx(statistics.wilson(0, 40).high)


@pytest.mark.parametrize("n", [statistics.FEW - 1, statistics.FEW])
def test_both_methods_agree_where_they_meet(n: int) -> None:
    values = np.random.default_rng(2).normal(0.1, 1, size=n)
    t = stats.ttest_1samp(values, 0)
    low, high = t.confidence_interval()
    found = statistics.paired(values)
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.01)
    assert found.p == pytest.approx(t.pvalue, abs=0.01)
    assert statistics.mean(values).value == pytest.approx(values.mean())


def test_intervals_cover() -> None:
    """Of 200 samples of 40 clustered items, about 95% of the intervals hold the true mean."""
    rng = np.random.default_rng(3)
    held = 0
    for k in range(200):
        clusters = np.repeat(np.arange(20), 2)
        values = np.repeat(rng.normal(0.3, 1, size=20), 2) + rng.normal(0, 0.3, size=40)
        _, low, high = statistics.mean(values, clusters, seed=k)
        held += low <= 0.3 <= high
    assert 0.88 <= held / 200 <= 0.98


def test_nothing_changed_and_one_item() -> None:
    assert statistics.paired([0.0] * 500) == (0.0, 0.0, 0.0, 1.0)
    assert statistics.paired([0.5]) == (0.5, 0.5, 0.5, 1.0)
    assert statistics.paired([0.25] * 500).p == 0.0
    assert statistics.clustered_error([1.0]) == 0.0


def test_the_seed_decides() -> None:
    values = np.random.default_rng(4).normal(size=30)
    assert statistics.mean(values, seed=1) == statistics.mean(values, seed=1) != statistics.mean(values, seed=2)
