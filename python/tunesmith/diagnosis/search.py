"""The search for slices in which outputs fail: first where the training targets are bad, then wherever outputs are.

From the data: of each category, the slices in which more targets have it than elsewhere and than among references, the clearest
first, each leaving the search for the next. There are thousands of rows, so these are few and sure; whether outputs fail in them,
too, is then a handful of tests. From the outputs: the slices in which more outputs have it than elsewhere and than among references,
again one after the other, so that a slice is never shown for what a larger or clearer one says already (SliceLine, Sagadeeva and
Boehm, SIGMOD 2021, weighs a slice by how much and how many it holds; here the likelihood ratio of two rates against one does).

Tests are Fisher's, one-sided. Half of the error of .05 is spent on the slices that the data name, and multiplied by their number;
the other half on all pairs of category and slice that could reach significance at all, given how many items fail (R. Tarone,
Biometrics 46, 1990). That is Bonferroni's bound, the first step of Holm's procedure. What passes it is then tested against the
references of the slice, adjusted by how many slices of the category passed: a slice whose references are no better is no finding.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tunesmith.diagnosis.candidates import SUPPORT, Candidates
from tunesmith.diagnosis.ratios import gain, higher
from tunesmith.diagnosis.sides import OFF_REFERENCE, Sides

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIGNIFICANT = 0.05
MATERIAL = 0.1
"""Where a defect lies in no slice, there is nothing to set it against but the references: then at least this share of the targets
must have it before rows are blamed."""
_MOST = 8
"""Slices of a category that are shown at most."""


class Failing(NamedTuple):
    """A slice in which outputs fail.

    Attributes:
        number: The slice; None: all items that no slice before it holds.
        p: Adjusted p-value: outputs fail no more often than the other items', or than references.
        p_targets: The same of the training targets.
        items: ``bool[items]``: those that were looked at, which earlier slices and categories left.
        rows: ``bool[rows]``: likewise.
    """

    number: int | None
    p: float
    p_targets: float
    items: NDArray[np.bool_]
    rows: NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What is searched.

    Attributes:
        sides: Who fails.
        candidates: Where.
    """

    sides: Sides
    candidates: Candidates

    @cached_property
    def weights(self) -> NDArray[np.float64]:
        """Give each chosen item its weight: clusters count as one."""
        return self.sides.weights

    @cached_property
    def referred(self) -> NDArray[np.float64]:
        """Give ``float64[items]``: the weight of each reference, of every part, clusters counting as one."""
        _, which = np.unique(self.sides.items["cluster"].to_numpy(), return_inverse=True)
        sizes = np.bincount(which, weights=self.sides.referred)
        return np.where(self.sides.referred, 1 / np.maximum(sizes[which], 1.0), 0.0)

    def mass(self, category: str) -> NDArray[np.float64]:
        """Give the items' weights for a category; what has no reference cannot be off it."""
        return self.weights * self.sides.referred if category == OFF_REFERENCE else self.weights

    @cached_property
    def tests(self) -> int:
        """Count the pairs that could reach significance: the smallest k with at most k pairs whose least p is within .05 / k."""
        least = [1.0]
        for column, category in enumerate(self.sides.categories):
            weights = self.mass(category)
            n = self.candidates.items @ weights
            hits, total = float(weights @ self.sides.outputs[:, column]), float(weights.sum())
            best = np.minimum(n, hits)
            least += higher(best, n, hits - best, total - n).tolist()
            least.append(0.0 if hits else 1.0)  # and all items as a whole
        attainable = np.sort(least)
        return next(k for k in range(1, len(attainable) + 2) if np.searchsorted(attainable, SIGNIFICANT / k, side="right") <= k)

    @cached_property
    def named(self) -> int:
        """Count the pairs of category and slice that the data name, before any category explains another's rows."""
        everything = np.ones(self.sides.rows.height, dtype=bool)
        return max(1, sum(len(bad_slices(self, category, everything)) for category in self.sides.categories))

    def known(self, category: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Give the references with the finding, and all references, of each slice."""
        items, column = self.candidates.items, self.sides.column(category)
        return items @ (self.referred * self.sides.references[:, column]), items @ self.referred


def bad_slices(ground: Ground, category: str, rows: NDArray[np.bool_]) -> list[tuple[int, float]]:
    """Name the slices whose targets have a category more often than other targets and than references: (number, adjusted p).

    Args:
        ground: What is searched.
        category: Whose findings.
        rows: ``bool[rows]``: those that no earlier category explains.
    """
    slices, found = ground.candidates, list[tuple[int, float]]()
    targets = ground.sides.targets[:, ground.sides.column(category)].astype(np.float64)
    if category == OFF_REFERENCE or not len(slices) or not targets[rows].any():
        return found
    tests, known, rows = len(slices) * len(ground.sides.categories), ground.known(category), rows.copy()
    while len(found) < _MOST:
        alive = rows.astype(np.float64)
        y, k = slices.rows @ (alive * targets), slices.rows @ alive
        bad, every = float(alive @ targets), float(alive.sum())
        first = higher(y, k, bad - y, every - k) * tests
        p = np.maximum(first, higher(y, k, *known) * max(1, int((first < SIGNIFICANT).sum())))
        worth = np.where(p < SIGNIFICANT, gain(y, k, bad - y, every - k) - _chance(ground), -np.inf)
        best = int(np.argmax(worth))
        if not np.isfinite(worth[best]):
            break
        found.append((best, float(p[best])))
        rows &= ~slices.of_rows(best)
    return found


def failing(ground: Ground, category: str, items: NDArray[np.bool_], rows: NDArray[np.bool_]) -> Iterator[Failing]:
    """Find the slices in which a category's outputs fail: those that the data name, then others, and at last the rest.

    Args:
        ground: What is searched.
        category: Whose findings.
        items: ``bool[items]``: those that no earlier category explains.
        rows: ``bool[rows]``: likewise.
    """
    items, rows = items & (ground.mass(category) > 0), rows.copy()
    yield from _from_data(ground, category, items, rows)
    yield from _from_outputs(ground, category, items, rows)
    for number, _ in bad_slices(ground, category, rows):  # what lies in a slice in which outputs do not fail explains no other failure
        rows &= ~ground.candidates.of_rows(number)
    yield _rest(ground, category, items, rows)


def _from_data(ground: Ground, category: str, items: NDArray[np.bool_], rows: NDArray[np.bool_]) -> Iterator[Failing]:
    """Test the outputs of the slices that the data name; what fails leaves `items` and `rows`."""
    sides, slices = ground.sides, ground.candidates
    named = bad_slices(ground, category, rows)
    outputs, mass = sides.outputs[:, sides.column(category)], ground.mass(category)
    elsewhere = items.copy()
    for number, _ in named:
        elsewhere &= ~slices.of_items(number)
    rest = mass * elsewhere

    def first(number: int) -> float:
        here = mass * (items & slices.of_items(number))
        p = higher(float(here @ outputs), float(here.sum()), float(rest @ outputs), float(rest.sum()))[0]
        return float(min(1.0, 2 * ground.named * p))

    passed = sum(first(number) < SIGNIFICANT for number, _ in named)
    for number, p_targets in named:
        inside, inside_rows = slices.of_items(number), slices.of_rows(number)
        here = mass * (items & inside)
        against = higher(float(here @ outputs), float(here.sum()), *(each[number] for each in ground.known(category)))[0]
        p = max(first(number), float(min(1.0, passed * against)))
        if p < SIGNIFICANT:
            yield Failing(number, p, min(1.0, p_targets), items & inside, rows & inside_rows)
            items &= ~inside
            rows &= ~inside_rows


def _from_outputs(ground: Ground, category: str, items: NDArray[np.bool_], rows: NDArray[np.bool_]) -> Iterator[Failing]:
    """Search all slices for outputs that fail; what does leaves `items` and `rows`."""
    sides, slices, column = ground.sides, ground.candidates, ground.sides.column(category)
    outputs, targets = sides.outputs[:, column], sides.targets[:, column].astype(np.float64)
    weights, known = ground.mass(category), ground.known(category)
    for _ in range(_MOST if len(slices) else 0):
        mass, alive = weights * items, rows.astype(np.float64)
        x, n = slices.items @ (mass * outputs), slices.items @ mass
        y, k = slices.rows @ (alive * targets), slices.rows @ alive
        out, other = float(mass @ outputs), float(mass.sum())
        bad, every = float(alive @ targets), float(alive.sum())
        first = higher(x, n, out - x, other - n) * 2 * ground.tests
        passed = (first < SIGNIFICANT) & (slices.items @ (items * 1.0) >= SUPPORT)
        p = np.maximum(first, higher(x, n, *known) * max(1, int(passed.sum())))
        worth = np.where(passed & (p < SIGNIFICANT), gain(x, n, out - x, other - n) - _chance(ground), -np.inf)
        best = int(np.argmax(worth))
        if not np.isfinite(worth[best]):
            break
        others = higher(y[best], k[best], bad - y[best], every - k[best])[0]
        p_targets = max(_adjusted(others, ground), float(higher(y[best], k[best], *(each[best] for each in known))[0]))
        inside, inside_rows = slices.of_items(best), slices.of_rows(best)
        yield Failing(best, float(p[best]), p_targets, items & inside, rows & inside_rows)
        items &= ~inside
        rows &= ~inside_rows


def _chance(ground: Ground) -> NDArray[np.float64]:
    """What the best of so many slices of two conditions gains by chance: such a slice must say more than its conditions do."""
    pair = np.array([bool(each) for each in ground.candidates.parents], dtype=bool)
    return np.where(pair, 2 * np.log(max(2, len(ground.candidates))), 0.0)


def _rest(ground: Ground, category: str, items: NDArray[np.bool_], rows: NDArray[np.bool_]) -> Failing:
    """Judge what no slice holds against the references alone."""
    sides, column = ground.sides, ground.sides.column(category)
    mass = ground.mass(category) * items
    known = float(ground.referred @ sides.references[:, column]), float(ground.referred.sum())
    p = higher(float(mass @ sides.outputs[:, column]), float(mass.sum()), *known)[0]
    targets = sides.targets[rows, column]
    p_targets = higher(float(targets.sum()), float(len(targets)), *known)[0] if len(targets) and targets.mean() >= MATERIAL else 1.0
    return Failing(None, _adjusted(p, ground), _adjusted(p_targets, ground), items, rows)


def _adjusted(p: float, ground: Ground) -> float:
    return float(min(1.0, p * 2 * ground.tests))
