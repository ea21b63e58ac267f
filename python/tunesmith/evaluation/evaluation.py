"""An evaluation on disk, opened."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from tunesmith.artefact import Manifest, read_manifest

ITEMS, PREDICTIONS, SCORES, FINDINGS = "items.parquet", "predictions.parquet", "scores.parquet", "findings.parquet"
SUMMARY = "summary.json"


@dataclass(frozen=True)
class Evaluation:
    """One model's answers to the items, scored. Tables are read when they are asked for.

    Attributes:
        folder: Where it lies.
        manifest: What it says of itself.
        reused: Whether it lay there already, made from the same inputs and options.
    """

    folder: Path
    manifest: Manifest
    reused: bool = False

    @classmethod
    def open(cls, folder: str | Path) -> Evaluation:
        """Open an evaluation.

        Raises:
            ArtefactError: If the folder is none.
        """
        return cls(Path(folder), read_manifest(folder, "evaluation"))

    @cached_property
    def items(self) -> pl.DataFrame:
        """What was asked (``schema.ITEM`` and slice columns)."""
        return pl.read_parquet(self.folder / ITEMS, glob=False)

    @cached_property
    def predictions(self) -> pl.DataFrame:
        """What was answered (``schema.PREDICTION``)."""
        return pl.read_parquet(self.folder / PREDICTIONS, glob=False)

    @cached_property
    def scores(self) -> pl.DataFrame:
        """A value an item, seed and metric (``schema.SCORE``)."""
        return pl.read_parquet(self.folder / SCORES, glob=False)

    @cached_property
    def findings(self) -> pl.DataFrame:
        """What the detectors found in outputs and references (``schema.FINDING``)."""
        return pl.read_parquet(self.folder / FINDINGS, glob=False)

    @cached_property
    def summary(self) -> dict[str, Any]:
        """Means and rates with intervals: the `--json` object."""
        read: dict[str, Any] = json.loads((self.folder / SUMMARY).read_text(encoding="utf-8"))
        return read


def summary(folder: str | Path) -> dict[str, Any]:
    """Read the summary of an evaluation.

    Raises:
        ArtefactError: If the folder is none.
    """
    return Evaluation.open(folder).summary
