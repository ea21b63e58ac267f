"""The statistics of one part of the items: patch against placebo, paired item by item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tunesmith.evaluation import statistics
from tunesmith.rows.clusters import SMALLEST_PART
from tunesmith.turns.answers import ANY, EVERY, SHOWN, Answers

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAIN = "rougeL"
"""The metric that may not fall by the margin."""
SIGNIFICANT = 0.05
BROKEN = 0.02
"""At least this share of the items is taken to get worse by chance, where the detectable effect is told."""


def weigh(part: Answers, *, margin: float, seed: int = 0) -> dict[str, Any]:
    """Compare patch and placebo on one part.

    Every value is averaged over an item's outputs, then over the seeds of an arm; every difference is patch - placebo, with the
    interval and p of `statistics.paired_runs`. The p-values of the targets, and those of the other detectors, are adjusted
    by Holm's method, each family by itself.

    Args:
        part: The answers, n >= 1 items.
        margin: How much worse another category (a share) or the main metric may be.
        seed: Of the resampling.
    Returns:
        ``items``, ``clusters``; ``difference``, ``low``, ``high``, ``p`` of the outcome (any of the targets); ``arms`` {arm: rate, low,
        high} of the outcome; ``any_finding``: arms, difference, low, high, p of the share with a finding of any detector;
        ``categories`` {detector: arms {arm: rate}, difference, low, high, p, role, worse, inconclusive, needs}: the targets, and the
        other detectors that found something in patch or placebo; ``metrics`` {name: arms, difference, low, high, p, worse,
        inconclusive, needs}. ``worse``: significantly worse than the placebo. ``inconclusive``: not shown to be within the margin;
        ``needs`` is then the number of independent items that it would take. Other detectors have ``sound`` {items, difference, low,
        high, p}: the same over the items whose placebo answers have none of the targets, by which they are judged. Where a refusal
        gives way to an answer, that answer may be too long; that is not what the patch breaks.
    """
    clusters = part.items["cluster"].to_numpy()
    mine, theirs = (part.findings[arm] for arm in ("patch", "placebo"))
    outcome = statistics.paired_runs(mine[ANY], theirs[ANY], clusters, seed=seed)
    found = {
        name: statistics.paired_runs(mine[name], theirs[name], clusters, seed=seed)
        for name in mine
        if name not in (ANY, EVERY) and (name in part.targets or mine[name].any() or theirs[name].any())
    }
    targets = statistics.holm({name: row.p for name, row in found.items() if name in part.targets})
    sound = _sound(part, [name for name in found if name not in part.targets], seed)
    return {
        "items": part.items.height,
        "clusters": part.items["cluster"].n_unique(),
        **outcome._asdict(),
        "arms": {arm: _rate(names[ANY].mean(axis=1), clusters) for arm, names in _shown(part.findings).items()},
        "any_finding": {
            "arms": {arm: float(names[EVERY].mean()) for arm, names in _shown(part.findings).items()},
            **statistics.paired_runs(mine[EVERY], theirs[EVERY], clusters, seed=seed)._asdict(),
        },
        "categories": {
            name: _target(part, name, found[name], targets[name])
            if name in targets
            else _other(part, name, found[name], sound[name], margin)
            for name in _ordered(part, found)
        },
        "metrics": _metrics(part, margin, seed),
    }


def _rate(shares: NDArray[np.float64], clusters: NDArray[np.float64]) -> dict[str, float]:
    return dict(zip(("rate", "low", "high"), statistics.rate(shares, clusters), strict=True))


def _shown(arms: Mapping[str, Any]) -> dict[str, Any]:
    return {arm: arms[arm] for arm in SHOWN if arm in arms}


def _ordered(part: Answers, found: Mapping[str, statistics.Paired]) -> dict[str, statistics.Paired]:
    return {name: found[name] for name in (*part.targets, *found) if name in found}


def _target(part: Answers, name: str, found: statistics.Paired, p: float) -> dict[str, Any]:
    worse = p < SIGNIFICANT and found.difference > 0
    return {**_described(part, name, found), "p": p, "role": "target", "worse": worse, "inconclusive": False, "needs": None}


def _other(part: Answers, name: str, found: statistics.Paired, sound: Mapping[str, Any], margin: float) -> dict[str, Any]:
    worse = sound["p"] < SIGNIFICANT and sound["difference"] > 0
    inconclusive = not worse and sound["high"] >= margin
    needs = _needs(_differences(part.findings, name)[_free(part)], margin) if inconclusive else None
    return {**_described(part, name, found), "role": "other", "worse": worse, "inconclusive": inconclusive, "needs": needs, "sound": sound}


def _described(part: Answers, name: str, found: statistics.Paired) -> dict[str, Any]:
    return {"arms": {arm: float(names[name].mean()) for arm, names in _shown(part.findings).items()}, **found._asdict()}


def _sound(part: Answers, names: Sequence[str], seed: int) -> dict[str, dict[str, Any]]:
    """Compare other detectors over the items whose placebo answers have none of the targets; p adjusted by Holm's method."""
    free, clusters = _free(part), part.items["cluster"].to_numpy()
    mine, theirs = (part.findings[arm] for arm in ("patch", "placebo"))
    found = {name: statistics.paired_runs(mine[name][free], theirs[name][free], clusters[free], seed=seed) for name in names}
    adjusted = statistics.holm({name: row.p for name, row in found.items()})
    return {name: {"items": int(free.sum()), **row._asdict(), "p": adjusted[name]} for name, row in found.items()}


