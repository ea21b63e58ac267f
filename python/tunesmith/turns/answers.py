"""The answers of all arms side by side: the same items, judged alike, one column a seed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from tunesmith.errors import InputError, OptionError, did_you_mean
from tunesmith.evaluation import Evaluation
from tunesmith.evaluation.scoring import judged

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ARMS = ("current", "patch", "placebo")
SHOWN = ("base", *ARMS)
"""What a verdict shows, in this order; it needs the last two."""
ANY = "any of them"
"""The outcome: whether an output has any of the target categories."""
EVERY = "any finding"
"""Whether an output has a finding of any detector at all."""
PARTS = ("gate", "confirm")
_KEY = ("part", "row_id", "copy")


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What the arms did on the items that all of them answered.

    Attributes:
        items: ``part, row_id, copy, cluster`` of n items.
        seeds: The seeds of patch and placebo.
        findings: Arm to name (a detector, `ANY`, or `EVERY`) to ``float[n, seeds]``: the share of the item's outputs with a finding.
        scores: Arm to metric to ``float[n, seeds]``; not a number where an item has no score.
        unanswered: Items that some arm has no output for.
        targets: The categories of `ANY`.
    """

    items: pl.DataFrame
    seeds: Sequence[int]
    findings: Mapping[str, Mapping[str, NDArray[np.float64]]]
    scores: Mapping[str, Mapping[str, NDArray[np.float64]]]
    unanswered: int
    targets: Sequence[str]

    def part(self, name: str) -> Answers:
        """Take the items of one part."""
        import numpy as np

        here = np.flatnonzero(self.items["part"].to_numpy() == name)

        def cut(arms: Mapping[str, Mapping[str, NDArray[np.float64]]]) -> dict[str, dict[str, NDArray[np.float64]]]:
            return {arm: {key: values[here] for key, values in names.items()} for arm, names in arms.items()}

        return Answers(
            items=self.items[here],
            seeds=self.seeds,
            findings=cut(self.findings),
            scores=cut(self.scores),
            unanswered=self.unanswered,
            targets=self.targets,
        )


def opened(evaluations: Mapping[str, str | Path | Evaluation], seeds: Sequence[int]) -> dict[tuple[str, int], Evaluation]:
    """Open evaluations named ``ARM`` or ``ARM:SEED``; without a seed the experiment's only one is meant.

    Raises:
        OptionError: If a name is not an arm's, is given twice, or an arm that is needed is missing.
        ArtefactError: If a folder is no evaluation.
    """
    found: dict[tuple[str, int], Evaluation] = {}
    for name, given in evaluations.items():
        key = _key(name, seeds)
        if key in found:
            raise OptionError(f"two evaluations of {_said(key)}: {found[key].folder} and {given}; give each arm and seed one")
        found[key] = given if isinstance(given, Evaluation) else Evaluation.open(given)
    for arm in ("patch", "placebo"):
        if not any(key[0] == arm for key in found):
            there = ", ".join(dict.fromkeys(key[0] for key in found)) or "none"
            raise OptionError(f"expected evaluations of patch and placebo (current is shown beside them), found {there}; {arm} is missing")
    trained = {arm: sorted(seed for name, seed in found if name == arm) for arm in ARMS if any(name == arm for name, _ in found)}
    for arm, has in trained.items():
        if has != trained["patch"]:
            seeds_of = {each: ", ".join(map(str, of)) for each, of in ((arm, has), ("patch", trained["patch"]))}
            raise OptionError(f"expected the same seeds of every arm, found {seeds_of[arm]} of {arm} and {seeds_of['patch']} of patch")
    return {key: found[key] for key in sorted(found, key=lambda key: (SHOWN.index(key[0]), key[1]))}


def _key(name: str, seeds: Sequence[int]) -> tuple[str, int]:
    arm, sign, seed = name.partition(":")
    if arm not in SHOWN:
        raise OptionError(f'unknown arm "{arm}"; {did_you_mean(arm, SHOWN)}')
    if not sign:
        return arm, seeds[0]
    if not re.fullmatch(r"\d{1,19}", seed):
        raise OptionError(f"{name}: expected ARM or ARM:SEED, the seed a whole number, found {seed!r}")
    if int(seed) not in seeds and arm != "base":
        raise OptionError(f"{name}: the experiment's seeds are {', '.join(map(str, seeds))}; train and evaluate these")
    return arm, int(seed)


def _said(key: tuple[str, int]) -> str:
    return f"{key[0]}, seed {key[1]}"


