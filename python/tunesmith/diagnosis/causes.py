"""The cause of a category in a slice, by exclusion in a fixed order; `docs/explanation/diagnosis.md` says the same in prose.

How answers were decoded and how the model was prompted come first, because they are no fault of any row; then what packing cut,
bad rows, missing rows, rows not learnt, and what the base did already. What none of these explains is `unknown`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from tunesmith.diagnosis.density import Density, density
from tunesmith.diagnosis.ratios import higher
from tunesmith.diagnosis.search import SIGNIFICANT, Failing, Ground
from tunesmith.diagnosis.sides import OFF_REFERENCE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from tunesmith.diagnosis.checks import Checks
    from tunesmith.diagnosis.measuring import Measure

Cause = Literal["decoding", "template", "truncation", "bad_rows", "missing", "unlearnt", "inherited", "unknown"]
ORDER: tuple[Cause, ...] = get_args(Cause)
"""In which causes are looked at; the cause of a category is the first that one of its slices has."""
MOST = 0.5
"""A share from which on failing items count as explained."""
AMPLIFIED = 5.0
"""Rows are not blamed for outputs that fail so many times more often than their slice's targets do."""
_HIGHER = 1.5
"""Times the other rows' median loss from which on a slice counts as not learnt."""
_ENDING = ("no_stop", "truncated", "too_long", "repetitive")
"""What an answer that cannot end looks like."""


