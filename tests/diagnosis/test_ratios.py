"""Ratios and tests against statsmodels, scipy and plain twins."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import fisher_exact
from statsmodels.stats.proportion import confint_proportions_2indep
from statsmodels.stats.proportion import test_proportions_2indep as score_test

from tunesmith.diagnosis.ratios import gain, higher, ratio, score

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning:statsmodels")


@st.composite
def tables(draw: st.DrawFn) -> tuple[int, int, int, int]:
    n, m = draw(st.integers(2, 60)), draw(st.integers(2, 400))
    return draw(st.integers(0, n)), n, draw(st.integers(0, m)), m


@given(tables())
def test_the_ends_of_the_interval_are_where_the_score_test_rejects(table: tuple[int, int, int, int]) -> None:
    found = ratio(*table)
    for end in (found.low, found.high):
        if end is None or end == 0 or not math.isfinite(end):
            continue
        oracle = score_test(*table, value=end, compare="ratio", method="score")
        assert oracle.pvalue == pytest.approx(0.05, abs=1e-6)
    if found.value is not None and found.high is not None:
        assert found.low <= found.value * (1 + 1e-9)
        assert found.value <= found.high * (1 + 1e-9)


@pytest.mark.parametrize("table", [(20, 25, 150, 250), (1, 30, 9, 300), (8, 21, 81, 282), (3, 40, 2, 900)])
def test_the_interval_is_that_of_statsmodels(table: tuple[int, int, int, int]) -> None:
    assert ratio(*table)[1:] == pytest.approx(confint_proportions_2indep(*table, compare="ratio", method="score"), rel=1e-6)


def test_what_is_not_finite_is_none() -> None:
    assert ratio(0, 10, 0, 10) == (None, 0.0, None)
    assert ratio(5, 10, 0, 10).value is None
    assert ratio(5, 10, 0, 10).low > 1
    assert ratio(0, 10, 5, 10)[:2] == (0.0, 0.0)


@given(tables(), st.floats(0.1, 10))
def test_the_score_is_that_of_statsmodels(table: tuple[int, int, int, int], r: float) -> None:
    oracle = score_test(*table, value=r, compare="ratio", method="score").statistic ** 2
    if math.isfinite(oracle):
        assert score(*table, r) == pytest.approx(oracle, rel=1e-6, abs=1e-9)


@given(tables())
def test_higher_is_fishers_exact_test(table: tuple[int, int, int, int]) -> None:
    x, n, y, m = table
    assert higher(*table)[0] == pytest.approx(fisher_exact([[x, n - x], [y, m - y]], alternative="greater").pvalue, rel=1e-9)


def test_fractions_are_rounded_against_the_claim() -> None:
    assert higher(4.9, 10, 0.1, 10)[0] == higher(4, 10, 1, 10)[0]
    assert higher(5, 0, 1, 10)[0] == 1.0


@given(tables())
def test_gain_is_twice_the_log_likelihood_ratio_and_only_upwards(table: tuple[int, int, int, int]) -> None:
    x, n, y, m = table

    def likelihood(hits: int, of: int, p: float) -> float:
        return (hits * math.log(p) if hits else 0.0) + ((of - hits) * math.log(1 - p) if of > hits else 0.0)

    expected = 0.0
    if x / n > y / m:
        together = (x + y) / (n + m)
        expected = 2 * (likelihood(x, n, x / n) + likelihood(y, m, y / m) - likelihood(x + y, n + m, together))
    assert gain(*table)[0] == pytest.approx(expected, abs=1e-8)


def test_many_at_once_are_as_one_by_one() -> None:
    x, n = np.array([0, 3, 9]), np.array([4, 9, 9])
    assert higher(x, n, 2, 50).tolist() == [higher(a, b, 2, 50)[0] for a, b in zip(x, n, strict=True)]
