"""`near_duplicates`: rows whose texts are nearly equal, among themselves or against a file (a test set)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Literal

import polars as pl
from pydantic import Field

from tunesmith import core
from tunesmith.core.near_options import PRESETS, PresetName
from tunesmith.curation.steps import texts
from tunesmith.curation.steps.base import NOTE, KeyedStep, Measured, decisions, edges_frame, list_of
from tunesmith.curation.steps.groups import KEEP_LENGTH, Keep, decide_groups
from tunesmith.curation.steps.similar import Similarity
from tunesmith.errors import InputError, OptionError
from tunesmith.progress import SILENT, Progress
from tunesmith.rows import read

BELOW = 0.1
"""How far below the threshold pairs are recorded, so that what-if can lower it."""
_OF_PRESET = ("threshold", "unit", "shingle", "fold_numbers", "fold_marks")


class NearDuplicates(KeyedStep):
    """Drop or flag all but one of the rows whose texts are nearly equal (exact Jaccard similarity of their shingles)."""

    type: ClassVar[str] = "near_duplicates"
    deciding: ClassVar[frozenset[str]] = frozenset({"threshold", "keep", "action"})

    preset: PresetName = Field(
        default="tunesmith",
        description="Whose unit, shingle, folds and threshold count where they are not said. (Candidates are sought as always.)",
    )
    of: str | tuple[str, ...] = Field(default="prompt", description="prompt, response or text columns; several are joined by a newline.")
    each: bool = Field(default=False, description="Compare field by field; the smallest similarity counts.")
    threshold: float = Field(default=0.7, gt=0, le=1, description="Jaccard similarity from which rows are duplicates.")
    floor: float | None = Field(default=None, gt=0, le=1, description="Pairs are recorded from here on; threshold - 0.1 unless said.")
    unit: Literal["word", "space", "piece", "character"] = Field(default="word", description="What a shingle is made of.")
    shingle: int = Field(default=5, ge=1, le=65_536, description="Units in a shingle; shorter texts are compared whole.")
    fold_numbers: bool = Field(default=False, description='Whether every number counts as 0: "7 x 8" is then "12 x 5".')
    fold_marks: bool = Field(default=False, description="Whether punctuation counts as white space and accents not at all.")
    keep: Keep = Field(default="first", description="Which row of a group stays; the first one where they are equally long.")
    action: Literal["drop", "flag"] = Field(default="drop", description="What happens to the others.")
    against: str | None = Field(default=None, description="A file: rows similar to one of its rows, instead of among themselves.")

    def resolved(self, folder: Path) -> NearDuplicates:
        """Fill in what the preset says, fix the floor, and read the file's path relative to the recipe."""
        # A preset's bands are left out: with them pairs down to the floor would be missed.
        preset = {name: getattr(PRESETS[self.preset], name) for name in _OF_PRESET if name not in self.model_fields_set}
        threshold = preset.get("threshold", self.threshold)
        floor = self.floor if self.floor is not None else max(round(threshold - BELOW, 6), 0.01)
        if floor > threshold:
            raise OptionError(f"floor {floor:g} is above threshold {threshold:g}: pairs between them would be lost; lower the floor")
        against = None if self.against is None else str((folder / self.against).resolve())
        return self.model_copy(update={**preset, "floor": floor, "against": against})

    @property
    def _similarity(self) -> Similarity:
        floor = self.threshold if self.floor is None else self.floor
        return Similarity(floor=floor, shingle=self.shingle, unit=self.unit, fold_numbers=self.fold_numbers, fold_marks=self.fold_marks)

    @cached_property
    def _other(self) -> pl.DataFrame:
        try:
            return read(str(self.against)).frame
        except InputError as error:
            raise OptionError(f"{self.label}, against: {error}") from error

    def inputs(self) -> Mapping[str, str]:
        """Name the file of the other side."""
        return {} if self.against is None else {f"{self.label}.against": core.content_hash(self._other)}

    def project(self, chunk: pl.DataFrame) -> pl.DataFrame:
        """Take the texts, joined unless they are compared one by one."""
        of = list_of(self.of)
        made = texts.columns(chunk, of) if self.each else [texts.joined(chunk, of).alias("text")]
        return chunk.select("position").with_columns(made)

    def pairs(self, projected: pl.DataFrame, progress: Progress = SILENT) -> Measured:
        """Find pairs down to the floor, among the rows or with the file's rows."""
        columns = projected.drop("position")
        values = projected.select("position", texts.length(columns).alias(KEEP_LENGTH))
        label = f"Looking for near duplicates ({self.label})"
        if self.against is None:
            with progress.task(label, projected.height) as done:
                found = self._similarity.pairs(columns, progress=done)
            position = projected["position"]
            return Measured(values=values, edges=edges_frame(position.gather(found["a"]), position.gather(found["b"]), found["similarity"]))
        other = self.project(self._other).drop("position")
        with progress.task(label, projected.height + other.height) as done:
            found = self._similarity.pairs(columns, other, progress=done)
        best = found.sort("a", "similarity", "b", descending=[False, True, False]).unique("a", keep="first", maintain_order=True)
        best = best.with_columns(projected["position"].gather(best["a"]).alias("position"))
        values = values.join(best.select("position", "similarity"), on="position", how="left", maintain_order="left")
        return Measured(values=values, notes=self._twin_notes(best))

    def _twin_notes(self, best: pl.DataFrame) -> pl.DataFrame:
        """Name the file's row and show its text: it has no position in this version."""
        shown = texts.joined(self._other, list_of(self.of)).str.slice(0, 160)
        records = self._other["position"].gather(best["b"])
        evidence = pl.format("{}, row {}: {}", pl.lit(Path(str(self.against)).name), records, shown.gather(best["b"]).fill_null(""))
        made = best.select("position").with_columns(rule=pl.lit("against"), field=pl.lit(None), turn=pl.lit(None), evidence=evidence)
        return made.select(pl.col(name).cast(dtype) for name, dtype in NOTE.items())

    def decide(self, alive: pl.DataFrame, edges: pl.DataFrame) -> pl.DataFrame:
        """Keep one row alive of each group; against a file, keep none that is similar to one of its rows."""
        if self.against is None:
            return decide_groups(alive, edges, threshold=self.threshold, keep=self.keep, action=self.action, rule="near_duplicate")
        close = alive.filter(pl.col("similarity") >= self.threshold)
        return decisions(close, rule="against", action=self.action, value=pl.col("similarity"), threshold=self.threshold)

    def unanswered(self, measured: frozenset[str]) -> str | None:  # noqa: ARG002
        """Pairs below the floor were not recorded."""
        if self.floor is not None and self.threshold < self.floor:
            return f"pairs below the floor {self.floor:g} were not recorded"
        return None
