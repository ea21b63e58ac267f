"""What a slice shows: rates with intervals on every side, their ratio, and the change against the base."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from tunesmith.diagnosis.ratios import higher, ratio
from tunesmith.diagnosis.search import SIGNIFICANT
from tunesmith.diagnosis.sides import OFF_REFERENCE
from tunesmith.evaluation import statistics

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tunesmith.diagnosis.sides import Sides

Status = Literal["introduced", "fixed", "persistent", "inherited"]


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A category in a slice.

    Attributes:
        n: Items looked at, of the part.
        rate: Share of them with the finding (of an item with several outputs, the share of these), with its Wilson
            interval ``low`` to ``high`` over the effective number of items (`statistics.rate`).
        base_rate: That of the base on the same items; None without a base.
        reference_rate: That of their references, of all parts.
        target_rate: That of the training rows of the slice; None where there is none, or where targets cannot be judged.
        target_n: Training rows of the slice.
        ratio: ``rate / target_rate`` with its score interval ``ratio_low`` to ``ratio_high`` (`ratios.ratio`, clusters
            counting as one); None where it is not finite or not measured.
        p_fixed_broken: Exact McNemar test of base against outputs, by cluster; None without a base.
        above: Whether the rate is higher than the references' (one-sided Fisher test, p < .05, unadjusted); likewise
            ``base_above`` for the base and ``targets_above`` for the training rows.
    """

    n: int
    rate: float
    low: float
    high: float
    base_rate: float | None
    reference_rate: float
    target_rate: float | None
    target_n: int
    ratio: float | None
    ratio_low: float | None
    ratio_high: float | None
    p_fixed_broken: float | None
    above: bool
    base_above: bool
    targets_above: bool


def measure(sides: Sides, category: str, inside: NDArray[np.bool_], rows: NDArray[np.bool_]) -> Measure | None:
    """Measure a category in a slice.

    Args:
        sides: All sides.
        category: Whose findings.
        inside: ``bool[items]``, the slice.
        rows: ``bool[rows]``, the slice.
    Returns:
        None where the slice has no item to look at.
    """
    column = sides.column(category)
    seen = inside & sides.chosen & (sides.referred if category == OFF_REFERENCE else True)
    if not seen.any():
        return None
    clusters = sides.items["cluster"].to_numpy()
    outputs, shown = sides.outputs[seen, column], clusters[seen]
    share, low, high = statistics.rate(outputs, shown)
    units = float(len(np.unique(shown)))
    referred = inside & sides.referred
    references = sides.references[referred, column]
    known = _clustered(references.astype(np.float64), clusters[referred])
    judged = category != OFF_REFERENCE and bool(rows.any())
    targets = sides.targets[rows, column]
    bad = float(targets.sum())
    found = ratio(share * units, units, bad, float(len(targets))) if judged else None
    base = None if sides.base is None else sides.base[seen, column]
    return Measure(
        n=int(seen.sum()),
        rate=share,
        low=low,
        high=high,
        base_rate=None if base is None else statistics.rate(base, shown).value,
        reference_rate=float(references.mean()) if len(references) else 0.0,
        target_rate=float(targets.mean()) if judged else None,
        target_n=len(targets),
        ratio=found.value if found else None,
        ratio_low=found.low if found else None,
        ratio_high=found.high if found else None,
        p_fixed_broken=None if base is None else _changed(base, outputs, shown),
        above=_above(_clustered(outputs, shown), known),
        base_above=base is not None and _above(_clustered(base, shown), known),
        targets_above=judged and _above((bad, float(len(targets))), known),
    )


def status(found: Measure) -> Status | None:
    """Say what became of a category in a slice, base against finetuned, item by item.

    - ``introduced``: more items have it than with the base (exact McNemar test by cluster, p < .05).
    - ``fixed``: fewer have it (same test), and no more than among the references (Fisher, p >= .05).
    - ``inherited``: it is above the references with the base and now, the change is not significant, and the training
      targets are not above the references: the model had it before, and the data did not teach it.
    - ``persistent``: it is above the references with the base and now, otherwise: it fell and not far enough, or the data
      keep it up.
    - None: there is no base, or neither side shows it clearly.

    Args:
        found: What was measured.

    Each test is for itself: a status is read beside the rates, and no edit rests on it.
    """
    if found.p_fixed_broken is None or found.base_rate is None:
        return None
    changed = found.p_fixed_broken < SIGNIFICANT
    if changed and found.rate > found.base_rate:
        return "introduced"
    if changed and not found.above:
        return "fixed"
    if found.above and found.base_above:
        return "persistent" if changed or found.targets_above else "inherited"
    return None


def _clustered(values: NDArray[np.float64], clusters: NDArray[np.uint64]) -> tuple[float, float]:
    """Give hits and units, a cluster being one unit."""
    if not len(values):
        return 0.0, 0.0
    _, which, sizes = np.unique(clusters, return_inverse=True, return_counts=True)
    return float((values / sizes[which]).sum()), float(len(sizes))


def _above(side: tuple[float, float], references: tuple[float, float]) -> bool:
    return bool(higher(*side, *references)[0] < SIGNIFICANT)


def _changed(base: NDArray[np.float64], outputs: NDArray[np.float64], clusters: NDArray[np.uint64]) -> float:
    _, which = np.unique(clusters, return_inverse=True)
    difference = np.bincount(which, weights=outputs - base)
    return statistics.mcnemar(int((difference < 0).sum()), int((difference > 0).sum()))
