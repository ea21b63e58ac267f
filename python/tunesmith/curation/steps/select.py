"""`select`: a subset that covers the data, by greedy k-center."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

import polars as pl
from pydantic import Field, field_validator

from tunesmith.curation.steps import k_center, texts
from tunesmith.curation.steps.base import RankedStep, decisions, list_of
from tunesmith.progress import SILENT, Progress

ORDER = "order"


class Select(RankedStep):
    """Keep the rows that a greedy k-center order picks first: each is the row least similar to all picked before.

    The order begins with the first row; ties fall to the smaller position (Gonzalez 1985, Theoretical Computer Science 38).
    Similarity is the cosine of hashed character n-grams, or of embeddings with `embed`.
    """

    type: ClassVar[str] = "select"
    deciding: ClassVar[frozenset[str]] = frozenset({"rows"})

    by: Literal["k-center"] = Field(default="k-center", description="How rows are chosen.")
    rows: int | float = Field(description="How many rows stay: a count, or a share below 1 of the rows that come in.")
    of: str | tuple[str, ...] = Field(default="prompt", description="prompt, response or text columns; several are joined by a newline.")
    embed: str | None = Field(default=None, description="An embedding model, instead of hashed character n-grams.")

    @field_validator("rows")
    @classmethod
    def _share_or_count(cls, rows: int | float) -> int | float:
        if rows <= 0 or (isinstance(rows, float) and rows >= 1):
            raise ValueError("expected a whole number above 0, or a share between 0 and 1")
        return rows

    def inputs(self) -> Mapping[str, str]:
        """Name the embedding model."""
        if self.embed is None:
            return {}
        from tunesmith.models.embed import Embedder

        return {f"{self.label}.embed": Embedder(self.embed).hash}

    def budget(self, rows: int) -> int:
        """Give the number of rows that stay of so many."""
        return min(rows, self.rows if isinstance(self.rows, int) else max(1, round(self.rows * rows)))

    def project(self, chunk: pl.DataFrame) -> pl.DataFrame:
        """Join the texts."""
        return chunk.select("position").with_columns(texts.joined(chunk, list_of(self.of)).fill_null("").alias("text"))

    def rank(self, projected: pl.DataFrame, progress: Progress = SILENT, cache: Path | None = None) -> pl.DataFrame:
        """Pick rows in greedy order, up to the budget."""
        budget = self.budget(projected.height)
        if self.embed is None:
            vectors = k_center.hashed(projected["text"])
        else:
            from tunesmith.models.embed import Embedder

            vectors = k_center.exact(Embedder(self.embed, cache=cache).embed(projected["text"].to_list(), progress=progress))
        with progress.task(f"Choosing {budget:,} rows", budget) as done:
            picked = k_center.greedy(vectors, budget, done)
        order = pl.Series(ORDER, [None], dtype=pl.UInt32).new_from_index(0, projected.height)
        order = order.scatter(pl.Series(picked, dtype=pl.UInt32), pl.int_range(len(picked), dtype=pl.UInt32, eager=True))
        return projected.select("position").with_columns(order.alias(ORDER))

    def decide(self, alive: pl.DataFrame, edges: pl.DataFrame) -> pl.DataFrame:  # noqa: ARG002
        """Keep the rows whose place in the order is within the budget."""
        budget = self.budget(alive.height)
        lost = alive.filter((pl.col(ORDER) >= budget).fill_null(value=True))
        return decisions(lost, rule="not_selected", action="drop", value=pl.col(ORDER), threshold=float(budget))
