"""`decontaminate`: rows that hold an evaluation item, or most of one."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Literal

import polars as pl
from pydantic import Field

from tunesmith import core
from tunesmith.curation.steps import texts
from tunesmith.curation.steps.base import NOTE, KeyedStep, Measured, decisions, list_of
from tunesmith.errors import InputError, OptionError
from tunesmith.progress import SILENT, Progress
from tunesmith.rows import read

_THRESHOLDS = {"tunesmith": 0.5, "tulu3": 0.5}
"""Shares from which a row is a leak; in the other modes any shared run makes it one."""
_BLOCK = 65_536
"""Rows whose pairs are held at a time."""


class Decontaminate(KeyedStep):
    """Drop or flag the rows that cover an item of a test set: by shared runs of words, short items as a whole (`core.overlap`)."""

    type: ClassVar[str] = "decontaminate"
    deciding: ClassVar[frozenset[str]] = frozenset({"threshold", "action"})

    against: str = Field(description="The file of the test items.")
    of: str | tuple[str, ...] = Field(
        default=("prompt", "response"),
        description="prompt, response or text columns of the rows, each compared by itself; the largest share counts.",
    )
    item: str | tuple[str, ...] = Field(
        default="prompt", description="What an item is: prompt, response or text columns of the file; several are joined by a newline."
    )
    n: int | None = Field(default=None, ge=1, le=65_536, description="Words that must be shared in a run; 8 unless the mode has another.")
    mode: Literal["tunesmith", "gpt3", "datatrove", "open-r1", "tulu3"] = Field(
        default="tunesmith", description="Whose rule of overlap; the modes of other systems leave out items of fewer than n words."
    )
    contain: int = Field(
        default=4,
        ge=1,
        le=65_536,
        description="Words from which an item shorter than n is looked for inside longer texts; below, it must be the text.",
    )
    threshold: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="The share of an item's words from which a row is a leak; 0.5, or any run in gpt3, datatrove, open-r1.",
    )
    action: Literal["drop", "flag"] = Field(default="drop", description="What happens to such rows.")

    def resolved(self, folder: Path) -> Decontaminate:
        """Read the file's path relative to the recipe, and fix the threshold."""
        threshold = _THRESHOLDS.get(self.mode, 0.0) if self.threshold is None else self.threshold
        return self.model_copy(update={"against": str((folder / self.against).resolve()), "threshold": threshold})

    @cached_property
    def _other(self) -> pl.DataFrame:
        try:
            return read(self.against).frame
        except InputError as error:
            raise OptionError(f"{self.label}, against: {error}") from error

    def inputs(self) -> Mapping[str, str]:
        """Name the file of the items."""
        return {f"{self.label}.against": core.content_hash(self._other)}

    def project(self, chunk: pl.DataFrame) -> pl.DataFrame:
        """Take the texts."""
        return chunk.select("position").with_columns(texts.columns(chunk, list_of(self.of)))

    def pairs(self, projected: pl.DataFrame, progress: Progress = SILENT) -> Measured:
        """Measure the largest share of an item that each row covers."""
        items = texts.joined(self._other, list_of(self.item))
        index = core.OverlapIndex(items, n=self.n, mode=self.mode, contain=self.contain, threshold=0)
        fields = [name for name in projected.columns if name != "position"]
        best = []
        with progress.task(f"Looking for test items ({self.label})", projected.height) as done:
            for start in range(0, projected.height, _BLOCK):
                block = projected.slice(start, _BLOCK)
                found = [
                    index.find(block[name]).with_columns(pl.lit(name).alias("field"), pl.lit(k).alias("rank"))
                    for k, name in enumerate(fields)
                ]
                best.append(_best(pl.concat(found)).with_columns(pl.col("row") + start))
                done(min(start + _BLOCK, projected.height))
        leaks = (
            pl.concat(best) if best else pl.DataFrame(schema={"row": pl.UInt32, "item": pl.UInt32, "share": pl.Float64, "field": pl.String})
        )
        leaks = leaks.with_columns(projected["position"].gather(leaks["row"]).alias("position"))
        values = projected.select("position").join(leaks.select("position", "share"), on="position", how="left", maintain_order="left")
        return Measured(values=values, notes=self._notes(leaks, items))

    def _notes(self, leaks: pl.DataFrame, items: pl.Series) -> pl.DataFrame:
        """Name the item by its row in the file, and show its text."""
        records, shown = self._other["position"].gather(leaks["item"]), items.str.slice(0, 160).gather(leaks["item"])
        evidence = pl.format("{}, row {}: {}", pl.lit(Path(self.against).name), records, shown)
        made = leaks.select("position", "field", rule=pl.lit("overlap"), turn=pl.lit(None), evidence=evidence)
        return made.select(pl.col(name).cast(dtype) for name, dtype in NOTE.items())

    def decide(self, alive: pl.DataFrame, edges: pl.DataFrame) -> pl.DataFrame:  # noqa: ARG002
        """Keep no row that covers enough of an item; Tülu 3 asks for more than its threshold, the others for no less."""
        share, limit = pl.col("share"), 0.0 if self.threshold is None else self.threshold
        close = alive.filter(share > limit if self.mode == "tulu3" else share >= limit)
        return decisions(close, rule="overlap", action=self.action, value=share, threshold=limit)


def _best(found: pl.DataFrame) -> pl.DataFrame:
    """Of each row, the item of which it covers most (the first of these, in the first field)."""
    order = found.sort("row", "share", "item", "rank", descending=[False, True, False, False])
    return order.unique("row", keep="first", maintain_order=True).drop("rank")
