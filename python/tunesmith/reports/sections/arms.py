"""The arms of a turn: their evaluations by seed, and the answers of all arms side by side, item by item."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import polars as pl

from tunesmith.artefact import is_artefact
from tunesmith.evaluation import Evaluation
from tunesmith.evaluation.statistics import Interval, wilson

LABELS = {"base": "base", "current": "finetuned", "patch": "patched", "placebo": "placebo"}
"""Arms in the order in which they are shown, and what a reader calls them."""
MEANS = {
    "base": "The model before any finetuning.",
    "current": "Finetuned on the data as they are (the arm current).",
    "patch": "Finetuned on the data after the patch (the arm patch).",
    "placebo": "Finetuned on the data after as many random changes of the same kind (the arm placebo).",
}
EVALUATIONS = "evaluations"
KEY = ["row_id", "copy"]


@dataclass(frozen=True)
class Arms:
    """The evaluations of a turn.

    Attributes:
        folders: Arm to seed to evaluation, in the order of `LABELS`; arms without an evaluation are not in it.
    """

    folders: Mapping[str, Mapping[int, Path]]

    @classmethod
    def of(cls, folder: Path) -> Arms:
        """Find the evaluations in a turn's folder."""
        found: dict[str, dict[int, Path]] = {arm: {} for arm in LABELS}
        if is_artefact(folder / "base", "evaluation"):
            found["base"][0] = folder / "base"
        inner = folder / EVALUATIONS
        for path in sorted(inner.iterdir()) if inner.is_dir() else ():
            named = re.fullmatch(r"(\w+)-(\d+)", path.name)
            if named and named[1] in found and is_artefact(path, "evaluation"):
                found[named[1]][int(named[2])] = path
        return cls({arm: seeds for arm, seeds in found.items() if seeds})

    @property
    def names(self) -> list[str]:
        """The arms that there are."""
        return list(self.folders)

    @cached_property
    def opened(self) -> dict[str, list[Evaluation]]:
        """Their evaluations, by seed."""
        return {arm: [Evaluation.open(path) for _, path in sorted(seeds.items())] for arm, seeds in self.folders.items()}

    @cached_property
    def items(self) -> pl.DataFrame:
        """All items of the arm that answered most, with `copy` to tell apart items of the same content."""
        most = max((evaluations[0] for evaluations in self.opened.values()), key=lambda each: each.items.height)
        return keyed(most.items)

    def answers(self, categories: Collection[str]) -> pl.DataFrame:
        """Join the answers of all arms, first seed: `output_ARM` and `found_ARM`, its categories, both null where it was not asked."""
        frame = self.items
        for arm, evaluations in self.opened.items():
            first = evaluations[0]
            outputs = first.predictions.sort("seed", maintain_order=True).unique("item", keep="first")
            found = outputs_with(first, categories).group_by("item").agg(pl.col("detector").unique().sort().alias(f"found_{arm}"))
            own = keyed(first.items).join(outputs, on="item").join(found, on="item", how="left")
            own = own.select(*KEY, pl.col("output").fill_null("").alias(f"output_{arm}"), pl.col(f"found_{arm}").fill_null([]))
            frame = frame.join(own, on=KEY, how="left", maintain_order="left")
        return frame

    def rate(self, arm: str, categories: Collection[str], part: str | None) -> Interval | None:
        """Give the share of a part's items whose output has a finding of these categories, the mean over seeds, with Wilson's interval."""
        shares = []
        n = 0
        for evaluation in self.opened.get(arm, ()):
            items = evaluation.items.filter(pl.col("part") == part) if part else evaluation.items
            n = items.height
            found = outputs_with(evaluation, categories).join(items, on="item", how="semi")["item"].n_unique()
            shares += [found / n] if n else []
        return wilson(sum(shares) / len(shares) * n, n) if shares else None


def outputs_with(evaluation: Evaluation, categories: Collection[str]) -> pl.DataFrame:
    """Give the findings of outputs in these categories."""
    return evaluation.findings.filter((pl.col("side") == "output") & pl.col("detector").is_in(list(categories)))


def keyed(items: pl.DataFrame) -> pl.DataFrame:
    """Number items of the same content, so that evaluations of different parts can be joined."""
    return items.with_columns(copy=pl.int_range(pl.len()).over("row_id"))