def _free(part: Answers) -> NDArray[np.bool_]:
    """Mark the items whose placebo answers have none of the targets; all items where those are too few to tell anything."""
    free: NDArray[np.bool_] = part.findings["placebo"][ANY].max(axis=1) == 0
    return free if free.sum() >= SMALLEST_PART else free | True


def _differences(arms: Mapping[str, Mapping[str, NDArray[np.float64]]], name: str) -> NDArray[np.float64]:
    differences: NDArray[np.float64] = arms["patch"][name].mean(axis=1) - arms["placebo"][name].mean(axis=1)
    return differences


def _needs(differences: NDArray[np.float64], margin: float) -> int:
    # The bound that decides is that of a 95% interval: 2.5% on its side.
    return statistics.items_for_margin(float(differences.var(ddof=1)), margin, alpha=(1 - statistics.LEVEL) / 2)


def _metrics(part: Answers, margin: float, seed: int) -> dict[str, dict[str, Any]]:
    import numpy as np

    made: dict[str, dict[str, Any]] = {}
    for name in part.scores["patch"]:
        shown = {arm: names[name] for arm, names in _shown(part.scores).items() if name in names}
        if "placebo" not in shown:
            continue
        here = ~np.isnan(sum(values.sum(axis=1) for values in shown.values()))
        if not here.any():
            continue
        clusters = part.items["cluster"].to_numpy()[here]
        found = statistics.paired_runs(shown["patch"][here], shown["placebo"][here], clusters, seed=seed)
        worse = name == MAIN and found.p < SIGNIFICANT and found.difference < 0
        inconclusive = name == MAIN and not worse and found.low <= -margin
        differences = shown["patch"][here].mean(axis=1) - shown["placebo"][here].mean(axis=1)
        made[name] = {
            "arms": {arm: float(values[here].mean()) for arm, values in shown.items()},
            **found._asdict(),
            "worse": worse,
            "inconclusive": inconclusive,
            "needs": _needs(differences, margin) if inconclusive else None,
        }
    return made


def detectable(part: Answers) -> float | None:
    """Give the least effect on the outcome that would have been found on these items: a share, power .8 at level .05.

    For an outcome of 0 or 1 and as many items as the clusters leave (`statistics.detectable`), where as large a share of the
    items gets worse by chance as got worse here, at least `BROKEN`.
    """
    differences = _differences(part.findings, ANY)
    broken = float(differences.clip(min=0).mean())
    items = statistics.effective_items(differences, part.items["cluster"].to_numpy())
    return statistics.detectable(items, broken=min(max(BROKEN, broken), 0.49), alpha=SIGNIFICANT)
