"""The sides that are set against each other: outputs, the base's outputs, references and training targets, by category.

A category is a detector that judges all four alike. `off_reference` has no training side: it is the model's answer that the
reference does not bear out (mean rougeL of the output below .5), for errors that no detector knows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import polars as pl

from tunesmith import detection
from tunesmith.errors import InputError
from tunesmith.evaluation import Evaluation
from tunesmith.progress import SILENT, Progress

if TYPE_CHECKING:
    from numpy.typing import NDArray

CATEGORIES = ("misspelled", "too_long", "repetitive", "no_stop", "truncated", "refusal", "wrong_format", "prompt_echo")
"""Detectors that judge outputs, references and training targets alike."""
OFF_REFERENCE = "off_reference"
METRIC, LEAST = "rougeL", 0.5
"""What makes an answer be off its reference: this metric below this value."""
ALL = (*CATEGORIES, OFF_REFERENCE)

Part = Literal["dev", "all"]


@dataclass(frozen=True, kw_only=True)
class Sides:
    """The four sides as matrices, a column per name in `categories`.

    Attributes:
        categories: The categories that the evaluation can tell of, in the order of `ALL`.
        items: All items of the evaluation with their slice columns; ``item`` counts from 0.
        chosen: ``bool[items]``: those to diagnose on, which have an output.
        outputs: ``float64[items, categories]``: share of an item's outputs with the finding.
        base: The same of the base, None without one.
        references: ``bool[items, categories]``.
        referred: ``bool[items]``: whether there is a reference.
        rows: The training rows.
        targets: ``bool[rows, categories]``: whether any supervised turn has the finding.
        findings: Those of the targets (`rows.schema.FINDING`).
        limits: What both sides were judged by.
        notes: What could not be told.
    """

    categories: tuple[str, ...]
    items: pl.DataFrame
    chosen: NDArray[np.bool_]
    outputs: NDArray[np.float64]
    base: NDArray[np.float64] | None
    references: NDArray[np.bool_]
    referred: NDArray[np.bool_]
    rows: pl.DataFrame
    targets: NDArray[np.bool_]
    findings: pl.DataFrame
    limits: detection.Limits
    notes: tuple[str, ...] = ()

    def column(self, category: str) -> int:
        """Find a category's column."""
        return self.categories.index(category)

    @property
    def weights(self) -> NDArray[np.float64]:
        """Give ``float64[items]``: 1 over the chosen items of an item's cluster, so that a cluster counts as one; 0 if not chosen."""
        clusters = self.items["cluster"].to_numpy()
        _, which = np.unique(clusters, return_inverse=True)
        sizes = np.bincount(which, weights=self.chosen)
        return np.where(self.chosen, 1.0 / np.maximum(sizes[which], 1.0), 0.0)


def sides(
    evaluation: Evaluation, rows: pl.DataFrame, *, base: Evaluation | None = None, part: Part = "dev", progress: Progress = SILENT
) -> Sides:
    """Judge the training targets as the evaluation judged outputs and references, and lay all sides out.

    Raises:
        InputError: If the evaluation has no reference, no item of the part, or the base is of other items.
    """
    items = evaluation.items
    referred = items["reference"].is_not_null().to_numpy()
    if not referred.any():
        raise InputError(
            f"{evaluation.folder}: expected items with references, found none among {items.height:,}; what is an error is told by what "
            f"references show: evaluate on rows with answers"
        )
    judged = set(evaluation.summary["findings"])
    missing = [name for name in CATEGORIES if name not in judged]
    known = [name for name in CATEGORIES if name in judged]
    notes = [f"not judged, because the evaluation is older than the detector: {', '.join(missing)} (evaluate again)"] if missing else []
    scored = METRIC in evaluation.scores["metric"].unique().to_list()
    if not scored:
        notes.append(f"the evaluation has no {METRIC}, so {OFF_REFERENCE} is not told")
    categories = (*known, OFF_REFERENCE) if scored else tuple(known)
    answered = items["item"].is_in(evaluation.predictions["item"].unique().implode()).to_numpy()
    chosen = answered & (_of_part(evaluation, part, notes) if part == "dev" else np.ones(items.height, dtype=bool))
    if not chosen.any():
        counts = ", ".join(f"{name} {count:,}" for name, count in items["part"].value_counts(sort=True).iter_rows())
        raise InputError(f"{evaluation.folder}: expected items of the part dev to diagnose on, found none ({counts}); --part all takes all")
    references = _flags(evaluation.findings.filter(pl.col("side") == "reference"), items.height, categories)
    limits = limits_of(evaluation)
    findings = detection.find(detection.view(rows), only=known, limits=limits, progress=progress).filter(pl.col("field") == "response")
    return Sides(
        categories=categories,
        items=items,
        chosen=chosen,
        outputs=_shares(evaluation, categories),
        base=None if base is None else _shares(base, categories)[_paired(evaluation, base, chosen)],
        references=references,
        referred=referred,
        rows=rows,
        targets=_targets(findings, rows, categories),
        findings=findings,
        limits=limits,
        notes=tuple(notes),
    )


