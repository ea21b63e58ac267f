"""Intervals and tests, each with its source. Items that share a cluster are not independent, and are not counted as if.

Below `FEW` clusters intervals are percentile bootstraps and tests sign flips; above, both use the clustered standard
error and the normal distribution. Rates have Wilson's interval.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

FEW = 400
RESAMPLES = 4000
LEVEL = 0.95
_Z = NormalDist().inv_cdf(0.5 + LEVEL / 2)


class Interval(NamedTuple):
    """An estimate with its 95% interval."""

    value: float
    low: float
    high: float


class Paired(NamedTuple):
    """A mean difference with its 95% interval and the two-sided p-value of "no difference"."""

    difference: float
    low: float
    high: float
    p: float


def mean(values: ArrayLike, clusters: ArrayLike | None = None, *, seed: int = 0) -> Interval:
    """Estimate a mean over items: by bootstrap below `FEW` clusters, else by the clustered standard error.

    Args:
        values: ``float[n]``, one an item, n >= 1.
        clusters: ``[n]``, the cluster of each item; None: every item is its own.
        seed: Of the resampling.

    >>> mean([1.0, 1.0, 1.0])
    Interval(value=1.0, low=1.0, high=1.0)
    """
    sums, sizes = _by_cluster(values, clusters)
    value = float(sums.sum() / sizes.sum())
    if len(sums) < FEW:
        low, high = _bootstrap(sums, sizes, seed)
        return Interval(value, min(low, value), max(high, value))  # equal values differ in the last bit of a mean
    error = _error(sums, sizes)
    return Interval(value, value - _Z * error, value + _Z * error)


def rate(hits: ArrayLike, clusters: ArrayLike | None = None) -> Interval:
    """Estimate a rate: Wilson's interval over the effective number of items.

    Where items share clusters, n is divided by the design effect (L. Kish, "Survey Sampling", 1965): the squared
    clustered standard error over that of as many independent items, at least 1. Where all or no items are hits
    this cannot be estimated, and the clusters are counted.

    Args:
        hits: ``[n]``, 0 or 1 an item (a share, where an item has several outputs), n >= 1.
        clusters: As in `mean`.

    >>> low, high = rate([1, 0, 0, 0])[1:]
    >>> round(low, 3), round(high, 3)
    (0.046, 0.699)
    """
    sums, sizes = _by_cluster(hits, clusters)
    n, count = float(sizes.sum()), float(sums.sum())
    share = count / n
    if len(sums) == n:
        effective = n
    elif share in (0.0, 1.0):
        effective = float(len(sums))
    else:
        effective = n / max(1.0, _error(sums, sizes) ** 2 / (share * (1 - share) / (n - 1)))
    return wilson(share * effective, effective)


def wilson(hits: float, n: float) -> Interval:
    """Wilson's score interval of a rate (E. B. Wilson, JASA 22, 1927), without continuity correction.

    >>> [round(x, 4) for x in wilson(21, 252)]
    [0.0833, 0.0551, 0.124]
    """
    share, z = hits / n, _Z * _Z / n
    middle, half = share + z / 2, math.sqrt(z * (share * (1 - share) + z / 4))
    # At the ends the interval touches them exactly, which rounding would miss by a hair.
    low = 0.0 if hits == 0 else (middle - half) / (1 + z)
    high = 1.0 if hits == n else (middle + half) / (1 + z)
    return Interval(share, low, high)


def paired(differences: ArrayLike, clusters: ArrayLike | None = None, *, seed: int = 0) -> Paired:
    """Estimate a mean paired difference, and test that it is 0.

    Args:
        differences: ``float[n]``, other - base of each item, n >= 1.
        clusters: As in `mean`.
        seed: Of the resampling and the sign flips.

    >>> paired([0.0, 0.0])
    Paired(difference=0.0, low=0.0, high=0.0, p=1.0)
    """
    sums, sizes = _by_cluster(differences, clusters)
    found = mean(differences, clusters, seed=seed)
    if not sums.any():
        return Paired(*found, 1.0)
    if len(sums) < FEW:
        return Paired(*found, sign_flip(sums, seed=seed))
    error = _error(sums, sizes)
    return Paired(*found, 2 * NormalDist().cdf(-abs(found.value) / error) if error else 0.0)


def paired_runs(other: ArrayLike, base: ArrayLike, clusters: ArrayLike | None = None, *, seed: int = 0) -> Paired:
    """Estimate the mean paired difference of two models that were each trained with several seeds.

    Each item's values are averaged over the seeds. The interval is a percentile bootstrap that draws clusters of items, and the
    seeds of each side by themselves; as s seeds drawn from s vary too little, their deviations are widened by
    ``sqrt(s / (s - 1))`` (T. Hesterberg, "What teachers should know about the bootstrap", 2015). The p-value is that of
    `paired`, over items: of the seeds alone, 3 against 3 could give no p below 1/20. With one seed on each side it is `paired`.

    Args:
        other: ``float[n, s]``, one line an item, one column a seed.
        base: ``float[n, t]``.
        clusters: As in `mean`.
        seed: Of the resampling and the sign flips.

    >>> found = paired_runs([[1.0, 0.8], [0.6, 0.8]], [[0.5, 0.5], [0.5, 0.5]])
    >>> round(found.difference, 3), found.p
    (0.3, 0.5)
    """
    import numpy as np

    sides = [np.asarray(side, dtype=np.float64) for side in (other, base)]
    found = paired(sides[0].mean(axis=1) - sides[1].mean(axis=1), clusters, seed=seed)
    if all(side.shape[1] == 1 for side in sides):
        return found
    sums = [np.stack([_by_cluster(column, clusters)[0] for column in side.T], axis=1) for side in sides]
    sizes = _by_cluster(sides[0][:, 0], clusters)[1]
    rng, counts = np.random.default_rng(seed), len(sizes)
    found_by_chance = []
    for start in range(0, RESAMPLES, _AT_ONCE):
        times = rng.multinomial(counts, [1 / counts] * counts, size=min(_AT_ONCE, RESAMPLES - start))  # how often each cluster is drawn
        weight = times @ sizes
        other_mean, base_mean = (_over_runs(times @ each / weight[:, None], rng) for each in sums)
        found_by_chance.append(other_mean - base_mean)
    low, high = np.percentile(np.concatenate(found_by_chance), [50 - 50 * LEVEL, 50 + 50 * LEVEL])
    return Paired(found.difference, min(float(low), found.difference), max(float(high), found.difference), found.p)


_AT_ONCE = 500


def _over_runs(means: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Average each line over as many of its columns as there are, drawn with replacement, their deviations widened."""
    import numpy as np

    lines, runs = means.shape
    middle: NDArray[np.float64] = means.mean(axis=1)
    if runs == 1:
        return middle
    drawn = np.take_along_axis(means, rng.integers(0, runs, size=(lines, runs)), axis=1).mean(axis=1)
    widened: NDArray[np.float64] = middle + (drawn - middle) * math.sqrt(runs / (runs - 1))
    return widened