@dataclass(frozen=True, kw_only=True)
class Court:
    """What a cause is told by.

    Attributes:
        ground: Who fails, where.
        checks: What is ruled out first.
        losses: ``float64[rows]``: each training row's last loss, nan where there is none; None without losses.
        seed: Of the density's sample.
    """

    ground: Ground
    checks: Checks
    losses: NDArray[np.float64] | None = None
    seed: int = 0

    @cached_property
    def density(self) -> Density:
        """Measure, where first asked for, how near training prompts are."""
        return density(self.ground.sides.items, self.ground.sides.rows, seed=self.seed)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A cause and what it rests on.

    Attributes:
        cause: Its name.
        because: A sentence.
        facts: Numbers, JSON values.
    """

    cause: Cause
    because: str
    facts: Mapping[str, Any] = field(default_factory=dict)


def cause(court: Court, category: str, place: Failing, found: Measure) -> Verdict:
    """Tell why a category fails in a slice.

    In this order, the first that holds:

    - ``decoding``: at least half of the failing items ran into the token budget, and either the token that the model was taught
      to end with is none that ends an answer, or their references are longer than the budget.
    - ``template``: the model was prompted with another template or tokenizer than it was trained with.
    - ``truncation``: packing cut rows of the slice more often than others, and more often than none of the references
      (Fisher, adjusted p < .05); for what endings are judged by.
    - ``bad_rows``: the rate among the slice's targets is higher than among all other targets and higher than among the
      references of the slice (both Fisher, adjusted p < .05), and the outputs' rate may be at most 5 times theirs (lower end of
      the ratio's interval). What lies in no slice is set against the references alone, and at least a tenth of the targets
      must have it.
    - ``missing``: no training row is in the slice; or at least half of its failing items have no training prompt near
      (`density`) and more of them than of the other items (Fisher, adjusted p < .05).
    - ``unlearnt``: the last losses of the slice's rows are higher than those of the others (Mann-Whitney, adjusted p < .05), by
      half of the median at least.
    - ``inherited``: the base fails there as often (its rate is above the references' and does not differ) and the targets are
      no worse than the references.
    - ``unknown``: none of these.

    Args:
        court: What is known.
        category: The category.
        place: The slice, as `search.failing` found it.
        found: Its rates.
    """
    failing = place.items & (court.ground.sides.outputs[:, court.ground.sides.column(category)] >= MOST)
    for told in (_decoding, _template, _truncation, _bad_rows, _missing, _unlearnt, _inherited):
        verdict = told(court, category, place, found, failing)
        if verdict is not None:
            return verdict
    return Verdict(cause="unknown", because="neither decoding, template, rows nor base explain it")


def _decoding(court: Court, category: str, _place: Failing, _found: Measure, failing: NDArray[np.bool_]) -> Verdict | None:
    checks = court.checks
    if category not in _ENDING or not failing.any() or checks.decoding.state != "at_fault":
        return None
    stops = checks.decoding.facts.get("stop_ids")
    deaf = stops is not None and checks.decoding.facts.get("end_of_turn_id") not in (None, *stops)
    share = float((checks.endless if deaf else checks.budget)[failing].mean())
    if share < MOST:
        return None
    return Verdict(cause="decoding", because=f"{share:.0%} of the failing outputs: {checks.decoding.says}", facts={"share": share})


def _template(court: Court, _category: str, _place: Failing, _found: Measure, _failing: NDArray[np.bool_]) -> Verdict | None:
    check = court.checks.template
    return Verdict(cause="template", because=check.says, facts=check.facts) if check.state == "at_fault" else None


def _truncation(court: Court, category: str, place: Failing, _found: Measure, _failing: NDArray[np.bool_]) -> Verdict | None:
    cut = court.checks.cut
    if category not in _ENDING or cut is None or not cut.any() or not place.rows.any():
        return None
    inside, outside = cut[place.rows], cut[~place.rows]
    references = float(court.ground.sides.referred.sum())
    p = higher(inside.sum(), len(inside), 0, references)[0]
    if place.number is not None:
        p = max(p, higher(inside.sum(), len(inside), outside.sum(), len(outside))[0])
    if p * court.ground.tests >= SIGNIFICANT:
        return None
    share = float(inside.mean())
    return Verdict(cause="truncation", because=f"packing cut {share:.0%} of the slice's {len(inside):,} rows", facts={"share": share})


def _bad_rows(_court: Court, category: str, place: Failing, found: Measure, _failing: NDArray[np.bool_]) -> Verdict | None:
    if category == OFF_REFERENCE or not found.target_rate or found.ratio_low is None:
        return None
    if place.p_targets >= SIGNIFICANT or found.ratio_low > AMPLIFIED:
        return None
    because = f"{found.target_rate:.0%} of the slice's {found.target_n:,} targets have it, and {found.reference_rate:.0%} of its references"
    return Verdict(cause="bad_rows", because=because, facts={"p_targets": place.p_targets})


def _missing(court: Court, _category: str, place: Failing, found: Measure, failing: NDArray[np.bool_]) -> Verdict | None:
    if place.number is None or not failing.any():
        return None
    if not court.ground.candidates.of_rows(place.number).any():
        return Verdict(cause="missing", because="no training row is in the slice", facts={"rows": 0})
    far = court.density.far
    others = court.ground.sides.chosen & ~place.items
    share = float(far[failing].mean())
    p = higher(far[failing].sum(), failing.sum(), far[others].sum(), others.sum())[0]
    if share < MOST or p * court.ground.tests >= SIGNIFICANT:
        return None
    because = f"{share:.0%} of the failing items have no training prompt near; the slice has {found.target_n:,} rows"
    return Verdict(cause="missing", because=because, facts={"far": share, "threshold": court.density.threshold})


def _unlearnt(court: Court, _category: str, place: Failing, _found: Measure, _failing: NDArray[np.bool_]) -> Verdict | None:
    if court.losses is None or place.number is None:
        return None
    from scipy.stats import mannwhitneyu

    known = ~np.isnan(court.losses)
    inside = court.ground.candidates.of_rows(place.number)
    mine, theirs = court.losses[known & inside], court.losses[known & ~inside]
    if not len(mine) or not len(theirs):
        return None
    high, usual = float(np.median(mine)), float(np.median(theirs))
    p = float(mannwhitneyu(mine, theirs, alternative="greater").pvalue)
    if p * court.ground.tests >= SIGNIFICANT or high < _HIGHER * usual:
        return None
    because = f"the median last loss of the slice's rows is {high:.2f}, that of the others {usual:.2f}"
    return Verdict(cause="unlearnt", because=because, facts={"loss": high, "other_loss": usual})


def _inherited(_court: Court, _category: str, _place: Failing, found: Measure, _failing: NDArray[np.bool_]) -> Verdict | None:
    alike = found.p_fixed_broken is not None and found.p_fixed_broken >= SIGNIFICANT
    if not (found.base_above and alike) or found.targets_above:
        return None
    return Verdict(cause="inherited", because=f"the base fails on {found.base_rate:.0%} of these items, too")
