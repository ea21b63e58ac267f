"""`exact_duplicates`: rows whose texts are equal; one of each group stays."""

from __future__ import annotations

from typing import ClassVar, Literal

import polars as pl
from pydantic import Field

from tunesmith import core
from tunesmith.curation.steps import texts
from tunesmith.curation.steps.base import KeyedStep, Measured, edges_frame, list_of
from tunesmith.curation.steps.groups import KEEP_LENGTH, Keep, decide_groups
from tunesmith.progress import SILENT, Progress


class ExactDuplicates(KeyedStep):
    """Drop all but one of the rows whose texts are equal. A row without any text is no duplicate.

    With the response the assistant's reasoning and calls of tools are compared, too, and the answer not to give of a pair.
    """

    type: ClassVar[str] = "exact_duplicates"
    deciding: ClassVar[frozenset[str]] = frozenset({"keep", "action"})

    of: str | tuple[str, ...] = Field(default=("prompt", "response"), description="prompt, response or text columns; all must be equal.")
    normalize: Literal["none", "space", "unicode"] = Field(
        default="none", description="What is folded first: nothing; case and white space; also compatibility forms and punctuation."
    )
    keep: Keep = Field(default="first", description="Which row of a group stays; the first one where they are equally long.")
    action: Literal["drop", "flag"] = Field(default="drop", description="What happens to the others.")

    def project(self, chunk: pl.DataFrame) -> pl.DataFrame:
        """Take the texts."""
        return chunk.select("position").with_columns(texts.wholly(chunk, list_of(self.of)))

    def pairs(self, projected: pl.DataFrame, progress: Progress = SILENT) -> Measured:
        """Tie each row to the first of its group: equality needs no more pairs."""
        columns = projected.drop("position")
        with progress.task("Looking for exact duplicates", projected.height) as done:
            found = core.exact_duplicates(columns, normalize=self.normalize, progress=done).filter(pl.col("row") != pl.col("root"))
        position = projected["position"]
        ones = pl.repeat(1.0, found.height, dtype=pl.Float64, eager=True)
        edges = edges_frame(position.gather(found["row"]), position.gather(found["root"]), ones)
        return Measured(values=projected.select("position", texts.length(columns).alias(KEEP_LENGTH)), edges=edges)

    def decide(self, alive: pl.DataFrame, edges: pl.DataFrame) -> pl.DataFrame:
        """Keep one row alive of each group."""
        return decide_groups(alive, edges, threshold=1.0, keep=self.keep, action=self.action, rule="exact_duplicate")