def detectable(items: float, *, broken: float = 0.02, alpha: float = 0.05, power: float = 0.8) -> float | None:
    """Give the least net share of fixed items that a paired test would find.

    Exact power of the two-sided exact McNemar test, summed over how many items change, where a share ``broken`` of the items
    gets worse by chance and ``broken`` plus the answer gets better (S. Duffy, Biometrics 40, 1984, gives the sum).

    Args:
        items: Independent items (clustered ones divided by their design effect), >= 1.
        broken: Share of the items that break whatever is done, 0 to below 0.5.
        alpha: Two-sided level of the test.
        power: Chance to find it.
    Returns:
        A share of the items; None where even the largest one would be found more rarely.

    >>> [round(100 * detectable(n), 1) for n in (100, 250, 500, 1000)]
    [11.0, 5.7, 3.6, 2.3]
    >>> detectable(5) is None
    True
    """
    low, high = 0.0, 1 - 2 * broken
    if _power(int(items), high, broken, alpha) < power:
        return None
    while high - low > 1e-4:
        middle = (low + high) / 2
        low, high = (low, middle) if _power(int(items), middle, broken, alpha) >= power else (middle, high)
    return high


def _power(n: int, net: float, broken: float, alpha: float) -> float:
    import numpy as np
    from scipy import stats

    changed = net + 2 * broken
    if n < 1 or changed <= 0:
        return 0.0
    least, most = stats.binom.ppf([1e-9, 1 - 1e-9], n, min(changed, 1.0))
    counts = np.arange(int(least), int(most) + 1)
    needed = stats.binom.isf(alpha / 2, counts, 0.5)  # more than so many must be fixed
    return float((stats.binom.pmf(counts, n, min(changed, 1.0)) * stats.binom.sf(needed, counts, (net + broken) / changed)).sum())


def items_for_margin(variance: float, margin: float, *, alpha: float = 0.05, power: float = 0.8) -> int:
    """Say how many independent items it takes to show that something is not worse by a margin.

    ``(z[1 - alpha] + z[power])^2 * variance / margin^2``, where truly nothing changes (one-sided test; W. Blackwelder,
    Controlled Clinical Trials 3, 1982). For an outcome of 0 or 1 the variance of the paired difference is the share of items
    that change.

    Args:
        variance: Of one item's paired difference.
        margin: How much worse would be bearable, > 0.
        alpha: One-sided level.
        power: Chance to show it.

    >>> items_for_margin(0.10, 0.05), items_for_margin(0.10, 0.02)
    (248, 1546)
    """
    normal = NormalDist()
    return math.ceil((normal.inv_cdf(1 - alpha) + normal.inv_cdf(power)) ** 2 * variance / margin**2)


def effective_items(differences: ArrayLike, clusters: ArrayLike | None = None) -> float:
    """Say how many independent items tell as much: n by the design effect of the differences (Kish 1965), at least 1.

    Where all differences are equal the design effect cannot be estimated, and the clusters are counted.

    >>> effective_items([1, 0, 1, 0]), round(effective_items([1, 1, 0, 0], [0, 0, 1, 1]), 2)
    (4.0, 1.33)
    """
    sums, sizes = _by_cluster(differences, clusters)
    import numpy as np

    given = np.asarray(differences, dtype=np.float64)
    alone = _error(given, np.ones(len(given)))
    if len(sums) == len(given) or not alone:
        return float(len(sums))
    return float(len(given) / max(1.0, (_error(sums, sizes) / alone) ** 2))