def side_by_side(evaluations: Mapping[tuple[str, int], Evaluation], targets: Sequence[str]) -> Answers:
    """Pair the items of all evaluations by row id, copies in their order, part by part.

    Args:
        evaluations: As `opened` gives them.
        targets: Detectors that make the outcome.
    Raises:
        InputError: If they are of different items, or were asked or judged differently.
    """
    import numpy as np

    first_key, first = next(iter(evaluations.items()))
    tables = {key: _items(each) for key, each in evaluations.items()}
    for key, table in tables.items():
        _same_items(tables[first_key], table, first, evaluations[key])
        _same_manner(first, evaluations[key])
    items = tables[first_key].select(*_KEY, "cluster").sort(_KEY)
    answered = items
    for key, each in evaluations.items():
        there = tables[key].filter(pl.col("item").is_in(each.predictions["item"].unique().implode()))
        answered = answered.join(there.select(_KEY), on=_KEY, how="semi", maintain_order="left")
    if answered.is_empty() and not items.is_empty():
        raise InputError("no item has an output in every arm; evaluate all arms on the same items")
    names = [*judged(), ANY, EVERY]
    findings: dict[str, dict[str, NDArray[np.float64]]] = {}
    scores: dict[str, dict[str, NDArray[np.float64]]] = {}
    for arm in dict.fromkeys(name for name, _ in evaluations):
        of_arm = [key for key in evaluations if key[0] == arm]
        found = [_findings(evaluations[key], tables[key], answered, names, targets) for key in of_arm]
        findings[arm] = {name: np.stack([each[name].to_numpy() for each in found], axis=1) for name in names}
        scored = [_scores(evaluations[key], tables[key], answered) for key in of_arm]
        shared = [name for name in scored[0].columns if all(name in each.columns for each in scored)]
        scores[arm] = {name: np.stack([each[name].cast(pl.Float64).to_numpy() for each in scored], axis=1) for name in shared}
    return Answers(
        items=answered,
        seeds=[seed for arm, seed in evaluations if arm == "patch"],
        findings=findings,
        scores=scores,
        unanswered=items.height - answered.height,
        targets=tuple(targets),
    )


def _items(evaluation: Evaluation) -> pl.DataFrame:
    """Take the items that may decide: gate and confirm. Copies of a row are told apart by their order in their part."""
    numbered = evaluation.items.with_columns(copy=pl.int_range(pl.len()).over("part", "row_id"))
    return numbered.filter(pl.col("part").is_in(PARTS)).select("item", *_KEY, "cluster")


def _same_items(mine: pl.DataFrame, theirs: pl.DataFrame, one: Evaluation, other: Evaluation) -> None:
    shared = mine.join(theirs, on=_KEY, how="semi").height
    if shared == mine.height == theirs.height:
        return
    raise InputError(
        f"expected evaluations of the same gate and confirm items, found {mine.height:,} in {one.folder} and {theirs.height:,} in "
        f"{other.folder}, {shared:,} of them the same (by row id and part); evaluate all arms on the same SOURCE with the same --seed, "
        f"--limit and --part"
    )


def _same_manner(one: Evaluation, other: Evaluation) -> None:
    """Refuse answers that were asked for or judged by other measures, where the manifests say so."""
    sides = (one.manifest, other.manifest)
    mine, theirs = (side.details for side in sides)
    fitted, other_fitted = mine.get("limits"), theirs.get("limits")
    if fitted and other_fitted and fitted != other_fitted:
        names = ", ".join(sorted(name for name in {**fitted, **other_fitted} if fitted.get(name) != other_fitted.get(name)))
        told = f"the detectors' limits ({names}), which are fitted on the references of the whole SOURCE"
        raise InputError(f"{one.folder} and {other.folder} differ in {told}; evaluate all arms on the same one")
    for name, what in (("max_new_tokens", "the most new tokens"), ("template_hash", "the template")):
        found = [side.get(name) for side in (mine, theirs)]
        if None not in found and found[0] != found[1]:
            shown = [side.get("template", "") if name == "template_hash" else side[name] for side in (mine, theirs)]
            raise InputError(f"{one.folder} and {other.folder} differ in {what}: {shown[0]} and {shown[1]}; evaluate all arms alike")
    for name, what in (("temperature", "the temperature"), ("stop", "the stop strings")):
        found = [side.options.get(name) for side in sides]
        if None not in found and found[0] != found[1]:
            raise InputError(f"{one.folder} and {other.folder} differ in {what}: {found[0]} and {found[1]}; evaluate all arms alike")


def _findings(
    evaluation: Evaluation, table: pl.DataFrame, items: pl.DataFrame, names: Sequence[str], targets: Sequence[str]
) -> dict[str, pl.Series]:
    """Give each item's share of outputs with a finding: by detector, of any target, of any detector."""
    found = evaluation.findings.filter(side="output").select("item", "seed", "detector").unique()
    either = found.filter(pl.col("detector").is_in(targets)).select("item", "seed").unique().with_columns(detector=pl.lit(ANY))
    every = found.select("item", "seed").unique().with_columns(detector=pl.lit(EVERY))
    counted = pl.concat([found, either, every]).group_by("item", "detector").len().pivot("detector", index="item", values="len")
    outputs = evaluation.predictions.group_by("item").agg(outputs=pl.len())
    keyed = items.join(table, on=_KEY, how="left", maintain_order="left").select("item")
    wide = keyed.join(outputs, on="item", how="left", maintain_order="left").join(counted, on="item", how="left", maintain_order="left")
    none = pl.repeat(0.0, wide.height, eager=True)
    return {name: (wide[name].fill_null(0) / wide["outputs"]) if name in wide.columns else none for name in names}


def _scores(evaluation: Evaluation, table: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """Give each item's score by metric, averaged over its outputs; null where it has none."""
    wide = (
        evaluation.scores.group_by("item", "metric", maintain_order=True)
        .agg(pl.col("value").mean())
        .pivot("metric", index="item", values="value")
    )
    keyed = items.join(table, on=_KEY, how="left", maintain_order="left").select("item")
    return keyed.join(wide, on="item", how="left", maintain_order="left").drop("item")
