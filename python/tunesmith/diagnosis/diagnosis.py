"""A diagnosis on disk, opened."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from tunesmith.artefact import Manifest, read_manifest
from tunesmith.curation.edits import PATCH, Edit, read_patch

CATEGORIES, CAUSES, SUMMARY = "categories.parquet", "causes.parquet", "summary.json"


@dataclass(frozen=True)
class Diagnosis:
    """What fails, where and why, and the patch that is proposed. Tables are read when they are asked for.

    Attributes:
        folder: Where it lies.
        manifest: What it says of itself.
        reused: Whether it lay there already, made from the same inputs and options.
    """

    folder: Path
    manifest: Manifest
    reused: bool = False

    @classmethod
    def open(cls, folder: str | Path) -> Diagnosis:
        """Open a diagnosis.

        Raises:
            ArtefactError: If the folder is none.
        """
        return cls(Path(folder), read_manifest(folder, "diagnosis"))

    @cached_property
    def categories(self) -> pl.DataFrame:
        """A line per category and slice (``schema.CATEGORY``)."""
        return pl.read_parquet(self.folder / CATEGORIES, glob=False)

    @cached_property
    def causes(self) -> pl.DataFrame:
        """The training rows behind each claim, ranked (``schema.CAUSE``)."""
        return pl.read_parquet(self.folder / CAUSES, glob=False)

    @cached_property
    def patch(self) -> list[Edit]:
        """The edits, with whatever review decided since."""
        return read_patch(self.folder / PATCH)

    @cached_property
    def summary(self) -> dict[str, Any]:
        """The `--json` object."""
        read: dict[str, Any] = json.loads((self.folder / SUMMARY).read_text(encoding="utf-8"))
        return read