def clustered_error(values: ArrayLike, clusters: ArrayLike | None = None) -> float:
    """Standard error of a mean whose items share clusters.

    ``sqrt(G / (G - 1) * sum over clusters of (sum of x - mean)^2) / n`` with G clusters, which is the usual standard
    error where every item is its own. E. Miller, "Adding error bars to evals" (2024, arXiv 2411.00640), with the
    small-sample factor of Liang and Zeger's estimator. 0 for a single cluster, of which nothing can be said.

    >>> round(clustered_error([1, 2, 3, 4]), 4), round(clustered_error([1, 1, 3, 3], [0, 0, 1, 1]), 4)
    (0.6455, 1.0)
    """
    return _error(*_by_cluster(values, clusters))


def sign_flip(sums: ArrayLike, *, seed: int = 0) -> float:
    """Two-sided p-value of "differences are symmetric about 0": the sign of each cluster's sum is flipped at random.

    Up to 12 clusters all flips are tried; beyond, `RESAMPLES` random ones, counted with the observed one
    (B. Phipson and G. Smyth, "Permutation p-values should never be zero", 2010). R. A. Fisher, "The Design of
    Experiments" (1935), section 21.

    >>> sign_flip([1.0, 1.0, 1.0])
    0.25
    """
    import numpy as np

    given = np.asarray(sums, dtype=np.float64)
    observed = abs(given.sum()) * (1 - 1e-12)  # sums of the same numbers in another order differ in the last bit
    if len(given) <= 12:
        signs = 1 - 2 * ((np.arange(1 << len(given))[:, None] >> np.arange(len(given))) & 1)
        return float(np.mean(np.abs(signs @ given) >= observed))
    signs = np.random.default_rng(seed).integers(0, 2, size=(RESAMPLES, len(given)), dtype=np.int8) * 2 - 1
    return float((1 + np.sum(np.abs(signs @ given) >= observed)) / (1 + RESAMPLES))


def mcnemar(fixed: int, broken: int) -> float:
    """Exact McNemar test: of the items that changed, is one direction more frequent than chance?

    Two-sided binomial test with one half (Q. McNemar, Psychometrika 12, 1947; the exact form, A. Edwards 1948).

    >>> mcnemar(0, 0), mcnemar(5, 0), round(mcnemar(10, 3), 4)
    (1.0, 0.0625, 0.0923)
    """
    n, least = fixed + broken, min(fixed, broken)
    # Exact whole numbers: the tails of thousands of changes are beyond floating point.
    tail, term = 0, 1
    for k in range(least + 1):
        tail += term
        term = term * (n - k) // (k + 1)
    return min(1.0, 2 * tail / (1 << n))


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Adjust p-values of a family so that one false alarm among all is as rare as each said.

    S. Holm, "A simple sequentially rejective multiple test procedure" (1979).

    >>> holm({"a": 0.01, "b": 0.04, "c": 0.03})
    {'a': 0.03, 'b': 0.06, 'c': 0.06}
    """
    adjusted, highest = dict(p_values), 0.0
    for rank, name in enumerate(sorted(p_values, key=lambda name: p_values[name])):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[name]))
        adjusted[name] = highest
    return adjusted


def method(clusters: int) -> str:
    """Name how intervals are made of so many clusters.

    >>> method(20)
    'percentile bootstrap over clusters'
    """
    return "percentile bootstrap over clusters" if clusters < FEW else "clustered standard error, normal"


def _by_cluster(values: ArrayLike, clusters: ArrayLike | Sequence[object] | None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sum and size of each cluster."""
    import numpy as np

    given = np.asarray(values, dtype=np.float64)
    if clusters is None:
        return given, np.ones(len(given))
    _, which, sizes = np.unique(np.asarray(clusters), return_inverse=True, return_counts=True)
    sums: NDArray[np.float64] = np.bincount(which, weights=given).astype(np.float64)
    return sums, sizes.astype(np.float64)


def _error(sums: NDArray[np.float64], sizes: NDArray[np.float64]) -> float:
    if len(sums) < 2:
        return 0.0
    residuals = sums - sizes * (sums.sum() / sizes.sum())
    return float(math.sqrt(len(sums) / (len(sums) - 1) * (residuals**2).sum()) / sizes.sum())


def _bootstrap(sums: NDArray[np.float64], sizes: NDArray[np.float64], seed: int) -> tuple[float, float]:
    """Percentiles of the means of resampled clusters (B. Efron and R. Tibshirani, "An Introduction to the Bootstrap", 1993)."""
    import numpy as np

    drawn = np.random.default_rng(seed).integers(0, len(sums), size=(RESAMPLES, len(sums)))
    low, high = np.percentile(sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1), [50 - 50 * LEVEL, 50 + 50 * LEVEL])
    return float(low), float(high)