def limits_of(evaluation: Evaluation) -> detection.Limits:
    """Take the limits by which an evaluation judged; one that does not state them fitted them on its references."""
    stated = evaluation.manifest.details.get("limits") or {}
    names = {field.name for field in fields(detection.Limits)}
    if names <= set(stated):
        return detection.Limits(**{name: _frozen(stated[name]) for name in names})
    items = evaluation.items
    return detection.fit(items["reference"], prompts=items.select("instruction", "input"))


def _frozen(value: Any) -> Any:
    return frozenset(value) if isinstance(value, list) else value


def _of_part(evaluation: Evaluation, part: Part, notes: list[str]) -> NDArray[np.bool_]:
    here: NDArray[np.bool_] = (evaluation.items["part"] == part).to_numpy()
    if here.all() and evaluation.manifest.options.get("parts") != [part]:
        notes.append(f"all {len(here):,} items are for diagnosis (too few for thirds): none is left that a verdict could rest on")
    return here


def _shares(evaluation: Evaluation, categories: Sequence[str]) -> NDArray[np.float64]:
    """Give the share of each item's outputs with each finding; 0 where it has no output."""
    height = evaluation.items.height
    outputs = np.zeros(height)
    counted = evaluation.predictions.group_by("item").len()
    outputs[counted["item"].to_numpy()] = counted["len"].to_numpy()
    found = evaluation.findings.filter(pl.col("side") == "output")
    keys = ["item", "model", "seed", "detector"]
    named = pl.concat([found.select(keys), _off(evaluation).select(keys)]).unique()
    named = named.group_by("item", "detector").len()
    shares = np.zeros((height, len(categories)))
    for k, category in enumerate(categories):
        of = named.filter(pl.col("detector") == category)
        shares[of["item"].to_numpy(), k] = of["len"].to_numpy()
    return shares / np.maximum(outputs, 1.0)[:, None]


def _off(evaluation: Evaluation) -> pl.DataFrame:
    scores = evaluation.scores.filter(pl.col("metric") == METRIC, pl.col("value") < LEAST)
    return scores.with_columns(detector=pl.lit(OFF_REFERENCE))


def _flags(findings: pl.DataFrame, height: int, categories: Sequence[str]) -> NDArray[np.bool_]:
    flags = np.zeros((height, len(categories)), dtype=bool)
    for k, category in enumerate(categories):
        flags[findings.filter(pl.col("detector") == category)["item"].to_numpy(), k] = True
    return flags


def _targets(findings: pl.DataFrame, rows: pl.DataFrame, categories: Sequence[str]) -> NDArray[np.bool_]:
    flags = [rows["position"].is_in(findings.filter(pl.col("detector") == name)["position"].implode()).to_numpy() for name in categories]
    return np.stack(flags, axis=1) if flags else np.zeros((rows.height, 0), dtype=bool)


def _paired(evaluation: Evaluation, base: Evaluation, chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Find each item's number in the base's evaluation, by row id, copies in their order."""
    keyed = [each.items.with_columns(copy=pl.int_range(pl.len()).over("row_id")) for each in (evaluation, base)]
    answered = keyed[1].filter(pl.col("item").is_in(base.predictions["item"].unique().implode()))
    pairs = keyed[0].join(answered.select("row_id", "copy", other="item"), on=["row_id", "copy"], how="left", maintain_order="left")
    absent = pairs["other"].is_null().to_numpy() & chosen
    if absent.any():
        raise InputError(
            f"expected a base that answered the same items, found {base.folder} without {int(absent.sum()):,} of the {int(chosen.sum()):,} "
            f"items of {evaluation.folder} to diagnose on (by row id); evaluate both on the same SOURCE"
        )
    return pairs["other"].fill_null(0).cast(pl.Int64).to_numpy()


def inputs(evaluation: Evaluation, base: Evaluation | None, data: Mapping[str, str]) -> dict[str, str]:
    """Name by content what a diagnosis is made from."""
    named = {"EVALUATION": evaluation.manifest.hash, **({"--base": base.manifest.hash} if base else {})}
    return {**named, **{f"--data {name}": value for name, value in data.items()}}
