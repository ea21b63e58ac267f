"""`fix`: the safe fixes of the detectors, each an edit in the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import polars as pl
from pydantic import Field

from tunesmith import detection
from tunesmith.curation import overlay
from tunesmith.curation.steps.base import NOTE, Measured, RowStep, decisions, no_decisions
from tunesmith.errors import OptionError, did_you_mean

NEW_ID = "new_id"
"""The measure that holds a row's id after the step; null where nothing was edited."""


class Fix(RowStep):
    """Apply the safe fixes of all detectors that have one, whatever their severity."""

    type: ClassVar[str] = "fix"
    rewrites: ClassVar[bool] = True

    only: tuple[str, ...] | None = Field(default=None, description="Detectors whose fixes to apply; all when absent.")

    def checked(self) -> None:
        """Refuse detectors that are unknown or have no fix."""
        for name in self.only or ():
            if name not in _fixes():
                known = name in detection.DETECTORS
                raise OptionError(f'only: "{name}" {"has no safe fix" if known else "is no detector"}; {did_you_mean(name, _fixes())}')

    @property
    def _names(self) -> list[str]:
        return [name for name in _fixes() if self.only is None or name in self.only]

    def measures(self) -> Mapping[str, pl.DataType]:
        """Edits per detector, and the new id."""
        return {**{name: pl.UInt32() for name in self._names}, NEW_ID: pl.String()}

    def measure(self, chunk: pl.DataFrame) -> Measured:
        """Make the edits of a chunk."""
        edits = detection.fix(chunk, only=self._names)
        edited = overlay.edit(chunk, edits)
        counts = edits.group_by("position", "detector").len()
        values = chunk.select("position").with_columns(
            _per_row(chunk, counts.filter(detector=name).select("position", "len")).alias(name) for name in self._names
        )
        values = values.join(edited.select("position", pl.col("row_id").alias(NEW_ID)), on="position", how="left", maintain_order="left")
        return Measured(values=values, edited=edited, notes=_notes(chunk, edits))

    def decide(self, alive: pl.DataFrame, edges: pl.DataFrame) -> pl.DataFrame:  # noqa: ARG002
        """Every edit stands; the rule is the detector's name, the value the number of texts that it changed."""
        names = [name for name in self._names if name in alive.columns]
        made = [decisions(alive.filter(pl.col(name) > 0), rule=name, action="edit", value=pl.col(name)) for name in names]
        return pl.concat([no_decisions(), *made])


def _fixes() -> list[str]:
    return [name for name, detector in detection.DETECTORS.items() if detector.fix is not None]


def _per_row(chunk: pl.DataFrame, counts: pl.DataFrame) -> pl.Series:
    joined = chunk.select("position").join(counts, on="position", how="left", maintain_order="left")
    return joined["len"].fill_null(0).cast(pl.UInt32)


def _notes(chunk: pl.DataFrame, edits: pl.DataFrame) -> pl.DataFrame:
    """Say what stood there: the first edited place of each row and detector, with the text before it."""
    first = edits.unique(["position", "detector"], keep="first", maintain_order=True)
    before = overlay.texts_at(chunk, first)
    made = first.with_columns(evidence=pl.Series(before, dtype=pl.String).str.slice(0, 200)).rename({"detector": "rule"})
    return made.select(pl.col(name).cast(dtype) for name, dtype in NOTE.items())
