"""Two rates set against each other: the ratio with its score interval, and the one-sided exact test."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tunesmith.evaluation.statistics import LEVEL

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_CRITICAL = NormalDist().inv_cdf(0.5 + LEVEL / 2) ** 2
_STEPS = 200


class Ratio(NamedTuple):
    """A ratio of two rates with its 95% interval; None where it is not finite."""

    value: float | None
    low: float
    high: float | None


def ratio(hits: float, n: float, other_hits: float, other_n: float) -> Ratio:
    """Estimate ``(hits / n) / (other_hits / other_n)`` of two independent groups, with the score interval.

    The interval holds the ratios that a score test does not reject (O. Miettinen and M. Nurminen, "Comparative analysis of two
    rates", Statistics in Medicine 4, 1985; P. Koopman, Biometrics 40, 1984, without the factor N / (N - 1)). It is that of
    statsmodels' ``confint_proportions_2indep(compare="ratio", method="score")``.

    Args:
        hits: In the first group; may be a fraction (effective numbers).
        n: Size of the first group, > 0.
        other_hits: In the second group.
        other_n: Its size, > 0.

    >>> [round(x, 3) for x in ratio(20, 25, 150, 250)]
    [1.333, 1.0, 1.593]
    >>> ratio(5, 10, 0, 10).high is None
    True
    """
    if hits == 0 and other_hits == 0:
        return Ratio(None, 0.0, None)
    value = (hits / n) / (other_hits / other_n) if other_hits else None

    def rejected(r: float) -> bool:
        return score(hits, n, other_hits, other_n, r) > _CRITICAL

    low = 0.0 if hits == 0 else _edge(rejected, value, down=True)
    high = None if other_hits == 0 else _edge(rejected, value, down=False)
    return Ratio(value, low, high)


def score(hits: float, n: float, other_hits: float, other_n: float, r: float) -> float:
    """Give Miettinen and Nurminen's chi-square statistic of "the ratio of rates is `r`".

    >>> score(5, 10, 5, 10, 1.0)
    0.0
    """
    total = n + other_n
    # The rates that are most likely where their ratio is r: the lower root of a quadratic.
    a, b, c = total * r, -(n * r + hits + other_n + other_hits * r), hits + other_hits
    other = (-b - math.sqrt(max(0.0, b * b - 4 * a * c))) / (2 * a)
    rate = min(1.0, other * r)
    variance = (rate * (1 - rate) / n + r * r * other * (1 - other) / other_n) * total / (total - 1)
    difference = hits / n - r * other_hits / other_n
    if variance <= 0:
        return 0.0 if abs(difference) < 1e-12 else math.inf
    return difference * difference / variance


def _edge(rejected: object, value: float | None, *, down: bool) -> float:
    """Find where ratios begin to be rejected, by bisection of their logarithm."""
    assert callable(rejected)
    inside = math.log(value) if value else 0.0
    if not value:  # one rate is 0: look for any ratio that is not rejected
        step = 1.0 if down else -1.0
        while rejected(math.exp(inside)):
            inside += step
    outside, stride = inside, 1.0
    while not rejected(math.exp(outside)):
        outside, stride = outside - stride if down else outside + stride, stride * 2
        if abs(outside) > 600:
            return 0.0 if down else math.inf
    for _ in range(_STEPS):
        middle = (inside + outside) / 2
        if middle in (inside, outside):
            break
        if rejected(math.exp(middle)):
            outside = middle
        else:
            inside = middle
    return math.exp(inside)


def higher(hits: ArrayLike, n: ArrayLike, other_hits: ArrayLike, other_n: ArrayLike) -> NDArray[np.float64]:
    """Test that the first group's rate is higher than the second's: Fisher's exact test, one-sided, element by element.

    Fractions of hits are rounded against the claim (those of the first group down, those of the second up), sizes to the
    nearest whole number. 1 where a group is empty (R. A. Fisher, "Statistical Methods for Research Workers", 1934).

    Args:
        hits: ``[k]`` or a number.
        n: Sizes of the first groups.
        other_hits: Of the second groups.
        other_n: Their sizes.
    Returns:
        ``float64[k]``, p-values.

    >>> higher([5, 0], 5, 0, 20).round(6).tolist()
    [1.9e-05, 1.0]
    """
    from scipy.stats import hypergeom

    sizes, other_sizes = (np.rint(np.asarray(each, dtype=np.float64)).astype(np.int64) for each in (n, other_n))
    first = np.minimum(np.floor(np.asarray(hits, dtype=np.float64) + 1e-9).astype(np.int64), sizes)
    second = np.minimum(np.ceil(np.asarray(other_hits, dtype=np.float64) - 1e-9).astype(np.int64), other_sizes)
    first, sizes, second, other_sizes = np.broadcast_arrays(np.atleast_1d(first), sizes, second, other_sizes)
    p = hypergeom.sf(first - 1, sizes + other_sizes, first + second, sizes)
    found: NDArray[np.float64] = np.where((sizes > 0) & (other_sizes > 0), np.clip(p, 0.0, 1.0), 1.0)
    return found


def gain(hits: ArrayLike, n: ArrayLike, other_hits: ArrayLike, other_n: ArrayLike) -> NDArray[np.float64]:
    """Measure how much better two rates describe two groups than one: the likelihood ratio statistic G, 0 where not higher.

    S. S. Wilks, "The large-sample distribution of the likelihood ratio" (1938).

    >>> gain([5, 0], 5, 0, 20).round(2).tolist()
    [25.02, 0.0]
    """
    x, m, y, k = np.broadcast_arrays(*(np.asarray(each, dtype=np.float64) for each in (hits, n, other_hits, other_n)))
    x, m, y, k = (np.atleast_1d(each) for each in (x, m, y, k))
    apart = _log_likelihood(x, m) + _log_likelihood(y, k)
    found: NDArray[np.float64] = np.maximum(0.0, 2 * (apart - _log_likelihood(x + y, m + k)))
    with np.errstate(invalid="ignore", divide="ignore"):
        above = (m > 0) & (k > 0) & (x / m > y / k)
    return np.where(above, found, 0.0)


def _log_likelihood(hits: NDArray[np.float64], n: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = [np.where(each > 0, each * np.log(np.where(n > 0, each / n, 1.0)), 0.0) for each in (hits, n - hits)]
    return parts[0] + parts[1]
